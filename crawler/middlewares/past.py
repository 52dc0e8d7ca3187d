"""A past run once more: the engine, the manners and the memory of a live run, its answers from that run's records.

Unlike a replay of stored pages (`stored`), nothing is asked that the run itself would not ask: the store decides as it
did then, so it must be as it was then. Answers are given in the order they came: which of two copies is the original
depends on it. `PastOrder` gives each request the place of its answer, one request goes on at a time, and the next one
waits until everything that the last page led to is known.

A request that the records do not answer is NotStored. A 304 answers a request without conditions with the page that it
stands for, where the archive holds that: so a run can be replayed over a store that knows less than it did then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.core.scheduler import Scheduler
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.archive.exchange import Earlier
from crawler.archive.past import PastRun, archive_root, read_run
from crawler.archive.reader import Kept, read_at
from crawler.errors import ArchiveError, NotStored
from crawler.items import SnapshotRef
from crawler.middlewares.revisits import CONDITIONS
from crawler.middlewares.stored import key
from crawler.snapshot import Snapshot
from crawler.source import SourceSpider, is_robots

LAST = 1 << 30
"""The place of a request that has no answer: after all others."""


@dataclass
class Answers:
    """A run's records, and how far the replay has come with them."""

    root: Path
    place: Path
    kept: list[Kept]
    begun: bool = False
    places: defaultdict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    def first(self, asked: tuple[str, str, str]) -> int | None:
        """The place of the next answer to a request, None when there is none left."""
        places = self.places.get(asked)
        return places[0] if places else None

    def take(self, asked: tuple[str, str, str]) -> Kept | None:
        """The next answer to a request; it is not given again."""
        places = self.places.get(asked)
        return self.kept[places.pop(0)] if places else None

    def holds(self, asked: tuple[str, str, str]) -> bool:
        """Whether there was an answer to a request, given already or not."""
        return asked in self.places

    def left(self) -> list[Snapshot]:
        """The answers that were not asked for yet, in their order."""
        return [self.kept[place].snapshot for place in sorted(place for many in self.places.values() for place in many)]


_answers: WeakKeyDictionary[Crawler, Answers] = WeakKeyDictionary()


def answers_of(crawler: Crawler) -> Answers:
    """The run's records, read once."""
    if crawler not in _answers:
        assert isinstance(crawler.spider, SourceSpider)
        past: PastRun = crawler.settings["CRAWLER_PAST"]
        place = Path(crawler.settings["CRAWLER_STORED"])
        found = Answers(root=archive_root(place, past.source), place=place, kept=read_run(place, past))
        for number, kept in enumerate(found.kept):
            snapshot = kept.snapshot
            found.places[key(snapshot.method, crawler.spider.inward(snapshot.url), snapshot.payload)].append(number)
        _answers[crawler] = found
    return _answers[crawler]


def asked_by(crawler: Crawler, request: Request) -> tuple[str, str, str]:
    """What makes a request the one that a record answers: a copy of the site (`base_url`) and the site are one."""
    assert isinstance(crawler.spider, SourceSpider)
    return key(request.method, crawler.spider.inward(request.url), request.body)


class PastPages:
    """A Scrapy download handler over the records of one run (settings CRAWLER_PAST, CRAWLER_STORED)."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        self.crawler, self.answers = crawler, answers_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """The response as it came then; NotStored when there was none."""
        kept = self.answers.take(asked_by(self.crawler, request))
        if kept is None:
            raise self.missing(request)
        snapshot = kept.snapshot
        if snapshot.status == 304 and not any(name in request.headers for name in CONDITIONS):
            snapshot = self.unmodified(request, kept)
        assert snapshot.ref is not None
        moment = kept.snapshot.fetched_at
        request.meta.update(record=snapshot.ref, fetched_at=moment, original=original(snapshot))
        return Response(
            request.url,
            status=snapshot.status,
            headers=dict(snapshot.headers),
            body=snapshot.body,
            request=request,
        )

    def unmodified(self, request: Request, kept: Kept) -> Snapshot:
        """The page that a 304 stands for."""
        try:
            return read_at(self.answers.root, kept.earlier or SnapshotRef(file=None, offset=None, digest=""))
        except ArchiveError as error:
            raise NotStored(
                f"{request.url} was answered with 'not modified' then, and {self.answers.root} does not hold the page "
                f"that this stands for ({error}). Replay over a copy of the store from before the run.",
                url=request.url,
            ) from error

    def missing(self, request: Request) -> Exception:
        """What a request that has no answer means; a run that asked for no robots.txt obeyed none."""
        if is_robots(request.url):
            return IgnoreRequest("not stored")
        what = f"{request.url} ({request.body.decode(errors='replace')[:200]})" if request.body else request.url
        return NotStored(
            f"{what} was asked for and is not among the records of this run in {self.answers.place}: then it was not "
            "asked for, or gave no answer.",
            url=request.url,
        )

    async def close(self) -> None:
        """Nothing to close."""


def original(snapshot: Snapshot) -> Earlier | None:
    """What a memory should keep of an answer: the record that holds its bytes."""
    ref = snapshot.ref
    if ref is None or snapshot.status == 304 or snapshot.fetched_at is None:
        return None
    return Earlier(url=snapshot.url, date=snapshot.fetched_at, digest=ref.digest, file=ref.file, offset=ref.offset)


class PastOrder(Scheduler):
    """Scrapy's scheduler, which gives out requests by the place of their answers."""

    def open(self, spider: Any) -> Any:
        """Read the run's records."""
        self.answers = answers_of(spider.crawler)
        return super().open(spider)

    def enqueue_request(self, request: Request) -> bool:
        """A request with the place of its next answer as priority."""
        place = self.answers.first(asked_by(self.spider.crawler, request))
        request.priority = -(LAST if place is None else place)
        return super().enqueue_request(request)

    def next_request(self) -> Request | None:
        """The request that was answered first, once all first requests are known."""
        return super().next_request() if self.answers.begun else None


class PastStarts:
    """A spider middleware that says when all of the run's first requests are known."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        return cls(crawler)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The spider's own first requests."""
        async for request in start:
            yield request
        answers_of(self.crawler).begun = True
