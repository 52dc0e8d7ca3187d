"""Read archived pages again by today's page classes and rules, and compare them with the stored versions.

Each stored version names the record that it was read from. Every page is read once; of the versions that were read
from one page only the newest is compared. Versions before one that was reprocessed are history and are not compared.

Only an article's current version gets a reprocessed one. Each batch is written in one transaction, and what a killed
process had not written, the next one finds again.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from time import monotonic
from typing import NamedTuple

from crawler import spiders
from crawler.archive.removed_files import list_removed_files
from crawler.archive.snapshot_reader import read_snapshot_at
from crawler.archive.spooled_archive import open_archive
from crawler.config import Config
from crawler.errors import (
    ArchiveError,
    NotAnArticle,
    ObjectStorageError,
    PageChanged,
    SourceError,
    SourceLocked,
    choose_exit_code,
)
from crawler.extensions.lease import take_lease
from crawler.items import Article, SnapshotRef, Verdict, format_time
from crawler.keywords import Matcher, load_rules
from crawler.pages.base import find_same_article, read_snapshot
from crawler.pages.site import Reading
from crawler.pipelines.validate import find_flaw
from crawler.publish.evidence import get_program_name
from crawler.revisions.reprocessing import ReadingDifference, compare_readings
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.store import HEARTBEAT_SECONDS, ReprocessedArticle, Store, TextIndex
from crawler.text.dates import load_time_zone

VERSIONS_PER_BATCH = 50
"""Versions that one transaction writes. Other writers wait meanwhile."""


class StoredReading(NamedTuple):
    """A version to compare, and the record with its page. `is_current`: it is the article's current version."""

    ref: SnapshotRef
    article_id: str
    version: int
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDifference:
    """A stored version whose page is read otherwise today."""

    stored: Article
    reread: Article
    difference: ReadingDifference
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableVersion:
    """A stored version whose archived page yields no such article any more, and why."""

    article_id: str
    version: int
    reason: str


