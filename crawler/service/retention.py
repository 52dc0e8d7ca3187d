"""What `crawler store prune` removes: what the ages in `[retention]` allow, and nothing that somebody may still need.

Of an article that a subscriber was notified of, that a reader worked with, or whose story a person corrected, nothing
is removed: neither a text nor a file of the archive that has one of its records. Files are removed whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from crawler.archive.inventory import WARC_NAME, list_spooled_files
from crawler.archive.record_copy import find_record_places
from crawler.archive.removed_files import remove_file
from crawler.archive.warc_records import WarcRecord, read_records
from crawler.config import Config
from crawler.errors import ArchiveError, UsageError
from crawler.items import Article
from crawler.store import Store
from crawler.store.retention import TextAges, TextCount

FILES_PER_BATCH = 500
ProgressListener = Callable[[str, int, int | None], None]
"""Gets what is being done, how many are done, and how many there are (None: unknown)."""


@dataclass(slots=True, kw_only=True)
class PrunePlan:
    """What the policy removes. `text_counts` are by source, `files` maps each file of the archive to its size in bytes.

    `kept_files` counts the files that are old enough but have a record that is kept.
    """

    text_counts: list[TextCount] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    kept_files: int = 0
    cache_entries: int = 0
    runs: int = 0
    log_entries: int = 0

    @property
    def versions(self) -> int:
        """How many versions lose their text."""
        return sum(each.versions for each in self.text_counts)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.text_counts or self.files or self.cache_entries or self.runs or self.log_entries)


class Pruner:
    """Applies the policy of a configuration at one time (aware)."""

    def __init__(
        self, config: Config, store: Store, now: datetime, on_progress: ProgressListener = lambda *_: None
    ) -> None:
        self._root, self._policy, self._store = config.archive_dir, config.retention, store
        self._now, self._on_progress = now, on_progress
        if self._policy.archive and config.objects.address:
            raise UsageError("retention.archive cannot be combined with [objects]: files there are never deleted.")
        self._ages = TextAges(
            unmatched=self._get_start(self._policy.unmatched_texts),
            superseded=self._get_start(self._policy.superseded_versions),
        )

    def make_plan(self) -> PrunePlan:
        """Return what would be removed now."""
        plan, rows = PrunePlan(), self._store.retention
        self._on_progress("reading the store", 0, None)
        if self._ages != TextAges():
            plan.text_counts = rows.count_texts(self._ages)
        if before := self._get_start(self._policy.http_cache):
            plan.cache_entries = rows.count_cache_entries(before)
        if before := self._get_start(self._policy.runs):
            plan.runs = rows.count_runs(before)
        if before := self._get_start(self._policy.audit_log):
            plan.log_entries = rows.count_log_entries(before)
        if before := self._get_start(self._policy.archive):
            old = list_files_before(self._root, before)
            needed = self._find_needed_files(old)
            plan.files = {name: size for name, size in old.items() if name not in needed}
            plan.kept_files = len(old) - len(plan.files)
        return plan

    def remove(self, plan: PrunePlan) -> None:
        """Remove what a plan has. If this is interrupted, a new plan has the rest."""
        rows = self._store.retention
        if plan.text_counts:
            self._count("removing texts", rows.remove_texts(self._ages, self._now), plan.versions)
        names = list(plan.files)
        for start in range(0, len(names), FILES_PER_BATCH):
            batch = names[start : start + FILES_PER_BATCH]
            self._on_progress("removing files", start, len(names))
            rows.forget_records(batch)
            for name in batch:
                remove_file(self._root, name, self._now)
        for label, policy, delete, count in (
            ("deleting cache entries", self._policy.http_cache, rows.delete_cache_entries, plan.cache_entries),
            ("deleting runs", self._policy.runs, rows.delete_runs, plan.runs),
            ("deleting log entries", self._policy.audit_log, rows.delete_log_entries, plan.log_entries),
        ):
            if count and (before := self._get_start(policy)):
                self._count(label, delete(before), count)

    def _get_start(self, age: timedelta | None) -> datetime | None:
        return None if age is None else self._now - age

    def _count(self, label: str, batches: Iterator[int], total: int) -> None:
        done = 0
        self._on_progress(label, done, total)
        for count in batches:
            done += count
            self._on_progress(label, done, total)

    def _find_needed_files(self, old: dict[str, int]) -> set[str]:
        """Return the files with a record of a kept article, and those with a record to which one of these refers."""
        offsets: defaultdict[str, set[int]] = defaultdict(set)
        if not old:
            return set()
        for number, batch in enumerate(self._store.retention.iter_kept_versions()):
            self._on_progress("reading kept articles", number, None)
            for name, offset in (place for version in batch for place in list_record_places(version)):
                offsets[name].add(offset)
        sources = {name.partition("/")[0] for name in old}
        waiting = sorted(name for name in offsets if name.partition("/")[0] in sources)
        while waiting:
            name = waiting.pop()
            self._on_progress("reading kept files", len(offsets) - len(waiting), len(offsets))
            for referred, offset in find_referred_places(self._root / name, offsets[name]):
                if referred not in offsets:
                    waiting.append(referred)
                offsets[referred].add(offset)
        return set(offsets)


def list_files_before(root: Path, before: datetime) -> dict[str, int]:
    """Return the files of an archive whose day (UTC) was over before a time, with their sizes in bytes."""
    found = {}
    for path in list_spooled_files(root):
        day = WARC_NAME.fullmatch(path.name)
        assert day is not None
        if day["day"] < before.date().isoformat():  # a name may have a day that does not exist
            found[f"{path.parent.name}/{path.name}"] = path.stat().st_size
    return found


def list_record_places(version: Article) -> set[tuple[str, int]]:
    """Return file and offset of each record of the archive that proves a version."""
    places = set(find_record_places(version.provenance.get("verdict", "")))
    if version.snapshot and version.snapshot.file and version.snapshot.offset is not None:
        places.add((version.snapshot.file, version.snapshot.offset))
    return places


def find_referred_places(path: Path, offsets: Collection[int]) -> set[tuple[str, int]]:
    """Return file and offset of the originals of a file's revisit records.

    Of a damaged file, those of the records before the damage and of the records at `offsets`, which can be read alone.
    """
    places: set[tuple[str, int]] = set()
    try:
        for record in read_records(path):
            places.update(_list_referred_place(record))
    except ArchiveError:
        for offset in offsets:
            with suppress(ArchiveError, StopIteration):
                places.update(_list_referred_place(next(read_records(path, offset))))
    return places


def _list_referred_place(record: WarcRecord) -> Iterator[tuple[str, int]]:
    name, offset = (record.headers.get(f"warc-refers-to-{each}") for each in ("filename", "file-offset"))
    if record.kind == "revisit" and name:
        yield name, int(offset) if offset and offset.isdecimal() else 0
