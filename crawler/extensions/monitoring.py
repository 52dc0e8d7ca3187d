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
from crawler.items import Article, Health, Problem, Run
from crawler.monitoring.anomalies import EarlierRun, find_anomalies
from crawler.monitoring.baseline import BASELINE_KEY, Baseline, get_baseline, update_baseline
from crawler.monitoring.drift import describe_drift, update_ledger
from crawler.monitoring.publishing_rate import MAX_HISTORY, drop_future_times, learn_publishing_rate, measure_silence
from crawler.monitoring.run_stats import RunStats
from crawler.monitoring.verdict import RunFacts, judge_run
from crawler.monitoring.volume import find_volume_changes
from crawler.pages.site import Reading
from crawler.source import GAVE_UP, SourceSpider, give_up, is_robots_txt, need_run
from crawler.store import get_store

MAX_COMPARED_AGE = timedelta(days=90)
"""How long ago a run may be that others are compared with: what moved and stayed is normal after that."""
COMPARED_MEASURES = ("articles", "codes")
"""What an earlier run must have measured to be compared with: one query each, most runs have no article."""
log = logging.getLogger(__name__)
MAX_LATEST_ARTICLES = 20
"""Articles among which the newest with a date that is not in the future is looked for."""
ABORT_REASONS = {
    "shutdown": "it was stopped by a signal",
    "closespider_timeout": "it ran longer than limits.run_seconds",
    "memusage_exceeded": "it used more memory than limits.memory_mb",
}


