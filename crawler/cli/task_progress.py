"""Show a terminal how far a long command is. In a pipe nothing is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class TaskProgress:
    """What a long command does now, and how much of it is done. Without a bar it shows nothing."""

    def __init__(self, bar: Progress | None = None) -> None:
        self._bar = bar
        self._task = bar.add_task("", start=True) if bar else None

    def update(self, label: str, done: int, total: int | None) -> None:
        """Show what is being done, how many are done, and how many there are (None: unknown)."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=label, completed=done, total=total)


@contextmanager
def show_progress() -> Iterator[TaskProgress]:
    """Yield the progress of the block. It is on stderr while the block runs, if that is a terminal."""
    if not sys.stderr.isatty():
        yield TaskProgress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield TaskProgress(bar)
