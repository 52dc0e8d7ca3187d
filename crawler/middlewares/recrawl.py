"""Revisits: which known articles a run looks at again, and what it means when a page is gone.

A listed article is asked for on each run while it is `fresh` (a day, unless set). Later, and off the list, it is due
once after each age of the ladder `revisits` (1 h, 6 h, 24 h, 3 d, 10 d, 30 d since first seen), at most
`revisits_per_run` of them a run, the youngest first; `watched` ones always. Requests are conditional.

A page answering 404 or 410 is noted; when a later run finds it gone again, the article gets the version
*unpublished*. Until then, and after, it is asked for without conditions: a page that comes back unchanged must not
hide behind a 304. Where most known pages are gone at once, it is the site that changed, and nothing is noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from scrapy.http import Response

from crawler.errors import PageChanged
from crawler.items import Article, SnapshotRef, Verdict, format_time
from crawler.source import SourceSpider
from crawler.store import ArticleState, FetchFailure, Store

CONDITIONAL_HEADERS = ("If-None-Match", "If-Modified-Since")
"""Headers that ask for a page only if it changed."""
GONE_KIND = "Gone"
"""The kind under which the store's failures keep a page found gone once."""
MIN_MASS_REMOVAL = 5
"""Pages gone in one run that may mean a new scheme of addresses."""


def is_recrawl_due(first_seen: datetime, last_seen: datetime, now: datetime, ages: Sequence[timedelta]) -> bool:
    """Whether an age of the ladder has passed since the last visit.

    >>> day = datetime(2026, 3, 6, tzinfo=UTC)
    >>> ladder = [timedelta(hours=1), timedelta(hours=6)]
    >>> [is_due(day, day, day + timedelta(hours=hours), ladder) for hours in (0, 2)]
    [False, True]
    >>> [is_due(day, day + timedelta(hours=seen), day + timedelta(hours=7), ladder) for seen in (2, 6)]
    [True, False]
    """
    return any(first_seen + age <= now and last_seen < first_seen + age for age in ages)