class MonitoringExtension:
    """Begins the run's record when the spider opens, judges and ends it when the spider closes."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store = get_store(crawler)
        self.dry = crawler.settings.getbool("CRAWLER_DRY_RUN")
        self.mode = "replay" if crawler.settings.getbool("CRAWLER_REPLAY") else "live"
        self.replay = self.mode == "replay"
        self.tally = RunStats()

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
        spider.measured = self.record_structure
        run = Run(source=spider.name, mode=self.mode, started_at=datetime.now(UTC))
        try:
            spider.run = run if self.dry else self.store.runs.record_start(run)
        except CrawlerError as error:
            give_up(spider, error)

    def response_received(self, response: Response, request: Request, spider: SourceSpider) -> None:
        """Count and measure what was read; robots.txt is no page."""
        if not is_robots_txt(response.url):
            spider.increment_stat("pages")
            listing, wait = bool(request.meta.get("listing")), request.meta.get("download_latency")
            self.tally.add_page(response.status, len(response.body), wait, listing=listing)

    def record_structure(self, reading: Reading) -> None:
        """Keep the structure of a page that gave something; an empty list has none of its entries'."""
        if reading.entry_count:
            self.tally.add_structure(reading.page_class, reading.make_structure)

    def item_scraped(self, item: Any) -> None:
        """Measure an article that was stored."""
        if isinstance(item, Article):
            self.tally.add_article(item)

    def item_dropped(self, item: Any) -> None:
        """Measure an article that was read and is stored already as it is."""
        self.item_scraped(item)

    def spider_error(self, failure: Failure, response: Response, spider: SourceSpider) -> None:
        """An exception nobody meant, in a spider."""
        self.report_exception(spider, failure, spider.to_public_url(response.url))

    def item_error(self, item: Any, spider: SourceSpider, failure: Failure) -> None:
        """An exception nobody meant, in a pipeline."""
        self.report_exception(spider, failure, item.url if isinstance(item, Article) else None)

    def report_exception(self, spider: SourceSpider, failure: Failure, url: str | None) -> None:
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
            why = ABORT_REASONS.get(reason, reason)
            spider.problems.append(
                Problem(kind="Ended", message=f"The run was ended before its end: {why}.", exit_code=1)
            )
        counts = get_counts(self.crawler.stats.get_stats() if self.crawler.stats else {})
        now = datetime.now(UTC)
        newest = None if self.replay else self.find_newest_date(spider, now)
        unaccounted = self.list_unaccounted(spider)
        measures = {} if is_partial_run(spider) else self.tally.make_measures(counts, spider.problems)
        earlier = [] if is_partial_run(spider) or self.dry or self.replay else self.list_comparable_runs(spider, now)
        last = earlier[0].measures if earlier else {}
        settled = update_baseline(get_baseline(last), counts)
        if settled:
            earlier = [run for run in earlier if (run.id or 0) > settled.run_id]
        if measures and not self.replay:
            measures |= self.carry_over(last, settled, now.astimezone(spider.zone))
        times = (
            []
            if self.replay
            else drop_future_times(self.store.articles.list_publication_times(spider.name, now - MAX_HISTORY), now)
        )
        cadence = learn_publishing_rate(times, now, spider.zone) if times else None
        whole = bool(measures) and not self.dry
        volumes = (
            find_volume_changes(times, now, cadence, settled.accepted_at if settled else None)
            if cadence and whole
            else []
        )
        facts = RunFacts(
            title=spider.title,
            least_links=spider.expectation.min_links,
            max_silence=spider.expectation.max_silence,
            problems=tuple(spider.problems),
            counts=counts,
            newest_published_at=newest,
            now=now,
            is_single_page=bool(spider.url),
            unaccounted=unaccounted,
            measured_silence=measure_silence(cadence, times[-1], now) if cadence else None,
            anomalies=self.find_anomalies(measures, earlier, volumes),
            notes=tuple(measures.get("notes", ())),
            baseline=settled,
        )
        health, sentence, code = judge_run(facts)
        spider.run = replace(
            spider.run,
            finished_at=now,
            health=health,
            reason=sentence,
            exit_code=code,
            complete=reason == "finished" and not spider.has_failed_listing and not is_partial_run(spider),
            counts=counts,
            problems=tuple(spider.problems),
            measures=measures | ({"unaccounted": list(unaccounted)} if unaccounted else {}),
        )
        if not self.dry:
            try:
                self.store.runs.record_end(spider.run, spider.list_memories if code == 0 else ())
            except CrawlerError as error:  # the command tells it all the same; the next run closes this one's record
                log.error("The end of this run could not be stored. %s", error)  # noqa: TRY400 - one sentence

    def find_anomalies(
        self, measures: Mapping[str, Any], earlier: Iterable[Run], volumes: Iterable[str]
    ) -> tuple[str, ...]:
        """What moved against the source's past, in its runs and in how much it publishes."""
        before = [EarlierRun(is_healthy=run.health is Health.HEALTHY, measures=run.measures) for run in earlier]
        return (*find_anomalies(measures, before), *volumes)

    def carry_over(self, last: Mapping[str, Any], settled: Baseline | None, now: datetime) -> dict[str, Any]:
        """What a run carries on from the one before: where fields stood, what was accepted; and notes of what moved."""
        ledger = update_ledger(
            last.get("shapes", {}), (each for some in self.tally.structures.values() for each in some), now
        )
        notes = list(describe_drift(ledger, now, settled.accepted_at if settled else None))
        found = {"shapes": ledger, "notes": notes, BASELINE_KEY: settled.to_dict() if settled else None}
        return {name: value for name, value in found.items() if value}

    def find_newest_date(self, spider: SourceSpider, now: datetime) -> datetime | None:
        """When the source last published, as far as the store knows; dates in the future are not believed."""
        latest = self.store.articles.iter_newest(source=spider.name, limit=MAX_LATEST_ARTICLES)
        dates = (article.published_at for article in latest)
        return next((moment for moment in dates if moment is None or moment <= now), None)

    def list_unaccounted(self, spider: SourceSpider) -> tuple[str, ...]:
        """The listed addresses of which nobody can say what became: no article in the store, no reason, no problem."""
        if self.dry or self.replay or is_partial_run(spider):
            return ()
        told = {problem.url for problem in spider.problems}
        ids = {url: address.native_id for url in spider.unaccounted_urls if (address := spider.identify(url))}
        known = self.store.articles.get_states(spider.name, set(ids.values())) if ids else {}
        return tuple(url for url in spider.unaccounted_urls if url not in told and not known.get(ids.get(url, "")))

    def list_comparable_runs(self, spider: SourceSpider, now: datetime) -> list[Run]:
        """The source's earlier whole runs that ended well and are compared with, the newest first."""
        found = {
            run.id: run
            for seen in COMPARED_MEASURES
            for run in self.store.runs.list_with_measure(spider.name, seen, since=now - MAX_COMPARED_AGE)
        }
        return sorted(found.values(), key=lambda run: run.id or 0, reverse=True)


def is_partial_run(spider: SourceSpider) -> bool:
    """Whether the run was asked for less than all: what lies between the last whole run and it may be unread."""
    return bool(spider.limit or spider.url or spider.since)


def get_counts(stats: Mapping[str, Any]) -> dict[str, int]:
    """The counts under `crawler/` of Scrapy's stats, without the prefix."""
    return {name.removeprefix("crawler/"): value for name, value in stats.items() if name.startswith("crawler/")}
