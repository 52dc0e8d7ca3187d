"""The command line: the app and the table of its commands. What a command does is in `commands/<command>.py`."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_group

from crawler.cli.help import (
    MAINTAIN,
    MAX_SUMMARY_LENGTH,
    READ,
    SHARE,
    WATCH,
    CommandApp,
    GroupedCommands,
    PlainCommand,
)

COMMANDS = {
    **dict.fromkeys("crawl watch worker workers backfill health schedule sources".split(), WATCH),
    **dict.fromkeys("search serve show articles versions diff stories story compare match trends".split(), READ),
    **dict.fromkeys("feed export digest evidence subscribe alerts".split(), SHARE),
    **dict.fromkeys(
        "init config add reprocess replay check snapshot extract drift user store archive rules".split(), MAINTAIN
    ),
}
"""Each command or group of commands, with its heading, in the order of `crawler --help`."""
MODULES = {"workers": "worker", "story": "stories"}
"""The modules of commands that are in the module of another one."""
CONTEXT_SETTINGS = {"search": {"ignore_unknown_options": True}}
"""A word with a minus is excluded from the search, and no option."""


class LazyCommands(GroupedCommands):
    """The commands of the app. To import and build all of them takes 0.1 s, so that is done to one when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None if there is none of this name."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.commands[cmd_name] = build_command(cmd_name)
        return self.commands.get(cmd_name)

    def list_summaries(self, ctx: Any) -> list[tuple[str, str, str]]:
        """Return heading, name and summary of each command."""
        return [(heading, name, summarize_command(name)) for name, heading in COMMANDS.items()]

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the arguments name."""
        if args[0] not in COMMANDS:  # Typer suggests the nearest one that is built
            for name in COMMANDS:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)


def import_command(name: str) -> Any:
    """Return the function of a command, or the app of a group of commands."""
    module = import_module(f"crawler.cli.commands.{MODULES.get(name, name)}")
    return getattr(module, "app", None) or getattr(module, name)


def build_command(name: str) -> Any:
    """Return a command by its name."""
    parent, found = CommandApp(), import_command(name)
    if isinstance(found, CommandApp):
        parent.add_typer(found, name=name)
    else:
        parent.command(name, context_settings=CONTEXT_SETTINGS.get(name))(found)
    return get_group(parent).commands[name]


def summarize_command(name: str) -> str:
    """Return the first sentence of a command's help."""
    found = import_command(name)
    text = found.info.help if isinstance(found, CommandApp) else inspect.getdoc(found)
    return PlainCommand(name, help=text).get_short_help_str(MAX_SUMMARY_LENGTH)


app = CommandApp(
    name="crawler",
    commands=LazyCommands,
    help="Watch Kazakhstan's foreign ministry, QazMonitor and kt.kz for the Red Cross and humanitarian law.",
    no_args_is_help=True,
    epilog="Exit codes: 0 healthy, 1 unexpected, 2 usage or configuration, 10 unreachable, 11 blocked, "
    "12 page changed, 13 silent or empty, 14 degraded, 15 skipped: another run of the source is active, "
    "16 store empty, 17 store lost, 18 unusable template, 19 port in use, "
    "20 store inconsistent, 21 object storage unusable.",
)


def print_version(wanted: bool) -> None:
    """Print the version and exit, if it is wanted."""
    if wanted:
        from importlib.metadata import version

        print(f"crawler {version('crawler')}")
        raise typer.Exit


@app.callback()
def set_config_file(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Configuration file. Default: ./crawler.toml, else the user's."),
    ] = None,
    _: Annotated[
        bool, typer.Option("-V", "--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Keep the configuration file for the command."""
    context.obj = config
