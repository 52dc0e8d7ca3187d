"""`crawler health --badge`: each source's state as a small picture, into a file or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from crawler.config import Config
from crawler.errors import UsageError
from crawler.feeds.whole import check_place, whole_file
from crawler.health.badge import badge
from crawler.text.dates import zone


def write(states: Sequence[tuple[str, str, datetime | None]], place: Path, config: Config) -> list[Path]:
    """One `.svg` file for one source, else a folder with one for each; UsageError where it cannot be written. `states`
    are sources with their verdicts and since when; what was written is returned.

    A file is put in its place whole: whoever shows it never sees half of one.
    """
    is_file = place.suffix == ".svg" and not place.is_dir()
    if is_file and len(states) != 1:
        raise UsageError(f"--badge {place} is one file: name one source, or give a folder for all.")
    if is_file:
        check_place(place, "--badge")
    else:
        _folder(place)
    written = []
    here = zone(config.timezone)
    for source, verdict, began in states:
        since = f"since {began.astimezone(here):%Y-%m-%d %H:%M}" if began else "never looked at"
        path = place if is_file else place / f"{source}.svg"
        with whole_file(path, "--badge") as file:
            file.write(badge(source, verdict, since).encode())
        written.append(path)
    return written


def _folder(place: Path) -> None:
    """Make the folder if only it is missing."""
    if place.is_dir():
        return
    if place.suffix:
        raise UsageError(f"--badge {place}: the ending must be .svg, or name a folder.")
    if not place.resolve().parent.is_dir():
        raise UsageError(f"--badge {place}: there is no folder {place.resolve().parent} to make that folder in.")
    try:
        place.mkdir()
    except OSError as error:
        raise UsageError(f"--badge {place} cannot be made: {error.strerror}.") from error
