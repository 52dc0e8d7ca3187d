"""Articles that are on no list any more, of a source that gives its texts by lists alone.

What is younger than the oldest entry that a run read must be among its entries. What is stored and is not is noted;
when a later run, half an hour on or more, finds it nowhere over the longest age of `revisits`, it gets the version
*unpublished*. Where a good part of a list is missing at once, it is the list that changed. Once a day the lists are
read back that far anyhow, so that corrections and withdrawals are seen so long; to `watched` articles in each run.
Without `revisits` nothing is looked back at, and nothing is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from crawler.errors import PageChanged
from crawler.items import Article, Verdict
from crawler.middlewares.recrawl import (
    MIN_MASS_REMOVAL,
    format_evidence,
    list_suspected_gone,
    make_unpublished_version,
    save_suspected_gone,
)
from crawler.pages.base import get_missing_translation
from crawler.source import CoveredPage, FullTextListingSpider, ListingCoverage
from crawler.store import ArticleState, Store

READ_BACK_INTERVAL = timedelta(days=1)
MIN_ABSENCE = timedelta(minutes=30)
"""Between two looks that find an article missing: an old answer may come for a while."""
DATE_MARGIN = timedelta(hours=12)
"""How much younger than the oldest entry read an article must be: its time may have been read by another setting."""
MAX_READ_BACKS_PER_DAY = 6
"""Looks back in a day at most, for whatever reason."""


class DeletionPolicy:
    """One run's look at what its lists lack; `now` is when the run began."""

    def __init__(self, store: Store, spider: FullTextListingSpider, now: datetime) -> None:
        self.store, self.spider, self.now = store, spider, now
        self.oldest_checked = now - max(spider.options.revisits, default=timedelta())
        self.suspected = {each.url: each for each in list_suspected_gone(store, spider.name)}
        self.newly_missing: list[tuple[str, str, datetime]] = []
        self.settled_urls: set[str] = {url for url in self.suspected if not self._is_open(url)}
        self.is_active = self.oldest_checked < now and not (
            spider.is_single_url or spider.since or spider.limit or spider.url
        )
        self.is_reading_back = self.is_active and self._is_read_back_due()

    def get_read_back_limit(self) -> datetime | None:
        """The time to which this run reads its lists back, None when it need not."""
        if not self.is_active:
            return None
        if self.is_reading_back:
            self.spider.increment_stat("read_back_begun")
            return self.oldest_checked
        found = [known.published_at for known in self._list_watched() if known.published_at]
        return min(found) - DATE_MARGIN if found else None

    def find_deleted(self, coverage: Mapping[str, ListingCoverage]) -> Iterator[Article]:
        """After the last page: the versions to store for articles that are missing again."""
        if not self.is_active or self.spider.has_failed_listing or self.spider.has_given_up:
            return
        if self.is_reading_back:
            self.spider.increment_stat("read_back")
        for name, found in coverage.items():
            if found.pages:
                yield from self._find_deleted_on(name, found, coverage)

    def save_findings(self, *, dry: bool) -> None:
        """Keep what was found missing once, and what is there again: once, at the end of a run."""
        if dry:
            return
        with self.store.transaction():
            save_suspected_gone(
                self.store, self.spider.name, self.newly_missing, self.settled_urls & self.suspected.keys()
            )

    def _find_deleted_on(
        self, name: str, found: ListingCoverage, lists: Mapping[str, ListingCoverage]
    ) -> Iterator[Article]:
        """What is missing on one list; nothing, and a problem, where that is a good part of it."""
        absent, there = [], 0
        for known in self.store.articles.list_published_since(self.spider.name, found.oldest):
            if known.language != name or known.verdict is Verdict.UNPUBLISHED:
                continue
            if not self.spider.can_be_listed(known.native_id):
                continue
            if known.native_id in found.ids or known.id in self.spider.read_article_ids:
                self.settled_urls.add(known.url)
                there += 1
            elif page := self._find_page(known, found, lists):
                absent.append((known, page))
        if len(absent) >= MIN_MASS_REMOVAL and len(absent) > there:
            what = f"{len(absent)} of {len(absent) + there} missing"
            origin = self.spider.origins[0]
            self.spider.report_problem(PageChanged("links", f"known articles on the list in {name}", what, origin))
            return
        for known, page in absent:
            yield from self._handle_missing(known, page)

    def _find_page(
        self, known: ArticleState, own: ListingCoverage, lists: Mapping[str, ListingCoverage]
    ) -> CoveredPage | None:
        """The page on which an article should stand, None where none that was read need hold it. The list is that of
        its language, or, of a text that stood on another one for want of a translation, that one."""
        if known.published_at is None or known.published_at <= own.oldest + DATE_MARGIN:
            return None
        stored = self.store.articles.get(known.id)
        other = get_missing_translation(stored) if stored else None
        found = lists.get(other) if other else own
        if found is None or not found.pages or known.published_at <= found.oldest + DATE_MARGIN:
            return None
        return found.find_page(known.published_at)

    def _handle_missing(self, known: ArticleState, page: CoveredPage) -> Iterator[Article]:
        at = page.response.meta.get("fetched_at") or datetime.now(UTC)
        found = format_evidence("not on the list", page.response)
        earlier = self.suspected.get(known.url)
        if earlier is None:
            self.newly_missing.append((known.url, found, at))
            self.spider.increment_stat("gone_once")
        elif self._is_overdue(known.url) and self._has_read_back():
            self.settled_urls.add(known.url)
            yield make_unpublished_version(self.store, known, page.response, at, (earlier, found))

    def _has_read_back(self) -> bool:
        """Whether this run read back as far as it was to: else the article may stand behind what was read."""
        stats = self.spider.crawler.stats
        return self.is_reading_back and not (stats and stats.get_value("crawler/read_back_failed"))

    def _is_overdue(self, url: str) -> bool:
        """Whether an article was found missing long enough ago to be looked for everywhere."""
        return self.suspected[url].first_at <= self.now - MIN_ABSENCE

    def _is_open(self, url: str) -> bool:
        """Whether it is still asked what became of the article at an address: not once it is unpublished, or older than
        what is looked at, or on no list that is read."""
        known = self._find_known(url)
        if (
            known is None
            or known.verdict is Verdict.UNPUBLISHED
            or known.language not in self.spider.get_listing_names()
        ):
            return False
        return known.published_at is not None and known.published_at > self.oldest_checked

    def _find_known(self, url: str) -> ArticleState | None:
        address = self.spider.site.identify(url)
        ids = [address.native_id] if address else []
        found = self.store.articles.get_states(self.spider.name, ids)
        return next((known for many in found.values() for known in many if known.url == url), None)

    def _list_watched(self) -> Iterator[ArticleState]:
        """Watched articles not older than what the daily look reaches."""
        watched = self.spider.options.watched
        named = [address.native_id for url in watched if (address := self.spider.site.identify(url))]
        for many in self.store.articles.get_states(self.spider.name, {*named, *watched}).values():
            yield from (known for known in many if known.published_at and known.published_at > self.oldest_checked)

    def _is_read_back_due(self) -> bool:
        """Whether an article is to be looked for, or the last look is a day ago; what a source known for less than a
        day has, it was seen with."""
        recent = self.store.runs.list_started_between(
            self.spider.name, self.now - READ_BACK_INTERVAL, self.now, mode="live"
        )
        if sum(bool(run.counts.get("read_back_begun")) for run in recent) >= MAX_READ_BACKS_PER_DAY:
            return False
        if any(self._is_overdue(url) for url in self.suspected.keys() - self.settled_urls):
            return True
        if any(run.counts.get("read_back") for run in recent):
            return False
        stored = self.store.articles.list_published_since(self.spider.name, self.oldest_checked)
        return any(known.first_seen_at < self.now - READ_BACK_INTERVAL for known in stored)
