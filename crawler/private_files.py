"""Files and folders that only their owner can read, whatever the umask.

Texts and archives may be under copyright, and a configuration has the addresses of channels. So what the program writes
has the permissions 0600, and its folders have 0700. Permissions that the owner gave to a group stay as they are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

PRIVATE_FILE_MODE = 0o600
PRIVATE_FOLDER_MODE = 0o700


def make_private_folder(folder: Path) -> None:
    """Make a folder and its missing parents, with 0700. An existing one stays as it is. Raise OSError."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)  # another process may be faster
        each.chmod(PRIVATE_FOLDER_MODE)
    if not folder.is_dir():
        raise NotADirectoryError(20, os.strerror(20), str(folder))


def open_private_file(path: Path, flags: int) -> int:
    """Open a file and return its descriptor. With O_CREAT a new file has 0600. Raise OSError."""
    return os.open(path, flags | os.O_CLOEXEC, PRIVATE_FILE_MODE)


def make_private_file(path: Path) -> None:
    """Make an empty file with 0600 where there is none. Close an existing one to other users. Raise OSError."""
    try:
        os.close(open_private_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        close_file_to_others(path)


def is_open_to_others(path: Path) -> bool:
    """Return whether every user may read a file or folder. False if it does not exist."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def close_file_to_others(path: Path) -> None:
    """Make a file private that every user may read, as earlier versions of the program wrote it."""
    if path.is_file() and is_open_to_others(path):
        with suppress(PermissionError):  # it is another user's
            path.chmod(PRIVATE_FILE_MODE)


def close_folder_to_others(folder: Path, own_names: Collection[str]) -> None:
    """Make a folder private that every user may read, if it has only entries with these names.

    Names are compared without a dot before them, and up to the next dot. A folder that has other things as well (a
    home, a project, `/tmp`) is not the program's alone and stays as it is.
    """
    if not folder.is_dir() or not is_open_to_others(folder):
        return
    if all(each.name.lstrip(".").partition(".")[0] in own_names for each in folder.iterdir()):
        with suppress(PermissionError):
            folder.chmod(PRIVATE_FOLDER_MODE)
