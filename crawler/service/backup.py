"""Backups: one zip file with the store, the configuration without secrets, and a list of the archive's files.

| member | content |
|---|---|
| `backup.json` | when and of what the backup was made, the digests of the other members, the files of the archive |
| `crawler.db` | the store as a SQLite file, also that of PostgreSQL |
| `crawler.toml`, `rules.toml`, `templates/…` | the owner's files, those that exist |
| `sources/…`, `snapshots/…` | the sources without code, with their sample pages |

The archive itself is not in it. Its files are large, and each is written once: `rsync` copies what is new.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from crawler.archive.inventory import ArchiveFile, FileDamage, find_damaged_files, is_warc_name, list_archive
from crawler.archive.spooled_archive import open_archive
from crawler.config import Config
from crawler.config.loading import list_variables
from crawler.config.secret_removal import remove_secrets
from crawler.config.source_folder import (
    find_file_source,
    find_sources_folder,
    list_definition_files,
    list_source_files,
)
from crawler.errors import CrawlerError, UsageError
from crawler.items import format_time
from crawler.private_files import PRIVATE_FILE_MODE, make_private_folder
from crawler.publish.atomic_write import open_atomic
from crawler.store import redact_url
from crawler.store.portable_copy import (
    find_store_file,
    prepare_store_copy,
    raise_if_in_use,
    read_contents,
    replace_store,
    write_store_copy,
)
from crawler.text.counts import format_count

TEMPLATE_MEMBER = re.compile(r"templates/(?!\.)[^/\\\0]+")
FORMAT = 2
"""Version of the layout; 2 has sources without code. A program that knows only lower numbers refuses the file."""
MANIFEST, STORE, CONFIG, RULES, TEMPLATES = "backup.json", "crawler.db", "crawler.toml", "rules.toml", "templates/"
WORK_FOLDER = ".store-work"
COPY_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup says about itself.

    `counts` are the rows of the store's tables, `digests` the SHA-256 of each other member (hex). `removed` are the
    settings that lack their secret, `variables` the names of the `CRAWLER_*` variables that were set.
    """

    created_at: datetime
    program: str
    store: str
    counts: Mapping[str, int]
    digests: Mapping[str, str]
    removed: tuple[str, ...]
    variables: tuple[str, ...]
    archive_folder: str
    archive: tuple[ArchiveFile, ...]

    @property
    def owner_files(self) -> list[str]:
        """The members that are the owner's files."""
        return [name for name in self.digests if name != STORE]

    def describe_owner_files(self) -> list[str]:
        """Return the owner's files for people: those of sources as the number of sources."""
        sources = {source for name in self.digests if (source := find_file_source(name))}
        others = [name for name in self.owner_files if not find_file_source(name)]
        return [*others, format_count(len(sources), "source")] if sources else others


@dataclass(frozen=True, slots=True)
class RestoredStore:
    """A restored store: its backup, and the file that has what the store had before (None if it was empty)."""

    backup: Backup
    former: Path | None


