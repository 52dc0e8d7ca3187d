"""The subscriptions in crawler.toml: add, change or remove one, and keep the rest of the file as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.errors import ConfigError, UsageError
from crawler.service.edited_files import read_text

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def change_subscription(path: Path, name: str, settings: Mapping[str, Any] | None) -> str:
    """Return the file's text with these settings of the subscription, or without it for None.

    Raise UsageError for a subscription that is not there, ConfigError for one that is written in another way.
    """
    try:
        return remove_subscription(path, name) if settings is None else set_subscription(path, name, settings)
    except (TypeError, ValueError) as error:  # a number in place of a section, or a section written on one line
        raise ConfigError(
            f"{path}: write subscriptions as sections, [subscriptions.{name}], to change them with this command."
        ) from error


def set_subscription(path: Path, name: str, settings: Mapping[str, Any]) -> str:
    """Return the file's text with these settings of the subscription, which is added if it is not there."""
    import tomlkit

    document = parse_document(path)
    sections = document.get("subscriptions")
    if sections is None:
        sections = tomlkit.table(is_super_table=True)
        document["subscriptions"] = sections
    if name not in sections:
        if "channels" not in settings:
            raise UsageError(f"A new subscription needs a channel: crawler subscribe {name} --channel CHANNEL.")
        sections[name] = tomlkit.table()
    for key, value in settings.items():
        sections[name][key] = value
    return tomlkit.dumps(document)


def remove_subscription(path: Path, name: str) -> str:
    """Return the file's text without the subscription. Raise UsageError when there is none of this name."""
    import tomlkit

    document = parse_document(path)
    sections = document.get("subscriptions", {})
    if name not in sections:
        raise UsageError(f"{path} has no subscription {name!r}; `crawler subscribe` lists them.")
    del sections[name]
    return tomlkit.dumps(document)


def parse_document(path: Path) -> TOMLDocument:
    """Return the file as a document that keeps comments and order. Raise ConfigError for broken TOML."""
    return parse_document_text(read_text(path), path)


def parse_document_text(text: str, path: Path) -> TOMLDocument:
    """Return a text of TOML as a document. The error names the file."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.") from error
