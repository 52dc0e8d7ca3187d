"""The archive as its readers see it: a folder, or a folder whose closed files are on object storage too.

A reader gets a file from the folder if it is there (the spool), else from the storage by byte range.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from crawler.archive.object_storage import ObjectStorage
from crawler.config.objects import ObjectsConfig
from crawler.errors import ArchiveError


@dataclass(frozen=True)
class SpooledArchive:
    """A folder of WARC files, and the storage that has its closed files."""

    folder: Path
    storage: ObjectStorage

    def __str__(self) -> str:
        return f"{self.folder} and {self.storage.address}"


@dataclass(frozen=True)
class SpooledFile:
    """A WARC file of such an archive. `path` is its place in the folder, where it may not be any more."""

    archive: SpooledArchive
    name: str

    @property
    def path(self) -> Path:
        """The place in the folder."""
        return self.archive.folder / self.name

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Open the file in the folder, else the object. Raise ArchiveError if there is neither."""
        try:
            return self.path.open(mode)
        except (FileNotFoundError, NotADirectoryError):
            file = self.archive.storage.open_object(self.name)
        if file is None:
            raise ArchiveError(
                f"{self.name} is neither in {self.archive.folder} nor in {self.archive.storage.address}."
            )
        return file

    def __str__(self) -> str:
        return str(self.path) if self.path.exists() else f"{self.archive.storage.address}/{self.name}"


ArchiveRoot = Path | SpooledArchive
WarcFile = Path | SpooledFile


def open_archive(folder: Path, objects: ObjectsConfig) -> ArchiveRoot:
    """Return the archive of a configuration: the folder, with the storage if there is one."""
    return SpooledArchive(folder, ObjectStorage(objects)) if objects.address else folder


def resolve_archive_file(root: ArchiveRoot, name: str) -> WarcFile:
    """Return a file of the archive. Raise ArchiveError for a name that leads out of it."""
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts:
        raise ArchiveError(f"{name!r} is no file of the archive {root}.")
    return SpooledFile(root, str(parts)) if isinstance(root, SpooledArchive) else root / parts


def get_local_path(file: WarcFile) -> Path:
    """Return where a file is, or was, in the folder."""
    return file.path if isinstance(file, SpooledFile) else file


def get_root(file: WarcFile) -> ArchiveRoot:
    """Return the archive of a file: two folders above it."""
    return file.archive if isinstance(file, SpooledFile) else file.parent.parent