class RecrawlPolicy:
    """One run's visits to articles that the store knows."""

    def __init__(self, store: Store, spider: SourceSpider, now: datetime) -> None:
        self.store, self.spider, self.options = store, spider, spider.options
        self.now = now
        self.recrawls_left = self.options.revisits_per_run
        self.decisions: dict[str, bool] = {}
        self.seen_at: dict[str, datetime] = {}
        self.newly_gone: dict[str, tuple[str, str, datetime]] = {}
        self.settled_ids: set[str] = set()
        self.watched_ids = {self.get_native_id(each) or each for each in self.options.watched}
        self.suspected = {self.get_native_id(each.url) or "": each for each in list_suspected_gone(store, spider.name)}

    def get_native_id(self, url: str) -> str | None:
        """The source's id for the article at an address."""
        address = self.spider.site.identify(url)
        return address.native_id if address else None

    def list_known(self, native_id: str) -> list[ArticleState]:
        """What the store knows under a native id, a language each."""
        return self.store.articles.get_states(self.spider.name, [native_id]).get(native_id, [])

    # --- before the request

    def is_due(self, url: str) -> bool:
        """Whether a listed address is to be asked for; asked about it again, it says the same."""
        native_id = self.get_native_id(url) or ""
        if native_id not in self.decisions:
            self.decisions[native_id] = self._decide(native_id)
        return self.decisions[native_id]

    def _decide(self, native_id: str) -> bool:
        stored = self.list_known(native_id)
        if not stored or native_id in self.watched_ids or native_id in self.suspected:
            return True
        first = min(article.first_seen_at for article in stored)
        if first > self.now - self.options.fresh:
            return True
        due = is_recrawl_due(first, max(article.last_seen_at for article in stored), self.now, self.options.revisits)
        return due and self.take_recrawl()

    def take_recrawl(self) -> bool:
        """Take one of the run's revisits; False when none is left."""
        self.recrawls_left -= 1
        return self.recrawls_left >= 0

    def is_suspected_gone(self, url: str) -> bool:
        """Whether a page was gone when last asked for, so that its validators say nothing."""
        native_id = self.get_native_id(url)
        if native_id is None:
            return False
        return native_id in self.suspected or any(
            each.verdict is Verdict.UNPUBLISHED for each in self.list_known(native_id)
        )

    def list_unlisted_due(self) -> Iterator[str]:
        """Addresses due that this run's lists did not name: pages found gone, watched ones, then by the ladder."""
        for native_id, failure in self.suspected.items():
            if native_id not in self.decisions:
                yield failure.url
        for native_id in self.watched_ids - self.decisions.keys() - self.suspected.keys():
            yield from (article.url for article in self.list_known(native_id)[:1])
        # An age missed for as long again (a source paused for a month) is given up, so that the question stays small.
        oldest = self.now - 2 * max(self.options.revisits, default=timedelta())
        for article in self.store.articles.list_first_seen_since(self.spider.name, oldest):
            passed = self.decisions.keys() | self.suspected.keys() | self.watched_ids
            due = is_recrawl_due(article.first_seen_at, article.last_seen_at, self.now, self.options.revisits)
            if due and article.native_id not in passed:
                if not self.take_recrawl():
                    return
                yield article.url

    # --- after the response

    def record_answer(self, url: str, at: datetime) -> None:
        """Note that a page is there."""
        if native_id := self.get_native_id(url):
            self.seen_at[native_id] = at

    def make_unpublished(self, response: Response) -> list[Article]:
        """The versions to store for a page that is gone: none the first time, none for a page never stored."""
        urls = response.meta.get("redirect_urls") or [response.url]
        url = self.spider.to_public_url(urls[0])
        native_id, at = self.get_native_id(url) or "", response.meta.get("fetched_at") or datetime.now(UTC)
        stored = self.list_known(native_id)
        there = [article for article in stored if article.verdict is not Verdict.UNPUBLISHED]
        if stored and not there:
            self.settled_ids.add(native_id)
        if not there:
            return []
        found = format_evidence(f"HTTP {response.status}", response)
        earlier, run = self.suspected.get(native_id), self.spider.run
        if earlier is None or (run and earlier.last_at >= run.started_at):
            self.newly_gone[native_id] = (url, found, at)
            self.spider.increment_stat("gone_once")
            return []
        self.settled_ids.add(native_id)
        return [make_unpublished_version(self.store, article, response, at, (earlier, found)) for article in there]

    def save_findings(self, *, dry: bool) -> None:
        """Keep what the visits told: once, at the end of a run that came to its end."""
        if len(self.newly_gone) >= MIN_MASS_REMOVAL and len(self.newly_gone) > len(self.seen_at):
            number = len(self.newly_gone) + len(self.seen_at)
            origin = self.spider.origins[0]
            found = f"HTTP 404 at {len(self.newly_gone)} of {number}"
            self.spider.report_problem(PageChanged("url", "the addresses of known articles", found, origin))
            self.newly_gone.clear()
        if dry:
            return
        source, run = self.spider.name, self.spider.run
        seen = {**dict.fromkeys(self.settled_ids, self.now), **self.seen_at}
        with self.store.transaction():
            self.store.articles.mark_seen(source, seen, run_id=run.id if run else None)
            healed = [self.suspected[native_id].url for native_id in seen.keys() & self.suspected.keys()]
            save_suspected_gone(self.store, source, self.newly_gone.values(), healed)


def list_suspected_gone(store: Store, source: str) -> list[FetchFailure]:
    """What was found gone once and is not settled."""
    return [each for each in store.http_cache.failures__list_by_source(source) if each.kind == GONE_KIND]


def save_suspected_gone(
    store: Store, source: str, gone: Iterable[tuple[str, str, datetime]], healed: Iterable[str]
) -> None:
    """Keep what was found gone (address, what was found, when), and drop what is settled; in the caller's batch."""
    for url in healed:
        store.http_cache.failures__delete(source, url)
    for url, found, at in gone:
        store.http_cache.failures__record(source, url, GONE_KIND, found, at)


def make_unpublished_version(
    store: Store, known: ArticleState, response: Response, at: datetime, found: tuple[FetchFailure, str]
) -> Article:
    """The last text of an article, as a version that says it is gone: by the failure noted first, and what was `found`
    in this response."""
    stored = store.articles.get(known.id)
    assert stored is not None
    first, second = found
    said = f"{first.message} on {format_time(first.first_at)}, {second} on {format_time(at)}"
    nowhere = SnapshotRef(file=None, offset=None, digest="")
    return replace(
        stored,
        verdict=Verdict.UNPUBLISHED,
        version=known.version + 1,
        fetched_at=at,
        snapshot=response.meta.get("record") or nowhere,
        provenance={**stored.provenance, "verdict": said},
    )


def format_evidence(what: str, response: Response) -> str:
    """What an answer says, and where it is kept."""
    record = response.meta.get("record")
    return what + (f" ({record.file} at byte {record.offset})" if record else "")
