"""`crawler subscribe`: list the subscriptions, or write one into crawler.toml, which stays as its owner wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tomlkit
import typer
from tomlkit.exceptions import TOMLKitError

from crawler.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from crawler.config import Subscription


def subscribe(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The subscriber; none: list them.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="A name in [channels]; several times for several.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="A rule to hear of; none: all.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="A source to hear of; none: all.")] = None,
    when: Annotated[str | None, typer.Option(help="realtime, hourly, 'daily 08:30' or 'weekly mon 08:30'.")] = None,
    quiet: Annotated[str | None, typer.Option(help="Hours without alerts, such as 22:00-07:00.")] = None,
    language: Annotated[str | None, typer.Option(help="Of the message: en, ru, kk.")] = None,
    form: Annotated[str | None, typer.Option(help="full or short.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the subscription out.")] = False,
) -> None:
    """List the subscriptions, or add, change or remove one in crawler.toml."""
    from crawler.config import find_config_file, load_config

    path = find_config_file(context.obj)
    if name is None:
        for line in format_subscriptions(load_config(context.obj).subscriptions):
            typer.echo(line)
        return
    if path is None:
        raise ConfigError("There is no crawler.toml to write to. Make one with `crawler init`.")
    given = {"channels": channel, "rules": rule, "sources": source, "when": when, "quiet": quiet}
    given |= {"language": language, "form": form}
    wanted = {key: value for key, value in given.items() if value is not None}
    try:
        text = remove_subscription(path, name) if remove else set_subscription(path, name, wanted)
    except (TypeError, ValueError) as error:  # a number for a section, or one written on a single line
        raise ConfigError(
            f"{path}: write subscriptions as sections, [subscriptions.{name}], to change them so."
        ) from error
    write_config(path, text)
    typer.echo(f"{path}: subscription {name} {'removed' if remove else 'written'}. A running watch takes it over.")


def format_subscriptions(subscriptions: dict[str, Subscription]) -> list[str]:
    """A line a subscription."""
    if not subscriptions:
        return ["There are no subscriptions. `crawler subscribe NAME --channel CHANNEL` writes one into crawler.toml."]
    return [_format_subscription(name, each) for name, each in subscriptions.items()]


def _format_subscription(name: str, each: Subscription) -> str:
    what = f"{', '.join(each.rules) or 'every rule'}, {', '.join(each.sources) or 'every source'}"
    more = [f"articles in {', '.join(each.languages)}"] if each.languages else []
    more += [f"quiet {each.quiet}"] if each.quiet else []
    more += [f"{len(each.redact)} patterns blacked out"] if each.redact else []
    return (
        f"{name}: {each.when} to {', '.join(each.channels)}, {what}; {each.form} messages in {each.language}"
        + "".join(f"; {one}" for one in more)
    )


def set_subscription(path: Path, name: str, wanted: dict[str, Any]) -> str:
    """The file's text with the subscription in it, or with these settings of it changed."""
    document = _read_document(path)
    sections = document.get("subscriptions")
    if sections is None:
        sections = tomlkit.table(is_super_table=True)
        document["subscriptions"] = sections
    if name not in sections:
        if "channels" not in wanted:
            raise UsageError(f"A new subscription needs a channel: crawler subscribe {name} --channel CHANNEL.")
        sections[name] = tomlkit.table()
    for key, value in wanted.items():
        sections[name][key] = value
    return tomlkit.dumps(document)


def remove_subscription(path: Path, name: str) -> str:
    """The file's text without the subscription; UsageError when there is none of this name."""
    document = _read_document(path)
    sections = document.get("subscriptions", {})
    if name not in sections:
        raise UsageError(f"{path} has no subscription {name!r}; `crawler subscribe` lists them.")
    del sections[name]
    return tomlkit.dumps(document)


def write_config(path: Path, text: str) -> None:
    """Write the file whole, once it is sure that it can be read; ConfigError, with the old file untouched, if not."""
    from crawler.config import load_config
    from crawler.publish.atomic_write import open_atomic
    from crawler.service.notifications import check_subscriptions

    with open_atomic(path, "--config") as file:
        file.write(text.encode())
        file.flush()
        try:
            check_subscriptions(load_config(Path(file.name)))
        except ConfigError as error:
            raise ConfigError(f"Nothing was written: {str(error).replace(file.name, str(path))}") from error


def _read_document(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.") from error
