"""A source's history is walked whole and without a duplicate, whatever interrupts it and whatever the site does."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response, TextResponse
from scrapy.utils.test import get_crawler
from support.empty_stores import open_test_store
from support.factories import make_article

from crawler.config import Config
from crawler.context.modes import BackfillWindow, RunMode
from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import RunContext
from crawler.errors import Unreachable
from crawler.items import Article, Health, Rights, Run
from crawler.pages.base import Page
from crawler.pages.site import ArticleAddress, Reading, Site
from crawler.pages.snapshot import Snapshot
from crawler.service.backfill_progress import measure_progress
from crawler.spiders import history_walk
from crawler.spiders.base import HealthExpectation, SourceSpider
from crawler.spiders.history_lists import HistoryList, make_history_lists
from crawler.store import Backfill, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SINCE = NOON - 5000 * DAY
ORIGIN = "https://old.example"
LIST = f"{ORIGIN}/list"
SITEMAP = f"{ORIGIN}/sitemap.xml"
PAGE_SIZE = 10


class OldPage(Page):
    """A list or an article of the test's site, as JSON."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        return True

    def read(self) -> Reading:
        value = json.loads(self.snapshot.text)
        if isinstance(value, list):
            if self.snapshot.url == SITEMAP:
                times = tuple(datetime.fromisoformat(time) for _, time in value)
                links = tuple(f"{ORIGIN}/{native_id}" for native_id, _ in value)
                return Reading(page_class="WholeSitemapPage", links=links, entry_count=len(links), link_times=times)
            if not value:
                raise self.make_changed_error("links", "addresses of articles", "none")
            links = tuple(f"{ORIGIN}/{native_id}" for native_id in value)
            return Reading(page_class="OldPage", links=links, entry_count=len(links))
        published = datetime.fromisoformat(value["published"])
        found = make_article(value["id"], source="old", published_at=published, url=self.snapshot.url)
        return Reading(page_class="OldPage", articles=(replace(found, verdict=None, version=None),), entry_count=1)


class OldSpider(SourceSpider):
    """A source with a paged list."""

    name = "old"
    title = "Old News"
    origins = (ORIGIN,)
    listing_urls = (LIST,)
    page_classes = (OldPage,)
    expectation = HealthExpectation(min_links=1, max_silence=3 * DAY)
    rights = Rights(excerpt_share=0.3, link_required=True, wording=None, source=None)
    has_safety_net = False

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        native_id = url.removeprefix(f"{ORIGIN}/")
        return ArticleAddress(native_id, url) if native_id.isdecimal() else None

    @classmethod
    def list_history(cls, config: Config) -> tuple[HistoryList, ...]:
        return (HistoryList(LIST, has_pages=True),)

    def make_history_requests(self, listing: HistoryList, number: int) -> list[Request]:
        return [self.make_request(f"{LIST}?page={number}", RequestMeta(is_listing=True))]

    def find_older_page(self, listing: HistoryList, number: int, response: Response, reading: Reading) -> int | None:
        return number + 1


