"""Return the text of crawler.toml without its secrets, for copies that leave the machine. The rest stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, MutableSequence
from dataclasses import dataclass
from typing import Any

from crawler.config.loading import HEARTBEAT_SETTING, SECRET_SECTIONS

REMOVED_ADDRESS = "write the address again"
"""Stands for an address. It is none, so every command says which channel lacks its address."""
USER_INFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@\"'#]*@")
PASSWORD_PARAMETER = re.compile(r"(?i)([?&])(?:password|passwd|token)=[^\s&\"'#]*(&?)")
HARMLESS_SCHEMES = r"https?|s3|sqlite(?:\+\w+)?|postgres(?:ql)?(?:\+\w+)?|socks\w*"
CHANNEL_ADDRESS = re.compile(rf"(?i)\b(?!(?:{HARMLESS_SCHEMES})://)[a-z][a-z0-9+.-]*://[^\s\"']*")
ANY_ADDRESS = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://[^\s\"']*")
SECTION_HEADER = re.compile(r"\s*\[+\s*([\w-]+)")


@dataclass(frozen=True, slots=True)
class SafeConfig:
    """A configuration's text without secrets, and the keys whose values were removed or shortened."""

    text: str
    removed: tuple[str, ...]


def remove_secrets(text: str, **changes: str) -> SafeConfig:
    """Return the text of a valid crawler.toml without addresses of channels, passwords and user names.

    Comments are cleaned too: they may have an address that is not in use. `changes` are values of keys at the top to
    replace, if the file has them.
    """
    import tomlkit

    document = tomlkit.parse(text)
    for key, value in changes.items():
        if key in document:
            document[key] = value
    removed = list(_clean_values(document, ()))
    lines = tomlkit.dumps(document).split("\n")
    return SafeConfig("\n".join(_clean_comments(lines)), tuple(dict.fromkeys(removed)))


def _clean_values(container: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Replace secret strings in a table or list, in place. Yield the keys that have one."""
    is_mapping = isinstance(container, MutableMapping)
    keys = list(container) if is_mapping else range(len(container))
    for key in keys:
        value, place = container[key], (*path, str(key)) if is_mapping else path
        if isinstance(value, MutableMapping | MutableSequence):
            yield from _clean_values(value, place)
        elif isinstance(value, str) and (cleaned := _clean_value(str(value), place)) != value:
            container[key] = cleaned
            yield ".".join(place)


def _clean_value(value: str, place: tuple[str, ...]) -> str:
    is_channel = place[0] == "channels" and place[-1] != "file"
    if place[0] == HEARTBEAT_SETTING:
        return REMOVED_ADDRESS
    if place[0] in SECRET_SECTIONS and (is_channel or "://" in value):
        return REMOVED_ADDRESS
    return _clean_addresses(value)


def _clean_addresses(text: str) -> str:
    """Return a text whose addresses have no password."""
    text = USER_INFO.sub(_keep_user_of_database, text)
    return PASSWORD_PARAMETER.sub(lambda found: found[1] if found[2] else "", text)


def _keep_user_of_database(found: re.Match[str]) -> str:
    """Return scheme and user of a database's address: without the user it would mean another one."""
    scheme, user = found[1], found[0].removeprefix(found[1]).rstrip("@").partition(":")[0]
    return f"{scheme}{user}@" if scheme.lower().startswith("postgres") and user else scheme


def _clean_comments(lines: list[str]) -> Iterator[str]:
    """Yield the lines without secrets. Values have none any more, so whole lines may be searched."""
    section = ""
    for line in lines:
        if header := SECTION_HEADER.match(line):
            section = header[1]
        pattern = ANY_ADDRESS if section in SECRET_SECTIONS or HEARTBEAT_SETTING in line else CHANNEL_ADDRESS
        yield _clean_addresses(pattern.sub("…", line))
