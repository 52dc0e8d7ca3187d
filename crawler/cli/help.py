"""Help output: commands in named groups, `-h`, and no Python types.

Typer's own help needs Rich, which draws boxes and cuts descriptions at the terminal's width. This help is plain text,
the same on a terminal and in a pipe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

WATCH, READ, SHARE, MAINTAIN = "Watch", "Read", "Share", "Maintain"
"""The groups of commands, in the order of `crawler --help`."""
TYPE_NAME = re.compile(r" <[^<>|]*>$")
CHOICES = re.compile(r" <([^<>]*)>$")
REQUIRED_ARGUMENT = re.compile(r"^\{(\w+)\}")
NUMBER_RANGE = re.compile(r"\s*\[(?:x>=\d+|\d+<=x<=\d+)\]$|; (?:x>=\d+|\d+<=x<=\d+)(?=\]$)")
"""What Typer adds to the name or the help of a parameter: `<str>`, `<atom|rss>`, `{ARTICLE}`, `[x>=1]`."""
MAX_SUMMARY_LENGTH = 200
F = TypeVar("F", bound=Callable[..., Any])


class PlainCommand(TyperCommand):
    """A command whose help names no Python types."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line, without Typer's braces around a required argument."""
        return [REQUIRED_ARGUMENT.sub(r"\1", piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the options."""
        write_parameters(self.get_params(ctx), ctx, formatter)


class GroupedCommands(TyperGroup):
    """A group of commands, listed under the headings they were registered with."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands."""
        write_parameters(self.get_params(ctx), ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each heading with its commands: the name and the first sentence of its help."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for heading, name, summary in self.list_summaries(ctx):
            sections.setdefault(heading, []).append((name, summary))
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)

    def list_summaries(self, ctx: Any) -> list[tuple[str, str, str]]:
        """Return heading, name and summary of each command that is not hidden."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        return [
            ("Commands", name, command.get_short_help_str(MAX_SUMMARY_LENGTH))
            for name, command in commands
            if command is not None and not command.hidden
        ]


class CommandApp(typer.Typer):
    """A Typer app that has this help and lets exceptions pass."""

    def __init__(self, *, commands: type[GroupedCommands] = GroupedCommands, **options: Any) -> None:
        super().__init__(
            cls=commands,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["-h", "--help"]},
            **options,
        )

    def command(self, name: str | None = None, **options: Any) -> Callable[[F], F]:
        """Register a function as a command."""
        return super().command(name, cls=PlainCommand, **options)


def write_parameters(parameters: Iterable[Any], ctx: Any, formatter: Any) -> None:
    """Write arguments and options, each section only if it has rows."""
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for parameter in parameters:
        if (record := parameter.get_help_record(ctx)) is not None:
            heading = "Arguments" if parameter.param_type_name == "argument" else "Options"
            name = CHOICES.sub(r" \1", TYPE_NAME.sub("", record[0]))
            sections[heading].append((name, NUMBER_RANGE.sub("", record[1])))
    for heading, rows in sections.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl(rows)
