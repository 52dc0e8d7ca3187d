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
from crawler.extract.page import untranslated
from crawler.items import Article, Verdict
from crawler.middlewares.revisits import MANY, found_gone, note_gone, said_by, unpublished
from crawler.source import ListPage, ListRead, WholeListSpider
from crawler.store import Known, Store

DAY = timedelta(days=1)
APART = timedelta(minutes=30)
"""Between two looks that find an article missing: an old answer may come for a while."""
MARGIN = timedelta(hours=12)
"""How much younger than the oldest entry read an article must be: its time may have been read by another setting."""
LOOKS = 6
"""Looks back in a day at most, for whatever reason."""


class Listed:
    """One run's look at what its lists lack; `now` is when the run began."""

    def __init__(self, store: Store, spider: WholeListSpider, now: datetime) -> None:
        self.store, self.spider, self.now = store, spider, now
        self.floor = now - max(spider.options.revisits, default=timedelta())
        self.suspects = {each.url: each for each in found_gone(store, spider.name)}
        self.gone: list[tuple[str, str, datetime]] = []
        self.settled: set[str] = {url for url in self.suspects if not self._is_open(url)}
        self.judges = self.floor < now and not (spider.alone or spider.since or spider.limit or spider.url)
        self.looks_back = self.judges and self._is_to_look_back()

    def back_to(self) -> datetime | None:
        """The time to which this run reads its lists back, None when it need not."""
        if not self.judges:
            return None
        if self.looks_back:
            self.spider.count("read_back_begun")
            return self.floor
        found = [known.published_at for known in self._watched() if known.published_at]
        return min(found) - MARGIN if found else None

    def missing(self, lists: Mapping[str, ListRead]) -> Iterator[Article]:
        """After the last page: the versions to store for articles that are missing again."""
        if not self.judges or self.spider.list_failed or self.spider.gave_up:
            return
        if self.looks_back:
            self.spider.count("read_back")
        for name, found in lists.items():
            if found.pages:
                yield from self._missing_on(name, found, lists)

    def close(self, *, dry: bool) -> None:
        """Keep what was found missing once, and what is there again: once, at the end of a run."""
        if dry:
            return
        with self.store.batch():
            note_gone(self.store, self.spider.name, self.gone, self.settled & self.suspects.keys())

    def _missing_on(self, name: str, found: ListRead, lists: Mapping[str, ListRead]) -> Iterator[Article]:
        """What is missing on one list; nothing, and a problem, where that is a good part of it."""
        absent, there = [], 0
        for known in self.store.articles.published_known(self.spider.name, found.oldest):
            if known.language != name or known.verdict is Verdict.UNPUBLISHED:
                continue
            if not self.spider.is_listed(known.native_id):
                continue
            if known.native_id in found.ids or known.id in self.spider.read_ids:
                self.settled.add(known.url)
                there += 1
            elif page := self._page(known, found, lists):
                absent.append((known, page))
        if len(absent) >= MANY and len(absent) > there:
            what = f"{len(absent)} of {len(absent) + there} missing"
            origin = self.spider.origins[0]
            self.spider.problem(PageChanged("links", f"known articles on the list in {name}", what, origin))
            return
        for known, page in absent:
            yield from self._taken_away(known, page)

    def _page(self, known: Known, own: ListRead, lists: Mapping[str, ListRead]) -> ListPage | None:
        """The page on which an article should stand, None where none that was read need hold it. The list is that of
        its language, or, of a text that stood on another one for want of a translation, that one."""
        if known.published_at is None or known.published_at <= own.oldest + MARGIN:
            return None
        stored = self.store.articles.get(known.id)
        other = untranslated(stored) if stored else None
        found = lists.get(other) if other else own
        if found is None or not found.pages or known.published_at <= found.oldest + MARGIN:
            return None
        return found.page_for(known.published_at)

    def _taken_away(self, known: Known, page: ListPage) -> Iterator[Article]:
        at = page.response.meta.get("fetched_at") or datetime.now(UTC)
        found = said_by("not on the list", page.response)
        earlier = self.suspects.get(known.url)
        if earlier is None:
            self.gone.append((known.url, found, at))
            self.spider.count("gone_once")
        elif self._is_due(known.url) and self._has_looked_back():
            self.settled.add(known.url)
            yield unpublished(self.store, known, page.response, at, (earlier, found))

    def _has_looked_back(self) -> bool:
        """Whether this run read back as far as it was to: else the article may stand behind what was read."""
        stats = self.spider.crawler.stats
        return self.looks_back and not (stats and stats.get_value("crawler/read_back_failed"))

    def _is_due(self, url: str) -> bool:
        """Whether an article was found missing long enough ago to be looked for everywhere."""
        return self.suspects[url].first_at <= self.now - APART

    def _is_open(self, url: str) -> bool:
        """Whether it is still asked what became of the article at an address: not once it is unpublished, or older than
        what is looked at, or on no list that is read."""
        known = self._known(url)
        if known is None or known.verdict is Verdict.UNPUBLISHED or known.language not in self.spider.list_names():
            return False
        return known.published_at is not None and known.published_at > self.floor

    def _known(self, url: str) -> Known | None:
        address = self.spider.site.identify(url)
        ids = [address.native_id] if address else []
        found = self.store.articles.known(self.spider.name, ids)
        return next((known for many in found.values() for known in many if known.url == url), None)

    def _watched(self) -> Iterator[Known]:
        """Watched articles not older than what the daily look reaches."""
        watched = self.spider.options.watched
        named = [address.native_id for url in watched if (address := self.spider.site.identify(url))]
        for many in self.store.articles.known(self.spider.name, {*named, *watched}).values():
            yield from (known for known in many if known.published_at and known.published_at > self.floor)

    def _is_to_look_back(self) -> bool:
        """Whether an article is to be looked for, or the last look is a day ago; what a source known for less than a
        day has, it was seen with."""
        recent = self.store.runs.begun_between(self.spider.name, self.now - DAY, self.now, mode="live")
        if sum(bool(run.counts.get("read_back_begun")) for run in recent) >= LOOKS:
            return False
        if any(self._is_due(url) for url in self.suspects.keys() - self.settled):
            return True
        if any(run.counts.get("read_back") for run in recent):
            return False
        stored = self.store.articles.published_known(self.spider.name, self.floor)
        return any(known.first_seen_at < self.now - DAY for known in stored)
