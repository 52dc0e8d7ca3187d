"""Find articles that are on no list any more, for a source whose articles come with its lists.

An article that is newer than the oldest entry which a run read must be among the run's entries. A stored article that
is missing is recorded. When a later run, at least half an hour later, finds it nowhere within the longest age of
`revisits`, the article gets the version *unpublished*. Where a large part of a list is missing at once, the list itself
changed, and a problem is reported.

Once a day the lists are read back over that whole time, so that edits and removals are seen. Every run reads back to
`watched` articles. Without `revisits` no list is read back and nothing counts as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import RunContext
from crawler.errors import PageChanged
from crawler.items import Article, Verdict
from crawler.middlewares.recrawl import (
    MIN_MASS_REMOVAL,
    Absence,
    format_evidence,
    list_suspected_gone,
    make_unpublished_version,
    save_suspected_gone,
)
from crawler.monitoring.run_counts import RunCount
from crawler.spiders.listing_coverage import CoveredPage, FullTextListingSpider, ListingCoverage
from crawler.store import ArticleState

READ_BACK_INTERVAL = timedelta(days=1)
MIN_ABSENCE = timedelta(minutes=30)
"""Shortest time between two runs that miss an article: a cache may serve an old list for a while."""
DATE_MARGIN = timedelta(hours=12)
"""How much newer than the oldest entry an article must be: `created_date` may have been configured otherwise then."""
MAX_READ_BACKS_PER_DAY = 6


class DeletionPolicy:
    """What one run misses on its lists. `now` is when the run began."""

    def __init__(self, context: RunContext, spider: FullTextListingSpider, now: datetime) -> None:
        self._context, self._store, self._spider, self._now = context, context.store, spider, now
        self._oldest_checked = now - max(spider.options.revisits, default=timedelta())
        self._suspected = {each.url: each for each in list_suspected_gone(self._store, spider.name)}
        self._newly_missing: list[Absence] = []
        self._settled_urls: set[str] = {url for url in self._suspected if not self._is_open(url)}
        is_whole_run = not (spider.is_single_url or spider.since or spider.limit or spider.url)
        self._is_active = self._oldest_checked < now and is_whole_run
        self._is_reading_back = self._is_active and self._is_read_back_due()
        self.read_back_until = self._get_read_back_limit()
        """The publication time to which this run reads its lists back, None for no further than known articles."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the policy for `RunContext.deletion_policy`; raise NotConfigured where articles have own addresses."""
        if not isinstance(crawler.spider, FullTextListingSpider):
            raise NotConfigured
        context = RunContext.from_source_run(crawler)
        return cls(context, crawler.spider, context.started_at)

    def _get_read_back_limit(self) -> datetime | None:
        if not self._is_active:
            return None
        if self._is_reading_back:
            self._context.increment_stat(RunCount.READ_BACK_BEGUN)
            return self._oldest_checked
        times = [known.published_at for known in self._list_watched() if known.published_at]
        return min(times) - DATE_MARGIN if times else None

    def find_deleted(self, coverage: Mapping[str, ListingCoverage]) -> Iterator[Article]:
        """Yield the versions to store for articles that are missing again. Called after the last page of all lists."""
        if not self._is_active or self._context.has_failed_listing or self._context.has_given_up:
            return
        if self._is_reading_back:
            self._context.increment_stat(RunCount.READ_BACK)
        for language, listing in coverage.items():
            if listing.pages:
                yield from self._find_deleted_on(language, listing, coverage)

    def save_findings(self) -> None:
        """Store what is missing for the first time, and delete what was found again or settled."""
        if not self._context.can_write:
            return
        settled = self._settled_urls & self._suspected.keys()
        with self._store.transaction():
            save_suspected_gone(self._store, self._context.source, self._newly_missing, settled)

    def _find_deleted_on(
        self, language: str, listing: ListingCoverage, coverage: Mapping[str, ListingCoverage]
    ) -> Iterator[Article]:
        """Yield versions for what is missing on one list. Report a problem instead where that is most of the list."""
        missing, found_count = [], 0
        for known in self._store.articles.list_published_since(self._context.source, listing.oldest):
            if known.language != language or known.verdict is Verdict.UNPUBLISHED:
                continue
            if not self._spider.can_be_listed(known.native_id):
                continue
            if known.native_id in listing.ids or known.id in self._spider.read_article_ids:
                self._settled_urls.add(known.url)
                found_count += 1
            elif page := self._find_page(known, listing, coverage):
                missing.append((known, page))
        if len(missing) >= MIN_MASS_REMOVAL and len(missing) > found_count:
            found = f"{len(missing)} of {len(missing) + found_count} missing"
            selector, origin = f"known articles on the list in {language}", self._spider.origins[0]
            self._context.report_problem(PageChanged("links", selector, found, origin))
            return
        for known, page in missing:
            yield from self._handle_missing(known, page)

    def _find_page(
        self, known: ArticleState, own: ListingCoverage, coverage: Mapping[str, ListingCoverage]
    ) -> CoveredPage | None:
        """Return the page that must show an article, None where no page of the run has to.

        The list is that of the article's language; for an untranslated text, the list on which it was found.
        """
        if known.published_at is None or known.published_at <= own.oldest + DATE_MARGIN:
            return None
        stored = self._store.articles.get(known.id)
        other_language = stored.requested_language if stored else None
        listing = coverage.get(other_language) if other_language else own
        if listing is None or not listing.pages or known.published_at <= listing.oldest + DATE_MARGIN:
            return None
        return listing.find_page(known.published_at)

    def _handle_missing(self, known: ArticleState, page: CoveredPage) -> Iterator[Article]:
        fetched_at = RequestMeta.from_request(page.response).fetched_at or datetime.now(UTC)
        absence = Absence(known.url, format_evidence("not on the list", page.response), fetched_at)
        first = self._suspected.get(known.url)
        if first is None:
            self._newly_missing.append(absence)
            self._context.increment_stat("gone_once")
        elif self._is_overdue(known.url) and self._has_read_back():
            self._settled_urls.add(known.url)
            yield make_unpublished_version(self._store, known, page.response, first, absence)

    def _has_read_back(self) -> bool:
        """Whether this run read back as far as planned: else the article may be behind the last page."""
        return self._is_reading_back and not self._context.get_stat(RunCount.READ_BACK_FAILED)

    def _is_overdue(self, url: str) -> bool:
        """Whether an article was missed long enough ago to be looked for on all pages."""
        return self._suspected[url].first_at <= self._now - MIN_ABSENCE

    def _is_open(self, url: str) -> bool:
        """Whether a suspected article may still be found: not if unpublished, too old, or on no list of the run."""
        known = self._find_known(url)
        if known is None or known.verdict is Verdict.UNPUBLISHED or known.published_at is None:
            return False
        return known.language in self._spider.get_listing_names() and known.published_at > self._oldest_checked

    def _find_known(self, url: str) -> ArticleState | None:
        address = self._spider.site.identify(url)
        states = self._store.articles.get_states(self._context.source, [address.native_id] if address else [])
        return next((known for versions in states.values() for known in versions if known.url == url), None)

    def _list_watched(self) -> Iterator[ArticleState]:
        """Yield the watched articles that are not too old for the daily read-back."""
        watched = self._spider.options.watched
        native_ids = [address.native_id for url in watched if (address := self._spider.site.identify(url))]
        for versions in self._store.articles.get_states(self._context.source, {*native_ids, *watched}).values():
            yield from (known for known in versions if known.published_at and known.published_at > self._oldest_checked)

    def _is_read_back_due(self) -> bool:
        """Whether a missing article must be looked for, or the last read-back was more than a day ago.

        A source that is known for less than a day needs none: its lists were read then.
        """
        day_ago = self._now - READ_BACK_INTERVAL
        recent = self._store.runs.list_started_between(self._context.source, day_ago, self._now, mode="live")
        if sum(bool(run.counts.get(RunCount.READ_BACK_BEGUN)) for run in recent) >= MAX_READ_BACKS_PER_DAY:
            return False
        if any(self._is_overdue(url) for url in self._suspected.keys() - self._settled_urls):
            return True
        if any(run.counts.get(RunCount.READ_BACK) for run in recent):
            return False
        known_articles = self._store.articles.list_published_since(self._context.source, self._oldest_checked)
        return any(known.first_seen_at < day_ago for known in known_articles)
