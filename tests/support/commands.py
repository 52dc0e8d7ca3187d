"""The commands of the program, as Typer builds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from crawler.cli.app import app


def iterate_commands() -> Iterator[tuple[str, Any]]:
    """Yield every command and group of commands with its words, such as `rules check`; the program has none."""

    def walk(command: Any, words: str) -> Iterator[tuple[str, Any]]:
        yield words, command
        for name in command.list_commands(None) if is_group(command) else ():
            yield from walk(command.get_command(None, name), f"{words} {name}".strip())

    yield from walk(typer.main.get_command(app), "")


def is_group(command: Any) -> bool:
    """Return whether a command is a group of commands."""
    return hasattr(command, "list_commands")


def list_command_names() -> list[str]:
    """Return the words of every command, without the groups."""
    return [words for words, command in iterate_commands() if not is_group(command)]
