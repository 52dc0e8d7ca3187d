"""`crawler subscribe`: list the subscriptions, or change one in crawler.toml and keep the rest of the file as it is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import print_error
from crawler.cli.options import FormerLanguageOption, OutputLanguageOption, RuleOption, SourceOption
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.config import Subscription


def subscribe(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of the subscription. Default: list them.")
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(metavar="CHANNEL", help="Channel in [channels]. Repeatable.")
    ] = None,
    rule: RuleOption = None,
    source: SourceOption = None,
    when: Annotated[
        str | None, typer.Option(metavar="WHEN", help="realtime, hourly, 'daily 08:30' or 'weekly mon 08:30'.")
    ] = None,
    quiet: Annotated[
        str | None, typer.Option(metavar="HOURS", help="Hours without alerts, such as 22:00-07:00.")
    ] = None,
    pause_until: Annotated[
        datetime | None,
        typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="Send nothing before this day, such as 2026-12-24."),
    ] = None,
    output_language: OutputLanguageOption = None,
    language: FormerLanguageOption = None,
    form: Annotated[str | None, typer.Option(metavar="FORM", help="Form of the messages: full or short.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the subscription.")] = False,
) -> None:
    """List, add, change or remove a subscription."""
    from crawler.config import find_config_file, list_config_warnings, load_config
    from crawler.service.subscription_file import change_subscription

    path = find_config_file(context.obj)
    if name is None:
        for line in format_subscriptions(load_config(context.obj).subscriptions):
            print(line)
        return
    if path is None:
        raise ConfigError("There is no crawler.toml to write to. Make one with `crawler init`.")
    settings: dict[str, Any] = {"channels": channel, "rules": rule, "sources": source, "when": when, "quiet": quiet}
    settings |= {"language": output_language or language, "form": form}
    settings |= {"paused_until": pause_until.date() if pause_until else None}
    changes = {key: value for key, value in settings.items() if value is not None}
    write_config(path, change_subscription(path, name, None if remove else changes))
    for warning in list_config_warnings(path):  # loading checked the temporary file, which is private
        print_error(warning)
    print(f"{path}: subscription {name} {'removed' if remove else 'written'}. A running watch reads it within 30 s.")


def format_subscriptions(subscriptions: Mapping[str, Subscription]) -> list[str]:
    """Return a line for each subscription, or a hint if there are none."""
    if not subscriptions:
        return ["There are no subscriptions. `crawler subscribe NAME --channel CHANNEL` writes one into crawler.toml."]
    return [_format_subscription(name, each) for name, each in subscriptions.items()]


def _format_subscription(name: str, each: Subscription) -> str:
    articles = f"{', '.join(each.rules) or 'every rule'}, {', '.join(each.sources) or 'every source'}"
    more = [f"articles in {', '.join(each.languages)}"] if each.languages else []
    more += [f"quiet {each.quiet}"] if each.quiet else []
    more += [f"paused until {each.paused_until}"] if each.paused_until else []
    more += [f"{len(each.redact)} patterns blacked out"] if each.redact else []
    head = f"{name}: {each.when} to {', '.join(each.channels)}, {articles}"
    return "; ".join([head, f"{each.form} messages in {each.language}", *more])


def write_config(path: Path, text: str) -> None:
    """Replace the file. Raise ConfigError, and keep the old file, when the new text is no valid configuration."""
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
