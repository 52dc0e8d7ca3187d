"""`crawler health --badge`: each source's state as a small picture, into a file or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crawler.cli.health import State
from crawler.config import Config
from crawler.errors import UsageError
from crawler.feeds.whole import whole_file
from crawler.health.badge import badge
from crawler.text.dates import zone


def write(states: Sequence[State], place: Path, config: Config) -> None:
    """One `.svg` file for one source, else a folder with one for each; UsageError where it cannot be written.

    A file is put in its place whole: whoever shows it never sees half of one.
    """
    is_file = place.suffix == ".svg"
    if is_file and len(states) != 1:
        raise UsageError(f"--badge {place} is one file: name one source, or give a folder for all.")
    here = zone(config.timezone)
    for state in states:
        since = f"since {state.since.astimezone(here):%Y-%m-%d %H:%M}" if state.since else "never looked at"
        path = place if is_file else place / f"{state.source}.svg"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--badge {path} cannot be written: {error.strerror}.") from error
        with whole_file(path, "--badge") as file:
            file.write(badge(state.source, state.verdict, since).encode())
