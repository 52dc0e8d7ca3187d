"""Which known articles a run requests again, and what it means when a page is gone.

A listed article is requested in each run while it is `fresh` (a day, unless configured). Later, listed or not, it is
due once after each age in `revisits` (1 h, 6 h, 24 h, 3 d, 10 d, 30 d since first seen): at most `revisits_per_run` a
run, the newest first. Articles in `watched` are always due. Requests are conditional.

The first answer 404 or 410 of a page is recorded, and the first permanent redirect (301, 308) to a list or a page above
it, such as the front page. When a later run gets it again, the article gets the version *unpublished*. Until then, and
after, the page is requested without conditions: a page that comes back unchanged must not hide behind a 304. Where most
known pages are gone at once, the site changed its addresses, and nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple, Self

from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.archive.record_copy import format_record_place
from crawler.context.request_meta import RequestMeta, get_requested_url
from crawler.context.run_context import RunContext
from crawler.errors import PageChanged
from crawler.items import Article, SnapshotRef, Verdict, format_time
from crawler.spiders.base import SourceSpider
from crawler.store import ArticleState, FetchFailure, Store

CONDITIONAL_HEADERS = ("If-None-Match", "If-Modified-Since")
"""Headers that request a page only if it changed."""
GONE_KIND = "Gone"
"""The kind of a stored fetch failure: a page that was gone once."""
MIN_MASS_REMOVAL = 5
"""Fewest pages gone in one run that may mean that the site changed its addresses."""


class Absence(NamedTuple):
    """An article that a run did not find."""

    url: str
    evidence: str
    """What the site answered, and where the answer is archived."""
    seen_at: datetime


def is_recrawl_due(first_seen: datetime, last_seen: datetime, now: datetime, ages: Sequence[timedelta]) -> bool:
    """Whether the article has reached one of the ages and was not seen since.

    >>> day = datetime(2026, 3, 6, tzinfo=UTC)
    >>> ages = [timedelta(hours=1), timedelta(hours=6)]
    >>> [is_recrawl_due(day, day, day + timedelta(hours=hours), ages) for hours in (0, 2)]
    [False, True]
    >>> [is_recrawl_due(day, day + timedelta(hours=seen), day + timedelta(hours=7), ages) for seen in (2, 6)]
    [True, False]
    """
    return any(first_seen + age <= now and last_seen < first_seen + age for age in ages)


class RecrawlPolicy:
    """What one run requests again of the articles that the store has. `now` is when the run began."""

    def __init__(self, context: RunContext, spider: SourceSpider, now: datetime) -> None:
        self._context, self._store, self._spider = context, context.store, spider
        self._options, self._now = spider.options, now
        self._recrawls_left = self._options.revisits_per_run
        self._decisions: dict[str, bool] = {}
        self._seen_at: dict[str, datetime] = {}
        self._newly_gone: dict[str, Absence] = {}
        self._settled_ids: set[str] = set()
        self._watched_ids = {self._get_native_id(each) or each for each in self._options.watched}
        # After a change of `identify` a stored address may name no article any more.
        self._suspected = {
            native_id: each
            for each in list_suspected_gone(self._store, spider.name)
            if (native_id := self._get_native_id(each.url))
        }

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the policy of a source's run, for `RunContext.recrawl_policy`."""
        assert isinstance(crawler.spider, SourceSpider)
        context = RunContext.from_source_run(crawler)
        return cls(context, crawler.spider, context.started_at)

    def _get_native_id(self, url: str) -> str | None:
        address = self._spider.site.identify(url)
        return address.native_id if address else None

    def _list_known(self, native_id: str) -> list[ArticleState]:
        """Return the stored articles with a native id: one per language."""
        return self._context.known_articles.list_states(self._context.source, native_id)

    # --- before the request

    def load_known(self, urls: Iterable[str]) -> None:
        """Read what the store has of these addresses, in one query instead of one at each request."""
        native_ids = [native_id for url in urls if (native_id := self._get_native_id(url))]
        self._context.known_articles.load(self._context.source, native_ids)

    def is_new(self, url: str) -> bool:
        """Whether the address names an article that the store does not have."""
        native_id = self._get_native_id(url)
        return native_id is not None and not self._list_known(native_id)

    def claim_if_due(self, url: str) -> bool:
        """Return whether a listed address is to be requested, and spend one of the run's recrawls where it is one.

        A second call for the same article returns the same and spends nothing.
        """
        native_id = self._get_native_id(url)
        if native_id is None:
            return True
        if native_id not in self._decisions:
            self._decisions[native_id] = self._decide(native_id)
        return self._decisions[native_id]

    def _decide(self, native_id: str) -> bool:
        known = self._list_known(native_id)
        if not known or native_id in self._watched_ids or native_id in self._suspected:
            return True
        first_seen = min(article.first_seen_at for article in known)
        if first_seen > self._now - self._options.fresh:
            return True
        last_seen = max(article.last_seen_at for article in known)
        return is_recrawl_due(first_seen, last_seen, self._now, self._options.revisits) and self._take_recrawl()

    def _take_recrawl(self) -> bool:
        """Use one of the run's recrawls. Return False when none is left."""
        self._recrawls_left -= 1
        return self._recrawls_left >= 0

    def was_gone_last_time(self, url: str) -> bool:
        """Whether the page was gone at its last request (once, or unpublished): its validators mean nothing then."""
        native_id = self._get_native_id(url)
        if native_id is None:
            return False
        is_unpublished = any(each.verdict is Verdict.UNPUBLISHED for each in self._list_known(native_id))
        return native_id in self._suspected or is_unpublished

    def list_unlisted_due(self) -> Iterator[str]:
        """Yield addresses due that no list of the run named: pages found gone, watched articles, then by age."""
        for native_id, failure in self._suspected.items():
            if native_id not in self._decisions:
                yield failure.url
        for native_id in self._watched_ids - self._decisions.keys() - self._suspected.keys():
            yield from (article.url for article in self._list_known(native_id)[:1])
        # Drop a recrawl that is overdue by its own age (a source paused for a month): this bounds the query.
        oldest = self._now - 2 * max(self._options.revisits, default=timedelta())
        handled = self._decisions.keys() | self._suspected.keys() | self._watched_ids
        for article in self._store.articles.list_first_seen_since(self._context.source, oldest):
            is_due = is_recrawl_due(article.first_seen_at, article.last_seen_at, self._now, self._options.revisits)
            if is_due and article.native_id not in handled:
                if not self._take_recrawl():
                    return
                yield article.url

    # --- after the response

    def record_seen(self, url: str, at: datetime) -> None:
        """Record that the page exists."""
        if native_id := self._get_native_id(url):
            self._seen_at[native_id] = at

    def handle_gone_page(self, response: Response) -> list[Article]:
        """Record that a page is gone, and return the versions to store: none the first time or for an unknown page."""
        url = self._spider.to_public_url(get_requested_url(response))
        native_id = self._get_native_id(url)
        if native_id is None:
            return []
        at = RequestMeta.from_request(response).fetched_at or datetime.now(UTC)
        known = self._list_known(native_id)
        published = [article for article in known if article.verdict is not Verdict.UNPUBLISHED]
        if known and not published:
            self._settled_ids.add(native_id)
        if not published:
            return []
        observation = f"HTTP {response.status}"
        if response.status < HTTPStatus.BAD_REQUEST:
            observation = f"redirects to {self._spider.to_public_url(response.url)}"
        absence = Absence(url, format_evidence(observation, response), at)
        earlier, run = self._suspected.get(native_id), self._context.run
        # Recorded by this same run: not a second observation.
        if earlier is None or (run and earlier.last_at >= run.started_at):
            self._newly_gone[native_id] = absence
            self._context.increment_stat("gone_once")
            return []
        self._settled_ids.add(native_id)
        return [make_unpublished_version(self._store, article, response, earlier, absence) for article in published]

    def save_findings(self) -> None:
        """Store what the run found out about known pages. Called once, at the end of a run that was not ended early."""
        gone, seen_count = len(self._newly_gone), len(self._seen_at)
        if gone >= MIN_MASS_REMOVAL and gone > seen_count:
            found = f"{gone} of {gone + seen_count} gone"
            origin = self._spider.origins[0]
            self._context.report_problem(PageChanged("url", "the addresses of known articles", found, origin))
            self._newly_gone.clear()
        if not self._context.can_write:
            return
        source, run = self._context.source, self._context.run
        seen = {**dict.fromkeys(self._settled_ids, self._now), **self._seen_at}
        with self._store.transaction():
            self._store.articles.mark_seen(source, seen, run_id=run.id if run else None)
            settled = [self._suspected[native_id].url for native_id in seen.keys() & self._suspected.keys()]
            save_suspected_gone(self._store, source, self._newly_gone.values(), settled)


