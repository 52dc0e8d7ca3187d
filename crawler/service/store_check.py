"""Everything that should never be in a store, with the archive beside it, and what to do about each finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from crawler.archive.inventory import WARC_NAME
from crawler.archive.removed_files import list_removed_files
from crawler.archive.snapshot_reader import read_snapshot_at
from crawler.archive.spooled_archive import ArchiveRoot, SpooledArchive, get_local_path, resolve_archive_file
from crawler.errors import ArchiveError, ObjectStorageError, StoreError
from crawler.items import SnapshotRef
from crawler.store import Store
from crawler.store.integrity import MAX_EXAMPLES, FindingKind, StoreFinding, list_references
from crawler.store.serialization import parse_article

ProgressListener = Callable[[str, int, int | None], None]
RESTORE = "Restore a backup with `crawler store restore`, or make the store again with `crawler store rebuild`."
REINDEX = "Make the index again with `crawler store reindex`."
COPY_FILE = "Copy the file from where you keep a copy of the archive."
UPLOAD_FILE = "With object storage, run `crawler archive upload` on the machine that wrote it."
UPLOAD_TIME = timedelta(days=2)
"""With object storage, a missing file whose day began later may wait for its upload on the machine that wrote it."""
ADVICE = {
    FindingKind.DATABASE: f"Copy the store away first, and check the disk. {RESTORE}",
    FindingKind.ARTICLE_WITHOUT_VERSION: RESTORE,
    FindingKind.CURRENT_VERSION_MISSING: RESTORE,
    FindingKind.VERSION_UNREADABLE: RESTORE,
    FindingKind.DANGLING_REFERENCE: RESTORE,
    FindingKind.VERSION_NOT_INDEXED: REINDEX,
    FindingKind.INDEX_WITHOUT_TEXT: REINDEX,
    FindingKind.WORD_NOT_LISTED: REINDEX,
    FindingKind.RUN_OF_DEAD_PROCESS: "The next run of the source closes it: `crawler crawl {place}`.",
    FindingKind.ARCHIVE_FILE_MISSING: f"{COPY_FILE} {UPLOAD_FILE}",
    FindingKind.ARCHIVE_FILE_TOO_SHORT: COPY_FILE,
    FindingKind.ARCHIVE_RECORD_DAMAGED: COPY_FILE,
}
SENTENCES = {
    FindingKind.DATABASE: "The database reports damage: {examples}.",
    FindingKind.ARTICLE_WITHOUT_VERSION: "No version is stored of {count}: {examples}.",
    FindingKind.CURRENT_VERSION_MISSING: "The current version is not stored of {count}: {examples}.",
    FindingKind.VERSION_UNREADABLE: "The row of {count} cannot be read: {examples}.",
    FindingKind.DANGLING_REFERENCE: "A row that does not exist is named by {count} ({place}): {examples}.",
    FindingKind.VERSION_NOT_INDEXED: "The full-text index lacks {count}: {examples}.",
    FindingKind.INDEX_WITHOUT_TEXT: "The full-text index has no text of {count}: {examples}.",
    FindingKind.WORD_NOT_LISTED: "The list of the full-text index's words lacks {count}: {examples}.",
    FindingKind.RUN_OF_DEAD_PROCESS: "{place} has {count} without an end, whose process has ended: {examples}.",
    FindingKind.ARCHIVE_FILE_MISSING: "The archive file {place} does not exist. It is named by {count}: {examples}.",
    FindingKind.ARCHIVE_FILE_TOO_SHORT: "The archive file {place} ends before the records of {count}: {examples}.",
    FindingKind.ARCHIVE_RECORD_DAMAGED: "The archive file {place} has no such record for {count}: {examples}.",
}
COUNTED = {
    FindingKind.ARTICLE_WITHOUT_VERSION: "article",
    FindingKind.CURRENT_VERSION_MISSING: "article",
    FindingKind.INDEX_WITHOUT_TEXT: "version",
    FindingKind.WORD_NOT_LISTED: "word",
    FindingKind.VERSION_NOT_INDEXED: "version",
    FindingKind.RUN_OF_DEAD_PROCESS: "run",
    FindingKind.DANGLING_REFERENCE: "row",
}
"""What a finding counts, if it is not versions with their records."""


@dataclass(slots=True)
class _FileProblem:
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        self.count += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(example)


class StoreChecker:
    """Checks a store and the archive below `root`. `with_records`: also read every record and compare its digest.

    The objects of each source are listed once. Raise ObjectStorageError, after what the database lacks, if they cannot.
    """

    def __init__(
        self,
        store: Store,
        root: ArchiveRoot,
        *,
        with_records: bool = False,
        on_progress: ProgressListener = lambda *_: None,
    ) -> None:
        self._store, self._root, self._with_records = store, root, with_records
        self._folder = root.folder if isinstance(root, SpooledArchive) else root
        self._on_progress = on_progress
        self._problems: dict[tuple[FindingKind, str], _FileProblem] = {}
        self._sizes: dict[str, int | None] = {}
        self._objects: dict[str, dict[str, int]] = {}
        self._uploaded_before = (datetime.now(UTC) - UPLOAD_TIME).date()

    def iter_findings(self) -> Iterator[StoreFinding]:
        """Yield what is wrong. If the database is damaged, what can no longer be read is not checked."""
        rows = self._store.integrity
        self._on_progress("checking the database", 0, None)
        damage = rows.check_database()
        if damage is not None:
            yield damage
        try:
            yield from self._check_rows()
            yield from self._check_archive()
        except StoreError:
            if damage is None:
                raise

    def _check_rows(self) -> Iterator[StoreFinding]:
        rows, references = self._store.integrity, list_references()
        self._on_progress("checking versions", 0, None)
        yield from rows.check_versions()
        for number, reference in enumerate(references):
            self._on_progress(f"checking {reference.name}", number, len(references))
            yield from rows.check_reference(reference)
        self._on_progress("checking the full-text index", 0, None)
        yield from rows.check_index()
        dead = rows.list_runs_of_dead_processes()
        for source, count in Counter(run.source for run in dead).items():
            examples = [f"run {run.id}, process {run.pid} on {run.host}" for run in dead if run.source == source]
            yield StoreFinding(
                kind=FindingKind.RUN_OF_DEAD_PROCESS,
                place=source,
                count=count,
                examples=tuple(examples[:MAX_EXAMPLES]),
            )

    def _check_archive(self) -> Iterator[StoreFinding]:
        """Yield versions that cannot be read, and files that lack records which versions name.

        Files that the retention policy removed may lack.
        """
        removed, done, total = list_removed_files(self._folder), 0, self._store.integrity.count_versions()
        for batch in self._store.integrity.iter_record_references():
            self._on_progress("checking archive records", done, total)
            for each in batch:
                name = f"{each.article_id} version {each.version}"
                try:
                    ref = parse_article(each.article).snapshot
                except (ValueError, TypeError, KeyError, AttributeError):
                    self._add(FindingKind.VERSION_UNREADABLE, "versions", name)
                    continue
                if ref and ref.file and ref.offset is not None and ref.file not in removed:
                    self._check_record(ref, name)
            done += len(batch)
        for file in self._store.integrity.list_cached_files():
            if file not in removed and self._get_size(file) is None:
                self._add_missing(file, "the HTTP cache")
        for (kind, file), problem in sorted(self._problems.items()):
            yield StoreFinding(kind=kind, place=file, count=problem.count, examples=tuple(problem.examples))

    def _check_record(self, ref: SnapshotRef, name: str) -> None:
        assert ref.file is not None
        assert ref.offset is not None
        size = self._get_size(ref.file)
        if size is None:
            self._add_missing(ref.file, name)
        elif ref.offset >= size:
            self._add(FindingKind.ARCHIVE_FILE_TOO_SHORT, ref.file, name)
        elif self._with_records:
            try:
                read_snapshot_at(self._root, ref)
            except ObjectStorageError:
                raise
            except ArchiveError as error:
                if not error.is_removed:
                    self._add(FindingKind.ARCHIVE_RECORD_DAMAGED, ref.file, f"{name} ({error})")

    def _get_size(self, file: str) -> int | None:
        """Return the size of a file of the archive in bytes, or None if there is no such file."""
        if file not in self._sizes:
            try:
                self._sizes[file] = get_local_path(resolve_archive_file(self._root, file)).stat().st_size
            except ArchiveError:  # the name leads out of the archive
                self._sizes[file] = None
            except OSError:
                self._sizes[file] = self._list_objects(file.partition("/")[0]).get(file)
        return self._sizes[file]

    def _list_objects(self, source: str) -> dict[str, int]:
        """Return the sizes of a source's objects, none without object storage."""
        if source not in self._objects:
            root = self._root
            self._objects[source] = root.storage.list_sizes(source) if isinstance(root, SpooledArchive) else {}
        return self._objects[source]

    def _add_missing(self, file: str, example: str) -> None:
        """Add a missing file, unless another machine may still have to upload it."""
        day = WARC_NAME.fullmatch(file.rpartition("/")[2])
        is_local = not isinstance(self._root, SpooledArchive)
        if is_local or not day or date.fromisoformat(day["day"]) < self._uploaded_before:
            self._add(FindingKind.ARCHIVE_FILE_MISSING, file, example)

    def _add(self, kind: FindingKind, file: str, example: str) -> None:
        self._problems.setdefault((kind, file), _FileProblem()).add(example)


def format_finding(finding: StoreFinding) -> str:
    """Return what is wrong and what to do, as sentences."""
    from crawler.text.counts import format_count

    more = finding.count - len(finding.examples)
    examples = ", ".join(finding.examples) + (f" and {more} more" if more > 0 else "")
    count = format_count(finding.count, COUNTED.get(finding.kind, "version"))
    sentence = SENTENCES[finding.kind].format(count=count, place=finding.place, examples=examples)
    return f"{sentence} {ADVICE[finding.kind].format(place=finding.place)}"