@dataclass(slots=True, kw_only=True)
class ReprocessReport:
    """What was compared of one source. `written` is the number of versions stored.

    `fields` counts the versions that differ, by field. `earlier` counts those of them that are not current: they stay
    as they were stored. `without_page` are versions that name no record of the archive. `damage` are records and files
    that cannot be read, with the number of versions that each holds. `lock` is who crawls the source: then nothing was
    read.
    """

    source: str
    pages: int = 0
    versions: int = 0
    differing: int = 0
    earlier: int = 0
    written: int = 0
    gained: int = 0
    lost: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    unreadable: list[UnreadableVersion] = field(default_factory=list)
    without_page: list[str] = field(default_factory=list)
    damage: Counter[str] = field(default_factory=Counter)
    lock: SourceLocked | None = None

    @property
    def compared_nothing(self) -> bool:
        """Whether the source has stored versions and the archive has a page of none of them."""
        return bool(self.without_page) and not (self.versions or self.unreadable or self.damage)

    @property
    def exit_code(self) -> int:
        """12 if something differs or cannot be read, 1 for an archive that is damaged or has no page, 15 if locked."""
        return choose_exit_code(
            (
                PageChanged.exit_code if self.differing or self.unreadable else 0,
                ArchiveError.exit_code if self.damage or self.compared_nothing else 0,
                self.lock.exit_code if self.lock else 0,
            )
        )

    def count_difference(self, found: VersionDifference) -> None:
        """Count a version that differs."""
        self.differing += 1
        self.earlier += not found.is_current
        self.fields.update(each.field for each in found.difference.fields)
        self.gained += len(found.difference.gained)
        self.lost += len(found.difference.lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReprocessScope:
    """Which versions to compare: those whose page was fetched from `since` to before `until` (aware)."""

    since: datetime | None = None
    until: datetime | None = None

    def includes(self, fetched_at: datetime | None) -> bool:
        """Return whether a page was fetched in the period. One of unknown time is in every period."""
        if fetched_at is None:
            return True
        return not ((self.since and fetched_at < self.since) or (self.until and fetched_at >= self.until))


@dataclass(frozen=True, slots=True)
class ReprocessListener:
    """Who is informed of progress: `on_difference` gets each version that differs, `on_file` each file's name."""

    on_difference: Callable[[VersionDifference], None] = lambda found: None
    on_file: Callable[[str], None] = lambda name: None


class Reprocessor:
    """Reads a source's archived pages again. Raise RuleError if the rules in force are unusable."""

    def __init__(
        self,
        config: Config,
        store: Store,
        *,
        scope: ReprocessScope | None = None,
        write: bool = False,
    ) -> None:
        self._config, self._store = config, store
        self._archive = open_archive(config.archive_dir, config.objects)
        self._scope, self._write = scope or ReprocessScope(), write
        self._listener = ReprocessListener()
        rules = load_rules(config.rules)
        self._matcher = Matcher(rules)
        now = format_time(datetime.now(UTC))
        self._note = f"read again on {now} by {get_program_name()} with the rules {rules.digest}"

    def reprocess_source(self, name: str, listener: ReprocessListener | None = None) -> ReprocessReport:
        """Compare a source's versions, and store those that differ if asked to. Return what was found.

        No crawl of the source can run meanwhile. Raise SourceLocked if another process took over the source.
        """
        report = ReprocessReport(source=name)
        self._listener = listener or ReprocessListener()
        try:
            lease = hold_lease(self._store, name, load_time_zone(self._config.timezone))
            with lease as keep_lease:
                self._compare_source(report, keep_lease)
        except SourceLocked as error:
            report.lock = error
        return report

    def _compare_source(self, report: ReprocessReport, keep_lease: Callable[[], None]) -> None:
        spider = spiders.load_spider(report.source)
        self._site, self._url_mapping = spider.make_site(self._config), spider.make_url_mapping(self._config)
        batch: list[ReprocessedArticle] = []
        readings = sorted(self._list_readings(report, keep_lease), key=lambda each: _get_place(each.ref))
        file = None
        for _, group in groupby(readings, key=lambda each: _get_place(each.ref)):
            versions = list(group)
            if versions[0].ref.file != file:
                file = versions[0].ref.file
                self._listener.on_file(str(file))
            keep_lease()
            for found in self._compare_page(report, versions):
                report.count_difference(found)
                self._listener.on_difference(found)
                if self._write and found.is_current:
                    batch.append(_make_reprocessed(found))
            if len(batch) >= VERSIONS_PER_BATCH:
                report.written += self._store.articles.save_reprocessed(batch)
                batch.clear()
        keep_lease()
        report.written += self._store.articles.save_reprocessed(batch)

    def _list_readings(self, report: ReprocessReport, keep_lease: Callable[[], None]) -> Iterator[StoredReading]:
        """Yield the versions to compare. Report those that have no archived page."""
        removed = list_removed_files(self._config.archive_dir)
        for versions in self._store.versions.iter_by_source(report.source):
            keep_lease()
            seen: set[tuple[str, int, str]] = set()
            for version, page in _list_with_pages(versions):
                ref = page.snapshot
                if not self._scope.includes(page.fetched_at) or version.text_removed_at:
                    continue
                if ref is None or ref.file is None or ref.offset is None or ref.file in removed:
                    report.without_page.append(f"{version.id} version {version.version}")
                elif _get_place(ref) not in seen:
                    seen.add(_get_place(ref))
                    yield StoredReading(ref, version.id, version.version or 1, version is versions[-1])

    def _compare_page(self, report: ReprocessReport, versions: Sequence[StoredReading]) -> Iterator[VersionDifference]:
        """Yield the versions of one page that differ."""
        folder = self._config.archive_dir
        if self._config.objects.address is None and not folder.is_dir():
            report.damage[f"There is no archive in {folder}."] += len(versions)
            return
        try:
            snapshot = read_snapshot_at(self._archive, versions[0].ref)
        except ObjectStorageError:
            raise  # no damage, and every further page would fail too
        except ArchiveError as error:
            report.damage[str(error)] += len(versions)
            return
        report.pages += 1
        try:
            reading = read_snapshot(replace(snapshot, url=self._url_mapping.to_public_url(snapshot.url)), self._site)
        except (SourceError, NotAnArticle) as error:
            reading = None
            reason = str(error)
        for version in versions:
            stored = self._store.articles.get(version.article_id, version.version)
            if stored is None:
                continue
            report.versions += 1
            reread = None
            if reading is not None:
                reread, reason = self._find_article(reading, stored)
            if reread is None:
                report.unreadable.append(
                    UnreadableVersion(article_id=stored.id, version=version.version, reason=reason)
                )
                continue
            reread = self._complete_article(reread, stored, version.ref)
            if difference := compare_readings(stored, reread):
                yield VersionDifference(
                    stored=stored, reread=reread, difference=difference, is_current=version.is_current
                )

    def _find_article(self, reading: Reading, stored: Article) -> tuple[Article | None, str]:
        """Return a version's article as the page yields it today, or None and the reason."""
        article = find_same_article(reading.articles, stored)
        if article is not None:
            if flaw := find_flaw(article):
                return None, str(PageChanged(*flaw, article.url))
            if article.is_damaged and not stored.is_damaged:
                # As in a crawl: a damaged text replaces no sound one.
                flags = ", ".join(article.flags)
                return None, f"{article.url}: the archived page is damaged ({flags}), as it is read today."
            return article, ""
        for problem in reading.problems:
            address = self._site.identify(problem.url) if problem.url else None
            if address is not None and address.native_id == stored.native_id:
                return None, str(problem)
        return None, f"{stored.url}: {reading.page_class} no longer finds this article on its archived page."

    def _complete_article(self, reread: Article, stored: Article, ref: SnapshotRef) -> Article:
        """Return the article with its matches, and with what a page does not say."""
        is_own_page = stored.verdict is not Verdict.UNPUBLISHED
        return replace(
            reread,
            matches=self._matcher.find_matches(reread.texts, language=reread.language, source=reread.source),
            fetched_at=stored.fetched_at if is_own_page else reread.fetched_at,
            copy_of=stored.copy_of,
            snapshot=ref,
            provenance={**reread.provenance, "verdict": self._note},
        )


@contextmanager
def hold_lease(store: Store, source: str, timezone: tzinfo) -> Iterator[Callable[[], None]]:
    """Hold a source's lease in the block. The function that the block gets renews it; call it every few seconds.

    Raise SourceLocked if the source is being crawled. The function raises it if the lease was lost.
    """
    holder, renewed_at = uuid.uuid4().hex, monotonic()
    take_lease(store, source, holder, timezone)

    def keep_lease() -> None:
        nonlocal renewed_at
        if monotonic() - renewed_at < HEARTBEAT_SECONDS:
            return
        renewed_at = monotonic()
        if not store.leases.renew(source, holder):
            raise SourceLocked(
                f"{source}: another process has taken over the source. Run `crawler reprocess {source}` again."
            )

    try:
        yield keep_lease
    finally:
        store.leases.release(source, holder)


def _list_with_pages(versions: Sequence[Article]) -> list[tuple[Article, Article]]:
    """Return each version with the version whose page has its text: an unpublished one has the text before it.

    The newest is first. Those before a version that was reprocessed are not listed.
    """
    pairs: list[tuple[Article, Article]] = []
    page = versions[0]
    for version in versions:
        page = page if version.verdict is Verdict.UNPUBLISHED else version
        if version.verdict is Verdict.REPROCESSED:
            pairs.clear()
        pairs.append((version, page))
    return pairs[::-1]


def _get_place(ref: SnapshotRef) -> tuple[str, int, str]:
    return ref.file or "", ref.offset or 0, ref.digest


def _make_reprocessed(found: VersionDifference) -> ReprocessedArticle:
    text = TextIndex(hash_revision(found.reread), hash_body(found.reread))
    return ReprocessedArticle(found.reread, found.stored, text)