class OldSite:
    """Articles in memory, one a day, and the requests that a spider sent. Addresses in `broken` fail."""

    def __init__(self, count: int) -> None:
        self.articles = {str(1000 + number): NOON - (count - number) * DAY for number in range(1, count + 1)}
        self.broken: dict[str, Exception | int] = {}
        self.requests: list[str] = []

    def publish(self) -> None:
        self.articles[str(max(map(int, self.articles)) + 1)] = max(self.articles.values()) + timedelta(minutes=1)

    def list_newest(self) -> list[str]:
        return sorted(self.articles, key=lambda each: (self.articles[each], int(each)), reverse=True)

    def answer(self, url: str) -> tuple[int, Any]:
        self.requests.append(url)
        if url == SITEMAP:
            return 200, [(each, self.articles[each].isoformat()) for each in self.list_newest()]
        if url.startswith(LIST):
            number = int(url.rpartition("=")[2])
            return 200, self.list_newest()[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        native_id = url.rpartition("/")[2]
        if native_id not in self.articles:
            return 404, []
        return 200, {"id": native_id, "published": self.articles[native_id].isoformat()}


class Walker:
    """Runs windows of a backfill without Scrapy's engine: one request after the other, in the engine's order."""

    def __init__(self, store: Store, site: OldSite, *, max_pages: int = 5) -> None:
        self.store, self.site, self.max_pages, self.started_at = store, site, max_pages, datetime.now(UTC)
        self.crawler, self.config = get_crawler(), Config()
        self.run = store.runs.record_start(Run(source="old", mode="backfill", started_at=datetime.now(UTC)))
        store.backfills.save(Backfill(source="old", since=SINCE, started_at=NOON))

    def walk(self, max_steps: int | None = None) -> OldSpider:
        """Run one window, or its first steps: requests with their articles, and records of pages."""
        spider = self.make_spider()
        walk = spider.walk
        assert walk is not None
        waiting = deque(walk.make_first_requests())
        steps = 0
        while max_steps is None or steps < max_steps:
            steps += 1
            if waiting:
                waiting.extend(self.handle(spider, waiting.popleft()))
            elif not (follow := walk.advance()):
                break
            else:
                waiting.extend(follow)
        return spider

    def make_spider(self) -> OldSpider:
        context = RunContext(
            source="old",
            mode=RunMode.BACKFILL,
            config=self.config,
            run=self.run,
            backfill_window=BackfillWindow(
                started_at=self.started_at, max_seconds=60, max_run_seconds=60, max_pages=self.max_pages
            ),
        )
        context.store = self.store
        spider = OldSpider(context=context)
        spider._set_crawler(self.crawler)
        return spider

    def handle(self, spider: OldSpider, request: Request) -> Iterator[Request]:
        failure = self.site.broken.get(request.url)
        if isinstance(failure, Exception):
            yield from spider.fail_request(request, failure)  # type: ignore[arg-type]
            return
        status, value = self.site.answer(request.url)
        response = TextResponse(request.url, status=status, body=json.dumps(value).encode(), request=request)
        for result in spider.parse(response):
            if isinstance(result, Article):
                stored = replace(result, verdict="new", version=1)  # type: ignore[arg-type]
                values = {"content_hash": result.id, "run_id": self.run.id, "seen_at": datetime.now(UTC)}
                self.store.articles.save(stored, **values)  # type: ignore[arg-type]
            else:
                yield result

    @property
    def progress(self) -> Any:
        backfill = self.store.backfills.get("old")
        assert backfill is not None
        values = {"started_at": self.started_at, "now": NOON, "today": "2026-03-06"}
        return measure_progress(self.store, backfill, OldSpider, self.config, **values)  # type: ignore[arg-type]

    def finish(self) -> Any:
        for _ in range(200):
            if self.progress.is_finished:
                return self.progress
            self.walk()
        raise AssertionError("The backfill does not end.")

    def get_stored(self) -> set[str]:
        return {article.native_id for article in self.store.articles.iter_newest(source="old")}


@pytest.fixture
def memory_store() -> Iterator[Store]:
    with open_test_store("sqlite://") as store:
        yield store


@pytest.mark.slow
def test_thousand_interruptions_lose_and_repeat_nothing(memory_store: Store) -> None:
    """Meanwhile the site publishes, which moves articles to later pages, and removes, which moves them back."""
    site, chance = OldSite(150), random.Random(7)
    walker = Walker(memory_store, site)
    interruptions, removed = 0, set()
    while interruptions < 1000 or not walker.progress.is_finished:
        walker.walk(chance.choice((0, 1, 2, 12)) if chance.random() < 0.1 or interruptions > 1000 else 0)
        interruptions += 1
        if interruptions % 40 == 0:
            site.publish()
        if interruptions % 60 == 0:
            gone = chance.choice(site.list_newest()[:40])
            removed.add(gone)
            del site.articles[gone]
        assert interruptions < 3000
    at_start = {native_id for native_id, time in site.articles.items() if time <= NOON}
    assert at_start - walker.get_stored() == set()
    assert all(len(memory_store.versions.list_by_article(f"old:{each}:ru")) == 1 for each in at_start)
    articles = [url for url in site.requests if not url.startswith(LIST)]
    assert len(articles) <= len(set(articles)) + interruptions, (
        "an article is requested again only if it was not stored"
    )


def test_failed_pages_and_articles_are_gaps_that_are_read_again(memory_store: Store) -> None:
    site = OldSite(60)
    lost, dead = f"{LIST}?page=3", f"{ORIGIN}/1012"
    for url in (lost, dead):
        site.broken[url] = Unreachable(f"{url} answered with HTTP 500.", url=url)
    progress = Walker(memory_store, site).finish()
    assert [(gap.url, gap.is_list, gap.kind, gap.tries) for gap in progress.gaps] == [
        (f"{lost}#page=3", True, "Unreachable", 2),
        (dead, False, "Unreachable", 2),
    ]
    assert progress.missing is not None, "the list ends before the wanted day"
    assert [period.begin for period in progress.silences] == [site.articles["1030"]], "ten days of page 3"
    site.broken.clear()
    for _ in range(15):  # the articles of page 3 are on pages 4 and 5 now
        site.publish()
    walker = Walker(memory_store, site)
    progress = walker.finish()
    assert (progress.gaps, progress.silences) == ((), ())
    assert {each for each, time in site.articles.items() if time <= NOON} <= walker.get_stored()


def test_page_that_is_gone_is_a_gap(memory_store: Store) -> None:
    site = OldSite(20)
    shown = site.list_newest()
    del site.articles["1005"]
    site.list_newest = lambda: shown  # type: ignore[method-assign]
    (gap,) = Walker(memory_store, site).finish().gaps
    assert (gap.url, gap.kind, gap.is_settled) == (f"{ORIGIN}/1005", "Gone", False)


def test_site_that_is_down_makes_no_gaps(memory_store: Store) -> None:
    site = OldSite(30)
    walker = Walker(memory_store, site)
    walker.walk(12)
    down = {f"{ORIGIN}/{each}" for each in site.articles} | {f"{LIST}?page={number}" for number in range(1, 9)}
    site.broken = {url: Unreachable(f"{url}: no answer.", url=url) for url in down}
    pages = walker.progress.pages
    walker.walk()
    assert (walker.progress.pages, walker.progress.gaps) == (pages, ())
    site.broken.clear()
    assert walker.finish().gaps == ()
    assert len(walker.get_stored()) == 30


def test_news_are_left_to_the_watch(memory_store: Store) -> None:
    begun = memory_store.runs.record_start(Run(source="old", started_at=NOON - 2 * DAY))
    ended = replace(begun, finished_at=NOON - 2 * DAY, health=Health.HEALTHY, exit_code=0, complete=True)
    memory_store.runs.record_end(ended)
    site = OldSite(15)
    walker = Walker(memory_store, site)
    progress = walker.finish()
    recent = {each for each, time in site.articles.items() if time >= NOON - 3 * DAY}
    assert walker.get_stored() == site.articles.keys() - recent
    assert (len(recent), progress.gaps) == (4, ())


def test_walk_stops_at_the_wanted_day(memory_store: Store) -> None:
    site = OldSite(100)
    walker = Walker(memory_store, site)
    since = NOON - 33 * DAY
    memory_store.backfills.save(Backfill(source="old", since=since, started_at=NOON))
    progress = walker.finish()
    assert (progress.days_done, progress.days_wanted, progress.has_gaps) == (33, 33, False)
    assert [url for url in site.requests if url.startswith(LIST)][-1] == f"{LIST}?page=4"
    memory_store.backfills.save(Backfill(source="old", since=NOON - 60 * DAY, started_at=NOON))
    assert not walker.progress.is_finished
    assert walker.progress.seconds_left is not None
    assert walker.finish().days_done == 60


def test_backfill_changes_no_measure_of_the_source(memory_store: Store) -> None:
    articles = memory_store.articles
    run = memory_store.runs.record_start(Run(source="old", started_at=NOON))
    watched = make_article("9000", source="old", published_at=NOON - 400 * DAY)
    articles.save(watched, content_hash="x", run_id=run.id, seen_at=NOON - DAY)
    memory_store.runs.record_end(replace(run, finished_at=NOON, health=Health.HEALTHY, exit_code=0))
    Walker(memory_store, OldSite(15)).finish()
    assert articles.list_publication_times("old", SINCE) == [watched.published_at]
    assert len(articles.list_publication_times("old", SINCE, with_backfilled=True)) == 16
    assert [each.id for each in articles.list_first_seen_since("old", SINCE)] == [watched.id], "what is read again"
    last = memory_store.runs.get_last("old", mode="live")
    assert last is not None
    assert last.id == run.id


def test_sitemap_is_read_in_batches(memory_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is newer than the wanted day. A window downloads the sitemap once."""
    monkeypatch.setattr(history_walk, "ARTICLES_PER_BATCH", 4)
    lists = make_history_lists([SITEMAP])
    monkeypatch.setattr(OldSpider, "list_history", classmethod(lambda *_: lists))
    monkeypatch.setattr(OldSpider, "make_history_requests", SourceSpider.make_history_requests)
    monkeypatch.setattr(OldSpider, "find_older_page", lambda *_: None)
    site = OldSite(60)
    walker = Walker(memory_store, site, max_pages=3)
    memory_store.backfills.save(Backfill(source="old", since=NOON - 40 * DAY, started_at=NOON))
    walker.walk()
    assert walker.progress.lists[0].unread == 41 - 3 * 4
    assert walker.progress.seconds_left is not None
    assert not walker.finish().has_gaps
    assert len(walker.get_stored()) == 41
    assert site.requests.count(SITEMAP) == 4