def write_backup(config: Config, file: Path, now: datetime) -> Backup:
    """Write a backup in one step, readable by this user alone. Runs may go on meanwhile.

    Raise UsageError if there is no store, the file cannot be written, or it has something else than a backup, and
    CrawlerError if the store cannot be read.
    """
    _raise_if_other_file(file)
    contents = read_contents(config.database_url)
    if contents.failure is None and contents.is_empty:
        raise UsageError(f"There is nothing to back up: the store {redact_url(config.database_url)} is empty.")
    with (
        open_atomic(file, "FILE", mode=PRIVATE_FILE_MODE) as output,
        tempfile.TemporaryDirectory(dir=file.resolve().parent, prefix=".backup-") as folder,
        zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        copy = Path(folder) / STORE
        write_store_copy(config.database_url, copy)
        texts, removed = _read_owner_files(config)
        digests = {STORE: _add_file(archive, copy)}
        for name, data in texts.items():
            archive.writestr(name, data)
            digests[name] = hashlib.sha256(data).hexdigest()
        backup = Backup(
            created_at=now,
            program=f"crawler {version('crawler')}",
            store=redact_url(config.database_url),
            counts=read_contents(f"sqlite:///{copy}").counts,
            digests=digests,
            removed=removed,
            variables=tuple(list_variables()),
            archive_folder=str(open_archive(config.archive_dir, config.objects)),
            # After the store, so that the list has every record to which the store refers.
            archive=tuple(list_archive(open_archive(config.archive_dir, config.objects))),
        )
        archive.writestr(MANIFEST, _format_manifest(backup))
    return backup


def restore_backup(config: Config, file: Path, *, overwrite: bool, folder: Path | None, now: datetime) -> RestoredStore:
    """Replace the store in force by that of a backup, and write the owner's files into `folder`, if it is given.

    Raise UsageError if the file is no backup or is damaged, the store is in use, or something would be lost: a store
    that is not empty, unless `overwrite`, or a file in `folder`. Then nothing was changed.
    """
    with _open_backup(file) as (archive, backup):
        raise_if_irreplaceable(config.database_url, overwrite=overwrite)
        taken = [folder / name for name in backup.owner_files if (folder / name).exists()] if folder else []
        if taken:
            raise UsageError(f"{taken[0]} exists already and is not overwritten; move it away or name another folder.")
        with make_store_folder(config) as work:
            copy = work / STORE
            _extract_member(archive, STORE, copy, backup, file)
            texts = {name: _read_member(archive, name, backup, file) for name in backup.owner_files}
            if folder:
                _make_owner_folders(backup.owner_files, folder)
            prepare_store_copy(copy)
            former = install_store(config, copy, "restore", now)
        if folder:
            _write_owner_files(texts, folder)
    return RestoredStore(backup, former)


def _raise_if_other_file(file: Path) -> None:
    """Raise UsageError if a backup would replace a file that is no backup, such as the store itself."""
    try:
        if not file.is_file() or file.stat().st_size == 0:
            return
        with zipfile.ZipFile(file) as archive:
            is_backup = MANIFEST in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        is_backup = False
    if not is_backup:
        raise UsageError(f"{file} is no backup and is not overwritten; move it away or name another file.")


def find_archive_damage(config: Config, backup: Backup) -> list[tuple[ArchiveFile, FileDamage]]:
    """Return what the archive in force lacks of the files that the backup lists."""
    return list(find_damaged_files(open_archive(config.archive_dir, config.objects), backup.archive))


def raise_if_irreplaceable(url: str, *, overwrite: bool) -> None:
    """Raise UsageError if a store is in use, or, unless it may be overwritten, has articles or runs or is damaged."""
    raise_if_in_use(url)
    contents = read_contents(url)
    if overwrite or contents.is_empty:
        return
    name, counts = redact_url(url), contents.counts
    articles, runs = (format_count(counts.get(name, 0), name[:-1]) for name in ("articles", "runs"))
    found = f"has {articles} and {runs}"
    if contents.failure:
        found = f"cannot be read ({contents.failure})"
    raise UsageError(
        f"The store {name} {found}, so it is not replaced. With --overwrite it is, and kept under another name."
    )


@contextmanager
def make_store_folder(config: Config) -> Iterator[Path]:
    """Yield an empty private folder beside the store, from which a file can be moved to the store in one step.

    What a killed process left in it is deleted. Raise UsageError while another process uses the folder.
    """
    file = find_store_file(config.database_url)
    work = (file.parent if file else config.data_folder) / WORK_FOLDER
    descriptor = _lock_folder(work)
    try:
        for left in work.iterdir():
            left.unlink()
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(descriptor)


def install_store(config: Config, file: Path, occasion: str, now: datetime) -> Path | None:
    """Replace the store in force by a prepared SQLite file. Return where its former state is kept, None if empty."""
    target = find_store_file(config.database_url)
    name = f"crawler.before-{occasion}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    former = _find_free_file(target.parent if target else config.data_folder, name)
    was_kept = replace_store(config.database_url, file, former)
    return former if was_kept else None


def _find_free_file(folder: Path, name: str) -> Path:
    """Return a store's file that does not exist: `<name>.db`, then `<name>-2.db`."""
    file, number = folder / f"{name}.db", 1
    while file.exists():
        number += 1
        file = folder / f"{name}-{number}.db"
    return file


def _lock_folder(folder: Path) -> int:
    """Make a folder and lock it. Return its descriptor; closing it, or the end of the process, unlocks it."""
    try:
        make_private_folder(folder)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}. Check `data_dir`.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UsageError(f"Another restore or rebuild is in progress in {folder}. Wait until it ends.") from error
    return descriptor


def _read_owner_files(config: Config) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return the owner's files by member name, and the settings whose secrets were removed."""
    files: dict[str, bytes] = {}
    removed: tuple[str, ...] = ()
    try:
        if config.path:
            # The copies are beside each other, wherever they were.
            safe = remove_secrets(config.path.read_text(encoding="utf-8"), rules=RULES, templates=TEMPLATES.rstrip("/"))
            files[CONFIG], removed = safe.text.encode(), safe.removed
        if config.rules:
            files[RULES] = config.rules.read_bytes()
        if config.templates:
            paths = sorted(path for path in config.templates.iterdir() if path.is_file())
            files |= {f"{TEMPLATES}{path.name}": path.read_bytes() for path in paths}
        folder = find_sources_folder(config.path)
        sources = list_source_files(list_definition_files(folder), folder)
        files |= {name: path.read_bytes() for name, path in sources.items()}
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return files, removed


