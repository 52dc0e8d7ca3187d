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
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir():
        raise UsageError(f"-o {path}: there is no folder {folder} to write a file of that name into.")
    try:
        with NamedTemporaryFile(dir=folder, prefix=f".{path.name}.", delete=False) as part:
            written = Path(part.name)
            try:
                yield part
                part.flush()
                os.fsync(part.fileno())
                written.chmod(0o644)
                written.replace(path)
            except BaseException:
                written.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(f"-o {path} cannot be written: {error.strerror}.") from error
