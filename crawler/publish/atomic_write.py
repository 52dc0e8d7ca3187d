"""Write a file in one step: it is complete, or stays as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from crawler.errors import UsageError
from crawler.private_files import PRIVATE_FILE_MODE

PUBLIC_FILE_MODE = 0o644
"""Permissions of a new file that a web server publishes."""


def resolve_output_path(path: Path, option: str = "-o") -> Path:
    """Return where to write, behind a symbolic link.

    Raise UsageError, with the option's name, if that is impossible.
    """
    target = path.resolve()
    if target.exists() and not target.is_file() and not target.is_dir():
        raise UsageError(f"{option} {path} is no file but a device or a pipe.")
    if target.is_dir():
        raise UsageError(f"{option} {path} is a folder: name the file to write.")
    if not target.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {target.parent} to write a file of that name into.")
    return target


@contextmanager
def open_atomic(
    path: Path, option: str = "-o", *, mode: int | None = None, new_file_mode: int = PRIVATE_FILE_MODE
) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces `path` when the block ends without an exception.

    `mode` are its permissions; None: those of the file that it replaces, else `new_file_mode`. Raises UsageError, with
    the option's name, if the file cannot be written.
    """
    target = resolve_output_path(path, option)
    try:
        if mode is None:
            mode = target.stat().st_mode & 0o777 if target.exists() else new_file_mode
        # In the same folder, because a rename is atomic only within a file system.
        with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            temporary = Path(file.name)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                temporary.chmod(mode)
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be written: {error.strerror}.") from error


def write_atomic(path: Path, data: bytes, option: str) -> None:
    """Write a whole file in one step. Raise UsageError, with the option's name, if it cannot be written."""
    with open_atomic(path, option) as file:
        file.write(data)
