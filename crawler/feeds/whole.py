"""A file that is there whole, or not at all: written beside its place, then moved there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from crawler.errors import UsageError


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write into; it takes its place when the block ends well. UsageError when that cannot be."""
    place = path.resolve()  # behind a link, so that the link stays
    folder = place.parent
    if place.exists() and not place.is_file() and not place.is_dir():
        raise UsageError(f"-o {path} is no file but a device or a pipe.")
    if place.is_dir() or not folder.is_dir():
        raise UsageError(f"-o {path}: there is no folder {folder} to write a file of that name into.")
    try:
        with NamedTemporaryFile(dir=folder, prefix=f".{place.name}.", delete=False) as part:
            written = Path(part.name)
            try:
                yield part
                part.flush()
                os.fsync(part.fileno())
                written.chmod(0o644)
                written.replace(place)
            except BaseException:
                written.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(f"-o {path} cannot be written: {error.strerror}.") from error
