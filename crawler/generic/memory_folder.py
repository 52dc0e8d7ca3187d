"""A folder with the memory of each site: one JSON file a site, replaced as a whole."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from crawler.errors import UsageError
from crawler.generic.site_memory import SiteMemory, make_memory
from crawler.private_files import make_private_folder, open_private_file

UNSAFE_CHARACTER = re.compile(r"[^a-z0-9.-]")
MAX_NAME_LENGTH = 100


class MemoryFolder:
    """Loads each site's memory once, and saves it when it has changed."""

    def __init__(self, folder: Path) -> None:
        """Make the folder if it is missing. Raise UsageError when that is impossible."""
        self.folder = folder
        self._memories: dict[str, SiteMemory] = {}
        try:
            make_private_folder(folder)
        except OSError as error:
            raise UsageError(f"The folder {folder} of --site-memory cannot be made: {error.strerror}.") from error

    def get_memory(self, site: str) -> SiteMemory:
        """Return what is known about a site. Raise UsageError for a damaged file."""
        if site not in self._memories:
            self._memories[site] = self._load_memory(site)
        return self._memories[site]

    def save_memory(self, memory: SiteMemory) -> None:
        """Write a memory: the file is complete or stays as it was. Raise UsageError when it cannot be written."""
        save_memory_file(self._make_path(memory.site), memory)

    def _load_memory(self, site: str) -> SiteMemory:
        return load_memory_file(self._make_path(site), site)

    def _make_path(self, site: str) -> Path:
        return self.folder / f"{UNSAFE_CHARACTER.sub('_', site.lower())[:MAX_NAME_LENGTH]}.json"


def save_memory_file(path: Path, memory: SiteMemory) -> None:
    """Write a memory into a file, which is complete or stays as it was. Raise UsageError when it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(memory.to_dict(), ensure_ascii=False, indent=1)
    try:
        with os.fdopen(
            open_private_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8"
        ) as file:
            file.write(text + "\n")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"The site memory {path} cannot be written: {error.strerror}.") from error


def load_memory_file(path: Path, site: str) -> SiteMemory:
    """Return the memory in a file, or an empty one where there is none. Raise UsageError for a damaged file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return SiteMemory(site)
    except OSError as error:
        raise UsageError(f"The site memory {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"The site memory {path} is damaged: delete it, and the site is learned again.") from error
    return make_memory(values, str(path))