def _add_file(archive: zipfile.ZipFile, path: Path) -> str:
    """Add a file. Return its digest."""
    digest = hashlib.sha256()
    with path.open("rb") as source, archive.open(path.name, "w", force_zip64=True) as target:
        while chunk := source.read(COPY_CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()


def _format_manifest(backup: Backup) -> str:
    values = {"format": FORMAT, **asdict(backup), "created_at": format_time(backup.created_at)}
    return json.dumps(values, ensure_ascii=False, indent=1)


@contextmanager
def _open_backup(file: Path) -> Iterator[tuple[zipfile.ZipFile, Backup]]:
    """Yield a backup's members and what it says about itself. A member that cannot be read raises UsageError."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive, _read_manifest(archive, file)
    except FileNotFoundError as error:
        raise UsageError(f"The file {error.filename} does not exist.") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be restored: {error.strerror}: {error.filename or 'a file'}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _make_damage_error(file, error) from error


def _read_manifest(archive: zipfile.ZipFile, file: Path) -> Backup:
    try:
        with _open_member(archive, MANIFEST, file) as source:
            return _parse_manifest(json.load(source), file)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _make_damage_error(file, error) from error


def _make_damage_error(file: Path, reason: object) -> UsageError:
    return UsageError(f"{file} is no backup, or is damaged: {reason}. Nothing was changed.")


def _parse_manifest(values: dict[str, Any], file: Path) -> Backup:
    if values.pop("format") > FORMAT:
        raise UsageError(f"{file} was written by a newer version of this program ({values['program']}): install it.")
    created_at = datetime.fromisoformat(values.pop("created_at"))
    archive = tuple(ArchiveFile(**each) for each in values.pop("archive"))
    for each in archive:  # the file may come from anywhere
        if not (is_warc_name(each.name) and isinstance(each.size, int) and isinstance(each.sha256, str)):
            raise ValueError(f"{each.name!r} is no file of an archive")
    for name, kind in (("counts", int), ("digests", str)):
        if not isinstance(values[name], dict) or not all(isinstance(each, kind) for each in values[name].values()):
            raise ValueError(f"{name!r} has other values than the program writes")
    removed, variables = tuple(values.pop("removed")), tuple(values.pop("variables"))
    for name in values["digests"]:
        is_known = name in (STORE, CONFIG, RULES) or TEMPLATE_MEMBER.fullmatch(name) or find_file_source(name)
        if not is_known:
            raise ValueError(f"{name!r} is no file of a backup")
    return Backup(created_at=created_at, archive=archive, removed=removed, variables=variables, **values)


def _open_member(archive: zipfile.ZipFile, name: str, file: Path) -> IO[bytes]:
    try:
        return archive.open(name)
    except KeyError as error:
        raise _make_damage_error(file, f"it lacks {name}") from error
    except RuntimeError as error:  # it is encrypted, or its compression is unknown
        raise _make_damage_error(file, error) from error


def _extract_member(archive: zipfile.ZipFile, name: str, target: Path, backup: Backup, file: Path) -> None:
    digest = hashlib.sha256()
    with _open_member(archive, name, file) as source, target.open("wb") as output:
        while chunk := source.read(COPY_CHUNK_BYTES):
            digest.update(chunk)
            output.write(chunk)
        output.flush()
        os.fsync(output.fileno())
    _raise_if_damaged(name, digest.hexdigest(), backup, file)


def _read_member(archive: zipfile.ZipFile, name: str, backup: Backup, file: Path) -> bytes:
    with _open_member(archive, name, file) as source:
        data = source.read()
    _raise_if_damaged(name, hashlib.sha256(data).hexdigest(), backup, file)
    return data


def _raise_if_damaged(name: str, digest: str, backup: Backup, file: Path) -> None:
    if digest != backup.digests.get(name):
        raise UsageError(f"{file} is damaged: {name} has another digest than it was written with. Nothing was changed.")


def _make_owner_folders(names: Iterable[str], folder: Path) -> None:
    """Make the folders of the owner's files. Raise UsageError if one of them cannot be written."""
    for path in sorted({(folder / name).parent for name in names} | {folder}):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--files {path} cannot be written: {error.strerror}. Nothing was changed.") from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise UsageError(f"--files {path} cannot be written: permission denied. Nothing was changed.")


def _write_owner_files(texts: Mapping[str, bytes], folder: Path) -> None:
    for name, data in texts.items():
        try:
            with open_atomic(folder / name, "--files", mode=PRIVATE_FILE_MODE) as output:
                output.write(data)
        except UsageError as error:
            raise CrawlerError(f"The store was restored, but not all files were written. {error}") from error
