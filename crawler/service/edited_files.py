"""Change crawler.toml and the rules file: in one step, checked, with the former file kept beside it.

Who edits a file first reads its mark. If the file has another mark when it is to be replaced, somebody else changed it
meanwhile: nothing is written.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from crawler.errors import ConfigError, FileChanged
from crawler.publish.atomic_write import open_atomic

FORMER_SUFFIX = ".previous"
"""What the name of the kept former file ends with: `crawler.toml.previous`."""
NO_FILE = "none"
"""The mark of a file that does not exist."""
_lock = threading.Lock()


def get_file_mark(path: Path | None) -> str:
    """Return a mark that changes with the content of the file."""
    try:
        data = path.read_bytes() if path is not None else None
    except FileNotFoundError:
        data = None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    return NO_FILE if data is None else hashlib.sha256(data).hexdigest()[:32]


def read_text(path: Path) -> str:
    """Return the text of a file. Raise ConfigError if it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"{path} cannot be read: {reason}.") from error


def replace_files(
    texts: Mapping[Path, str],
    *,
    marks: Mapping[Path, str] | None = None,
    check: Callable[[], object] = lambda: None,
    option: str = "--config",
) -> None:
    """Write all texts, or none: when `check`, which is called afterwards, raises an error, the former files are back.

    So they are when a former file cannot be kept.

    Raise FileChanged if a file does not have its mark in `marks`. A file without a mark there is not compared.
    Raise UsageError, with the option's name, for a file that cannot be written.
    """
    with _lock:
        for path, mark in (marks or {}).items():
            if get_file_mark(path) != mark:
                raise FileChanged(f"{path} was changed meanwhile, so nothing was written. Look at it again.")
        former = {path: path.read_bytes() if path.exists() else None for path in texts}
        try:
            for path, text in texts.items():
                with open_atomic(path, option) as file:
                    file.write(text.encode())
            check()
            for path, data in former.items():
                if data is not None:
                    _keep_former(path, data)
        except BaseException:
            for path, data in former.items():
                _restore(path, data)
            raise


def _restore(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
        return
    if path.read_bytes() != data:
        with open_atomic(path, "--config") as file:
            file.write(data)


def _keep_former(path: Path, data: bytes) -> None:
    """Write the former content beside the file, with the file's permissions: it may have addresses of channels."""
    beside = path.resolve().with_name(path.resolve().name + FORMER_SUFFIX)
    with open_atomic(beside, "--config", mode=path.stat().st_mode & 0o777) as file:
        file.write(data)
