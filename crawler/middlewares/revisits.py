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
from crawler.items import Article, SnapshotRef, Verdict, iso
from crawler.source import SourceSpider
from crawler.store import Failure, Known, Store

CONDITIONS = ("If-None-Match", "If-Modified-Since")
"""Headers that ask for a page only if it changed."""
GONE = "Gone"
"""The kind under which the store's failures keep a page found gone once."""
MANY = 5
"""Pages gone in one run that may mean a new scheme of addresses."""


def is_due(first: datetime, last: datetime, now: datetime, ladder: Sequence[timedelta]) -> bool:
    """Whether an age of the ladder has passed since the last visit.

    >>> day = datetime(2026, 3, 6, tzinfo=UTC)
    >>> ladder = [timedelta(hours=1), timedelta(hours=6)]
    >>> [is_due(day, day, day + timedelta(hours=hours), ladder) for hours in (0, 2)]
    [False, True]
    >>> [is_due(day, day + timedelta(hours=seen), day + timedelta(hours=7), ladder) for seen in (2, 6)]
    [True, False]
    """
    return any(first + age <= now and last < first + age for age in ladder)


class Revisits:
    """One run's visits to articles that the store knows."""

    def __init__(self, store: Store, spider: SourceSpider, now: datetime) -> None:
        self.store, self.spider, self.options = store, spider, spider.options
        self.now = now
        self.left = self.options.revisits_per_run
        self.decided: dict[str, bool] = {}
        self.alive: dict[str, datetime] = {}
        self.gone: dict[str, tuple[str, str, datetime]] = {}
        self.settled: set[str] = set()
        self.watched = {self.native_id(each) or each for each in self.options.watched}
        self.suspects = {self.native_id(each.url) or "": each for each in found_gone(store, spider.name)}

    def native_id(self, url: str) -> str | None:
        """The source's id for the article at an address."""
        address = self.spider.site.identify(url)
        return address.native_id if address else None

    def known(self, native_id: str) -> list[Known]:
        """What the store knows under a native id, a language each."""
        return self.store.articles.known(self.spider.name, [native_id]).get(native_id, [])

    # --- before the request

    def wants(self, url: str) -> bool:
        """Whether a listed address is to be asked for; asked about it again, it says the same."""
        native_id = self.native_id(url) or ""
        if native_id not in self.decided:
            self.decided[native_id] = self._wants(native_id)
        return self.decided[native_id]

    def _wants(self, native_id: str) -> bool:
        stored = self.known(native_id)
        if not stored or native_id in self.watched or native_id in self.suspects:
            return True
        first = min(article.first_seen_at for article in stored)
        if first > self.now - self.options.fresh:
            return True
        due = is_due(first, max(article.last_seen_at for article in stored), self.now, self.options.revisits)
        return due and self.spend()

    def spend(self) -> bool:
        """Take one of the run's revisits; False when none is left."""
        self.left -= 1
        return self.left >= 0

    def is_suspect(self, url: str) -> bool:
        """Whether a page was gone when last asked for, so that its validators say nothing."""
        native_id = self.native_id(url)
        if native_id is None:
            return False
        return native_id in self.suspects or any(each.verdict is Verdict.UNPUBLISHED for each in self.known(native_id))

    def off_list(self) -> Iterator[str]:
        """Addresses due that this run's lists did not name: pages found gone, watched ones, then by the ladder."""
        for native_id, failure in self.suspects.items():
            if native_id not in self.decided:
                yield failure.url
        for native_id in self.watched - self.decided.keys() - self.suspects.keys():
            yield from (article.url for article in self.known(native_id)[:1])
        # An age missed for as long again (a source paused for a month) is given up, so that the question stays small.
        oldest = self.now - 2 * max(self.options.revisits, default=timedelta())
        for article in self.store.articles.first_seen_since(self.spider.name, oldest):
            passed = self.decided.keys() | self.suspects.keys() | self.watched
            due = is_due(article.first_seen_at, article.last_seen_at, self.now, self.options.revisits)
            if due and article.native_id not in passed:
                if not self.spend():
                    return
                yield article.url

    # --- after the response

    def answered(self, url: str, at: datetime) -> None:
        """Note that a page is there."""
        if native_id := self.native_id(url):
            self.alive[native_id] = at

    def taken_away(self, response: Response) -> list[Article]:
        """The versions to store for a page that is gone: none the first time, none for a page never stored."""
        urls = response.meta.get("redirect_urls") or [response.url]
        url = self.spider.inward(urls[0])
        native_id, at = self.native_id(url) or "", response.meta.get("fetched_at") or datetime.now(UTC)
        stored = self.known(native_id)
        there = [article for article in stored if article.verdict is not Verdict.UNPUBLISHED]
        if stored and not there:
            self.settled.add(native_id)
        if not there:
            return []
        found = said_by(f"HTTP {response.status}", response)
        earlier, run = self.suspects.get(native_id), self.spider.run
        if earlier is None or (run and earlier.last_at >= run.started_at):
            self.gone[native_id] = (url, found, at)
            self.spider.count("gone_once")
            return []
        self.settled.add(native_id)
        return [unpublished(self.store, article, response, at, (earlier, found)) for article in there]

    def close(self, *, dry: bool) -> None:
        """Keep what the visits told: once, at the end of a run that came to its end."""
        if len(self.gone) >= MANY and len(self.gone) > len(self.alive):
            number = len(self.gone) + len(self.alive)
            origin = self.spider.origins[0]
            found = f"HTTP 404 at {len(self.gone)} of {number}"
            self.spider.problem(PageChanged("url", "the addresses of known articles", found, origin))
            self.gone.clear()
        if dry:
            return
        source, run = self.spider.name, self.spider.run
        seen = {**dict.fromkeys(self.settled, self.now), **self.alive}
        with self.store.batch():
            self.store.articles.seen(source, seen, run_id=run.id if run else None)
            healed = [self.suspects[native_id].url for native_id in seen.keys() & self.suspects.keys()]
            note_gone(self.store, source, self.gone.values(), healed)


def found_gone(store: Store, source: str) -> list[Failure]:
    """What was found gone once and is not settled."""
    return [each for each in store.memory.open_failures(source) if each.kind == GONE]


def note_gone(store: Store, source: str, gone: Iterable[tuple[str, str, datetime]], healed: Iterable[str]) -> None:
    """Keep what was found gone (address, what was found, when), and drop what is settled; in the caller's batch."""
    for url in healed:
        store.memory.healed(source, url)
    for url, found, at in gone:
        store.memory.fail(source, url, GONE, found, at)


def unpublished(store: Store, known: Known, response: Response, at: datetime, found: tuple[Failure, str]) -> Article:
    """The last text of an article, as a version that says it is gone: by the failure noted first, and what was `found`
    in this response."""
    stored = store.articles.get(known.id)
    assert stored is not None
    first, second = found
    said = f"{first.message} on {iso(first.first_at)}, {second} on {iso(at)}"
    nowhere = SnapshotRef(file=None, offset=None, digest="")
    return replace(
        stored,
        verdict=Verdict.UNPUBLISHED,
        version=known.version + 1,
        fetched_at=at,
        snapshot=response.meta.get("record") or nowhere,
        provenance={**stored.provenance, "verdict": said},
    )


def said_by(what: str, response: Response) -> str:
    """What an answer says, and where it is kept."""
    record = response.meta.get("record")
    return what + (f" ({record.file} at byte {record.offset})" if record else "")