def list_suspected_gone(store: Store, source: str) -> list[FetchFailure]:
    """Return the articles that were gone once, and of which it is not known whether they are removed."""
    return [each for each in store.failures.list_by_source(source) if each.kind == GONE_KIND]


def save_suspected_gone(store: Store, source: str, absences: Iterable[Absence], settled: Iterable[str]) -> None:
    """Store absences and delete those of the `settled` addresses, in the caller's transaction."""
    for url in settled:
        store.failures.delete(source, url)
    for absence in absences:
        store.failures.record(source, absence.url, GONE_KIND, absence.evidence, absence.seen_at)


def make_unpublished_version(
    store: Store, known: ArticleState, response: Response, first: FetchFailure, second: Absence
) -> Article:
    """Return the last text of an article as a version that is unpublished, with both observations as its reason."""
    stored = store.articles.get(known.id)
    assert stored is not None
    reason = f"{first.message} on {format_time(first.first_at)}, {second.evidence} on {format_time(second.seen_at)}"
    return replace(
        stored,
        verdict=Verdict.UNPUBLISHED,
        site_verdict=None,
        version=known.version + 1,
        fetched_at=second.seen_at,
        snapshot=RequestMeta.from_request(response).record or SnapshotRef(file=None, offset=None, digest=""),
        provenance={**stored.provenance, "verdict": reason},
    )


def format_evidence(observation: str, response: Response) -> str:
    """Return an observation with the archived record that proves it."""
    record = RequestMeta.from_request(response).record
    return f"{observation} {format_record_place(record)}" if record else observation
