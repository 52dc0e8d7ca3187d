"""The files that the retention policy removed from an archive, listed in `removed-files.jsonl` beside the sources.

A file is listed before it is deleted. So a reference into a file that is gone is always explained, also after a kill.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from crawler.errors import ArchiveError
from crawler.items import format_time
from crawler.private_files import open_private_file

LIST_NAME = "removed-files.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedFile:
    """A file that was removed: `name` is `<source>/<file>`, `size` in bytes, `removed_at` in UTC."""

    name: str
    size: int
    removed_at: datetime


def list_removed_files(root: Path) -> dict[str, RemovedFile]:
    """Return the removed files of an archive by name. A line that is incomplete or damaged is skipped."""
    try:
        lines = (root / LIST_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ArchiveError(f"{root / LIST_NAME} cannot be read: {error.strerror}.") from error
    found = {}
    for line in lines:
        try:
            values = json.loads(line)
            removed_at = datetime.fromisoformat(values["removed_at"])
            found[values["name"]] = RemovedFile(name=values["name"], size=values["size"], removed_at=removed_at)
        except (ValueError, KeyError, TypeError):
            continue
    return found


def remove_file(root: Path, name: str, now: datetime) -> int:
    """List a file as removed, then delete it. Return its size, 0 if it is gone already. Raise ArchiveError."""
    path = root / name
    try:
        size = path.stat().st_size if path.exists() else 0
        removed = RemovedFile(name=name, size=size, removed_at=now.astimezone(UTC))
        line = json.dumps({**asdict(removed), "removed_at": format_time(removed.removed_at)}) + "\n"
        descriptor = open_private_file(root / LIST_NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            if (end := os.lseek(descriptor, 0, os.SEEK_END)) and os.pread(descriptor, 1, end - 1) != b"\n":
                line = f"\n{line}"  # a killed process left a part of a line
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ArchiveError(f"The archive file {path} cannot be removed: {error.strerror}.") from error
    return size


def explain_missing_file(path: Path) -> str | None:
    """Return a sentence about a file of an archive that the retention policy removed, None for any other file."""
    removed = list_removed_files(path.parent.parent).get(f"{path.parent.name}/{path.name}")
    return f"{path} was removed by the retention policy on {removed.removed_at:%Y-%m-%d}." if removed else None
