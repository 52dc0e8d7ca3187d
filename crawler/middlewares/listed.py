"""Articles that are on no list any more, of a source that gives its texts by lists alone.

What is younger than the oldest entry that a run read must be among its entries. What is stored and is not, in two runs,
gets the version *unpublished*; where a good part is missing at once, it is the list that changed. Once a day the lists
are read back over the longest age of `revisits`, so that corrections and withdrawals are seen so long; to an article
missing once, and to `watched` ones not older than that, in each run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from crawler.errors import PageChanged
from crawler.extract.page import untranslated
from crawler.items import Article, Verdict, iso
from crawler.middlewares.revisits import GONE, MANY, said_by, unpublished
from crawler.source import ListPage, ListRead, WholeListSpider
from crawler.store import Failure, Known, Store

DAY = timedelta(days=1)
MARGIN = timedelta(hours=12)
"""How much younger than the oldest entry read an article must be: its time may have been read by another setting."""


class Listed:
    """One run's look at what its lists lack; `now` is when the run began."""

    def __init__(self, store: Store, spider: WholeListSpider, now: datetime) -> None:
        self.store, self.spider, self.now = store, spider, now
        failures = [each for each in store.memory.open_failures(spider.name) if each.kind == GONE]
        self.suspects: dict[str, Failure] = {each.url: each for each in failures}
        self.gone: dict[str, tuple[str, datetime]] = {}
        self.there: set[str] = set()
        self.floor = now - max(spider.options.revisits, default=timedelta())
        self.is_partial = bool(spider.alone or spider.since or spider.limit or spider.url)
        self.is_daily = not self.is_partial and self._has_waited_a_day()

    def back_to(self) -> datetime | None:
        """The time to which this run reads its lists back, None when it need not."""
        if self.is_partial or self.floor == self.now:
            return None
        if self.is_daily:
            return self.floor
        found = [known.published_at for known in self._asked_about() if known.published_at]
        return min(found) - MARGIN - timedelta(seconds=1) if found else None

    def missing(self, lists: Mapping[str, ListRead]) -> Iterator[Article]:
        """After the last page: the versions to store for articles that are missing a second time."""
        read = {name: found for name, found in lists.items() if found.pages}
        if self.is_partial or self.spider.list_failed or self.spider.gave_up or not read:
            return
        if self.is_daily:
            self.spider.count("read_back")
        absent = list(self._absent(read))
        if len(absent) >= MANY and len(absent) > len(self.there):
            origin = self.spider.origins[0]
            found = f"{len(absent)} of {len(absent) + len(self.there)} missing"
            self.spider.problem(PageChanged("links", "known articles on the list", found, origin))
            return
        for known, page in absent:
            yield from self._taken_away(known, page)

    def close(self, *, dry: bool) -> None:
        """Keep what was found missing once, and what is there again: once, at the end of a run."""
        if dry:
            return
        with self.store.batch():
            for url in self.there & self.suspects.keys():
                self.store.memory.healed(self.spider.name, url)
            for url, (found, at) in self.gone.items():
                self.store.memory.fail(self.spider.name, url, GONE, found, at)

    def _absent(self, lists: Mapping[str, ListRead]) -> Iterator[tuple[Known, ListPage]]:
        """What is stored and not on its list, with the page on which it should stand."""
        since = min(found.oldest for found in lists.values())
        for known in self.store.articles.published_known(self.spider.name, since):
            if known.verdict is Verdict.UNPUBLISHED or not self.spider.is_listed(known.native_id):
                continue
            found = lists.get(known.language or "")
            if found and known.native_id in found.ids:
                self.there.add(known.url)
            elif page := self._page(known, lists):
                yield known, page

    def _page(self, known: Known, lists: Mapping[str, ListRead]) -> ListPage | None:
        """The page on which an article should stand, None where none that was read need hold it. The list is that of
        its language, or, of a text that stood on another one for want of a translation, that one."""
        stored = self.store.articles.get(known.id)
        found = lists.get((stored and untranslated(stored)) or known.language or "")
        if found is None or known.published_at is None or known.published_at <= found.oldest + MARGIN:
            return None
        if known.native_id in found.ids:
            self.there.add(known.url)
            return None
        return found.page_for(known.published_at)

    def _taken_away(self, known: Known, page: ListPage) -> Iterator[Article]:
        at = page.response.meta.get("fetched_at") or datetime.now(UTC)
        found = said_by("not on the list", page.response)
        earlier, run = self.suspects.get(known.url), self.spider.run
        if earlier is None or (run and earlier.last_at >= run.started_at):
            self.gone[known.url] = (found, at)
            self.spider.count("gone_once")
            return
        self.there.add(known.url)  # settled: nothing more to ask about it
        said = f"{earlier.message} on {iso(earlier.first_at)}, {found} on {iso(at)}"
        stored = self.store.articles.get(known.id)
        assert stored is not None
        yield unpublished(stored, known, page.response, at, said)

    def _asked_about(self) -> Iterator[Known]:
        """Articles missing once, and watched ones not older than what the daily look reaches."""
        sites = [self.spider.site.identify(url) for url in (*self.suspects, *self.spider.options.watched)]
        ids = {address.native_id for address in sites if address} | set(self.spider.options.watched)
        for many in self.store.articles.known(self.spider.name, ids).values():
            for known in many:
                if known.url in self.suspects or (known.published_at and known.published_at > self.floor):
                    yield known

    def _has_waited_a_day(self) -> bool:
        """Whether the last look back is a day ago; a source known for less than a day waits for it."""
        recent = self.store.runs.begun_between(self.spider.name, self.now - DAY, self.now, mode="live")
        if any(run.complete and run.counts.get("read_back") for run in recent):
            return False
        stored = self.store.articles.published_known(self.spider.name, self.floor)
        return any(known.first_seen_at < self.now - DAY for known in stored)
