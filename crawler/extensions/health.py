"""health: the run's record in the store, and its verdict. Empty is never success unless nothing was due."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.errors import CrawlerError
from crawler.extract.site import Reading
from crawler.health.accepted import KEY, Accepted, accepted, carried_on
from crawler.health.cadence import HISTORY, learn, past, silence
from crawler.health.drift import carried, drift
from crawler.health.measures import Tally
from crawler.health.shifts import Past, shifts
from crawler.health.verdict import Facts, judge
from crawler.health.volume import volume
from crawler.items import Article, Health, Problem, Run
from crawler.source import GAVE_UP, SourceSpider, give_up, is_robots, need_run
from crawler.store import session

NORMAL = timedelta(days=90)
"""How long ago a run may be that others are compared with: what moved and stayed is normal after that."""
SEEN = ("articles", "codes")
"""What an earlier run must have measured to be compared with: one query each, most runs have no article."""
log = logging.getLogger(__name__)
LATEST = 20
"""Articles among which the newest with a date that is not in the future is looked for."""
ENDED = {
    "shutdown": "it was stopped by a signal",
    "closespider_timeout": "it ran longer than limits.run_seconds",
    "memusage_exceeded": "it used more memory than limits.memory_mb",
}


class HealthExtension:
    """Begins the run's record when the spider opens, judges and ends it when the spider closes."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store = session(crawler)
        self.dry = crawler.settings.getbool("CRAWLER_DRY_RUN")
        self.mode = "replay" if crawler.settings.getbool("CRAWLER_REPLAY") else "live"
        self.replay = self.mode == "replay"
        self.tally = Tally()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        need_run(crawler)
        extension = cls(crawler)
        for signal in ("spider_opened", "spider_error", "item_error", "item_scraped", "item_dropped", "spider_closed"):
            crawler.signals.connect(getattr(extension, signal), getattr(signals, signal))
        crawler.signals.connect(extension.response_received, signals.response_received)
        return extension

    def spider_opened(self, spider: SourceSpider) -> None:
        """Write that a run has begun: a run that never ends is one that was killed."""
        spider.measured = self.measured
        run = Run(source=spider.name, mode=self.mode, started_at=datetime.now(UTC))
        try:
            spider.run = run if self.dry else self.store.runs.begin(run)
        except CrawlerError as error:
            give_up(spider, error)

    def response_received(self, response: Response, request: Request, spider: SourceSpider) -> None:
        """Count and measure what was read; robots.txt is no page."""
        if not is_robots(response.url):
            spider.count("pages")
            listing, wait = bool(request.meta.get("listing")), request.meta.get("download_latency")
            self.tally.page(response.status, len(response.body), wait, listing=listing)

    def measured(self, reading: Reading) -> None:
        """Keep the structure of a page that gave something; an empty list has none of its entries'."""
        if reading.entries:
            self.tally.shape(reading.page, reading.shape)

    def item_scraped(self, item: Any) -> None:
        """Measure an article that was stored."""
        if isinstance(item, Article):
            self.tally.article(item)

    def item_dropped(self, item: Any) -> None:
        """Measure an article that was read and is stored already as it is."""
        self.item_scraped(item)

    def spider_error(self, failure: Failure, response: Response, spider: SourceSpider) -> None:
        """An exception nobody meant, in a spider."""
        self.unexpected(spider, failure, spider.inward(response.url))

    def item_error(self, item: Any, spider: SourceSpider, failure: Failure) -> None:
        """An exception nobody meant, in a pipeline."""
        self.unexpected(spider, failure, item.url if isinstance(item, Article) else None)

    def unexpected(self, spider: SourceSpider, failure: Failure, url: str | None) -> None:
        """Keep it as a problem that outranks all others."""
        kind = failure.type.__name__ if failure.type else "Exception"
        where = f" at {url}" if url else ""
        message = f"{kind}{where}: {failure.getErrorMessage()}. This is a fault of the crawler: please report it."
        spider.problems.append(Problem(kind=kind, message=message, exit_code=1, url=url))

    def spider_closed(self, spider: SourceSpider, reason: str) -> None:
        """Judge the run and write its record; only a run without a failed list remembers its lists' validators."""
        if spider.run is None:
            return
        if reason not in ("finished", GAVE_UP):
            why = ENDED.get(reason, reason)
            spider.problems.append(
                Problem(kind="Ended", message=f"The run was ended before its end: {why}.", exit_code=1)
            )
        counts = counts_of(self.crawler.stats.get_stats() if self.crawler.stats else {})
        now = datetime.now(UTC)
        newest = None if self.replay else self.newest(spider, now)
        unaccounted = self.unaccounted(spider)
        measures = {} if partial(spider) else self.tally.measures(counts, spider.problems)
        earlier = [] if partial(spider) or self.dry or self.replay else self.earlier(spider, now)
        last = earlier[0].measures if earlier else {}
        settled = carried_on(accepted(last), counts)
        if settled:
            earlier = [run for run in earlier if (run.id or 0) > settled.run]
        if measures and not self.replay:
            measures |= self.carried(last, settled, now.astimezone(spider.zone))
        times = [] if self.replay else past(self.store.articles.published_since(spider.name, now - HISTORY), now)
        cadence = learn(times, now, spider.zone) if times else None
        whole = bool(measures) and not self.dry
        volumes = volume(times, now, cadence, settled.at if settled else None) if cadence and whole else []
        facts = Facts(
            title=spider.title,
            least_links=spider.expect.least_links,
            silence=spider.expect.silence,
            problems=tuple(spider.problems),
            counts=counts,
            newest=newest,
            now=now,
            one_page=bool(spider.url),
            unaccounted=unaccounted,
            quiet=silence(cadence, times[-1], now) if cadence else None,
            shifts=self.moved(measures, earlier, volumes),
            notes=tuple(measures.get("notes", ())),
            accepted=settled,
        )
        health, sentence, code = judge(facts)
        spider.run = replace(
            spider.run,
            finished_at=now,
            health=health,
            reason=sentence,
            exit_code=code,
            complete=reason == "finished" and not spider.list_failed and not partial(spider),
            counts=counts,
            problems=tuple(spider.problems),
            measures=measures | ({"unaccounted": list(unaccounted)} if unaccounted else {}),
        )
        if not self.dry:
            try:
                self.store.runs.finish(spider.run, spider.list_memories if code == 0 else ())
            except CrawlerError as error:  # the command tells it all the same; the next run closes this one's record
                log.error("The end of this run could not be stored. %s", error)  # noqa: TRY400 - one sentence

    def moved(self, measures: Mapping[str, Any], earlier: Iterable[Run], volumes: Iterable[str]) -> tuple[str, ...]:
        """What moved against the source's past, in its runs and in how much it publishes."""
        before = [Past(healthy=run.health is Health.HEALTHY, measures=run.measures) for run in earlier]
        return (*shifts(measures, before), *volumes)

    def carried(self, last: Mapping[str, Any], settled: Accepted | None, now: datetime) -> dict[str, Any]:
        """What a run carries on from the one before: where fields stood, what was accepted; and notes of what moved."""
        ledger = carried(last.get("shapes", {}), (each for some in self.tally.shapes.values() for each in some), now)
        notes = list(drift(ledger, now, settled.at if settled else None))
        found = {"shapes": ledger, "notes": notes, KEY: settled.plain() if settled else None}
        return {name: value for name, value in found.items() if value}

    def newest(self, spider: SourceSpider, now: datetime) -> datetime | None:
        """When the source last published, as far as the store knows; dates in the future are not believed."""
        latest = self.store.articles.select(source=spider.name, limit=LATEST)
        dates = (article.published_at for article in latest)
        return next((moment for moment in dates if moment is None or moment <= now), None)

    def unaccounted(self, spider: SourceSpider) -> tuple[str, ...]:
        """The listed addresses of which nobody can say what became: no article in the store, no reason, no problem."""
        if self.dry or self.replay or partial(spider):
            return ()
        told = {problem.url for problem in spider.problems}
        ids = {url: address.native_id for url in spider.owed if (address := spider.identify(url))}
        known = self.store.articles.known(spider.name, set(ids.values())) if ids else {}
        return tuple(url for url in spider.owed if url not in told and not known.get(ids.get(url, "")))

    def earlier(self, spider: SourceSpider, now: datetime) -> list[Run]:
        """The source's earlier whole runs that ended well and are compared with, the newest first."""
        found = {
            run.id: run for seen in SEEN for run in self.store.runs.measured(spider.name, seen, since=now - NORMAL)
        }
        return sorted(found.values(), key=lambda run: run.id or 0, reverse=True)


def partial(spider: SourceSpider) -> bool:
    """Whether the run was asked for less than all: what lies between the last whole run and it may be unread."""
    return bool(spider.limit or spider.url or spider.since)


def counts_of(stats: Mapping[str, Any]) -> dict[str, int]:
    """The counts under `crawler/` of Scrapy's stats, without the prefix."""
    return {name.removeprefix("crawler/"): value for name, value in stats.items() if name.startswith("crawler/")}
