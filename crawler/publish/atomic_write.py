"""A file that is there whole, or not at all: written beside its place, then moved there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from crawler.errors import UsageError

NEW_FILE_MODE = 0o644
"""Who may read a new file; one that was there before keeps what its owner chose."""


def resolve_output_path(path: Path, option: str = "-o") -> Path:
    """Where a file of that name is to stand, behind a link if it is one; UsageError where none can."""
    place = path.resolve()
    if place.exists() and not place.is_file() and not place.is_dir():
        raise UsageError(f"{option} {path} is no file but a device or a pipe.")
    if place.is_dir():
        raise UsageError(f"{option} {path} is a folder: name the file to write.")
    if not place.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {place.parent} to write a file of that name into.")
    return place


@contextmanager
def open_atomic(path: Path, option: str = "-o") -> Iterator[IO[bytes]]:
    """A file to write into; it takes its place when the block ends well. UsageError, which names the option, when that
    cannot be."""
    place = resolve_output_path(path, option)
    try:
        mode = place.stat().st_mode & 0o777 if place.exists() else NEW_FILE_MODE
        with NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as part:
            written = Path(part.name)
            try:
                yield part
                part.flush()
                os.fsync(part.fileno())
                written.chmod(mode)
                written.replace(place)
            except BaseException:
                written.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be written: {error.strerror}.") from error
