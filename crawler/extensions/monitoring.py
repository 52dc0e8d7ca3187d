"""Write the run's record to the store, and judge the run. An empty run is healthy only where nothing was due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.context.modes import RunMode
from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import GAVE_UP, SHUTDOWN, RunContext
from crawler.errors import CrawlerError, StoreError
from crawler.items import Article, Health, Problem, Run
from crawler.monitoring.anomalies import EarlierRun, find_anomalies
from crawler.monitoring.baseline import BASELINE_KEY, Baseline, get_baseline, update_baseline
from crawler.monitoring.drift import describe_drift, update_ledger
from crawler.monitoring.publishing_rate import MAX_HISTORY, drop_future_times, learn_publishing_rate, measure_silence
from crawler.monitoring.run_health import ENDED_EARLY_KIND, RunFacts, RunHealth, judge_run
from crawler.monitoring.volume import find_volume_changes
from crawler.spiders.base import SourceSpider
from crawler.spiders.url_mapping import is_robots_txt

MAX_COMPARED_AGE = timedelta(days=90)
"""Age of the oldest run that a run is compared with: what changed longer ago is normal now."""
COMPARED_MEASURES = ("articles", "codes")
"""Measures, one of which an earlier run must have to be compared with. One query each: most runs have no article."""
MAX_LATEST_ARTICLES = 20
"""Newest articles, among which the first with a date that is not in the future is the source's last publication."""
ABORT_REASONS = {
    SHUTDOWN: "it was stopped by a signal",
    "closespider_timeout": "it ran longer than limits.run_seconds",
    "memusage_exceeded": "it used more memory than limits.memory_mb",
}


@dataclass(frozen=True, kw_only=True)
class RunHistory:
    """What a run is compared with. A partial run, a dry run and a replay have no earlier runs."""

    earlier: list[Run] = field(default_factory=list)
    """Earlier complete runs since the accepted baseline, the newest first."""
    last_measures: Mapping[str, Any] = field(default_factory=dict)
    baseline: Baseline | None = None


class MonitoringExtension:
    """Starts the run's record when the spider opens. Judges the run and ends the record when the spider closes."""

    def __init__(self, crawler: Crawler, context: RunContext, spider: SourceSpider) -> None:
        self._crawler, self._context, self._spider = crawler, context, spider
        self._is_replay = context.mode.is_replay

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension for a source's run."""
        context = RunContext.from_source_run(crawler)
        assert isinstance(crawler.spider, SourceSpider)
        extension = cls(crawler, context, crawler.spider)
        for signal in ("spider_opened", "spider_error", "item_error", "item_scraped", "item_dropped", "spider_closed"):
            crawler.signals.connect(getattr(extension, signal), getattr(signals, signal))
        crawler.signals.connect(extension.response_received, signals.response_received)
        return extension

    # --- during the run

    def spider_opened(self) -> None:
        """Store that a run has started: a run without an end was killed."""
        run = Run(source=self._context.source, mode=self._context.mode.stored_name, started_at=datetime.now(UTC))
        try:
            self._context.run = self._context.store.runs.record_start(run) if self._context.can_write else run
        except CrawlerError as error:
            self._context.give_up(error)

    def response_received(self, response: Response, request: Request) -> None:
        """Count and measure a response. robots.txt is no page."""
        if not is_robots_txt(response.url):
            self._context.increment_stat("pages")
            latency, is_listing = request.meta.get("download_latency"), RequestMeta.from_request(request).is_listing
            self._context.run_stats.add_page(response.status, len(response.body), latency, listing=is_listing)

    def item_scraped(self, item: Any) -> None:
        """Measure an article that was stored."""
        if isinstance(item, Article):
            self._context.run_stats.add_article(item)
            self._context.unaccounted_urls.pop(item.url, None)

    def item_dropped(self, item: Any) -> None:
        """Measure an article that was read and goes no further, because it is unchanged or invalid."""
        if isinstance(item, Article):
            self._context.run_stats.add_article(item)

    def spider_error(self, failure: Failure, response: Response | Failure | None) -> None:
        """Report an unexpected exception in a spider. There is no response in `start` and after a failed request."""
        answered = response if isinstance(response, Response) else getattr(response, "request", None)
        self._report_exception(failure, self._spider.to_public_url(answered.url) if answered else None)

    def item_error(self, item: Any, failure: Failure) -> None:
        """Report an unexpected exception in a pipeline."""
        self._report_exception(failure, item.url if isinstance(item, Article) else None)

    def _report_exception(self, failure: Failure, url: str | None) -> None:
        """Add a problem whose exit code precedes those of the site's problems. A lost store ends the run."""
        if isinstance(failure.value, StoreError):
            self._context.give_up(failure.value)
            return
        kind = failure.type.__name__ if failure.type else "Exception"
        where = f" at {url}" if url else ""
        message = f"{kind}{where}: {failure.getErrorMessage()}. This is a fault of the crawler: please report it."
        self._context.add_problem(Problem(kind=kind, message=message, exit_code=1, url=url))

    # --- at its end

    def spider_closed(self, reason: str) -> None:
        """Judge the run and store its record. Only a run that ended well stores its lists' validators."""
        context = self._context
        if context.run is None:
            return
        if reason not in ("finished", GAVE_UP):
            message = f"The run ended early: {ABORT_REASONS.get(reason, reason)}."
            context.add_problem(Problem(kind=ENDED_EARLY_KIND, message=message, exit_code=1))
        now, counts = datetime.now(UTC), get_counts(self._crawler.stats.get_stats())
        health, measures = self._judge_run(counts, now)
        is_whole = reason == "finished" and not context.has_given_up and not is_partial_run(self._spider)
        # Such a run did not see which articles are old: the next one would take all of them for news.
        is_unread = health.health is Health.SILENT and not context.run_stats.list_pages
        context.run = replace(
            context.run,
            **health._asdict(),
            finished_at=now,
            complete=is_whole and not context.has_failed_listing and not is_unread,
            counts=counts,
            problems=tuple(context.problems),
            measures=measures,
        )
        if not context.can_write:
            return
        entries = context.listing_cache_entries if health.exit_code == 0 else ()
        try:
            context.store.runs.record_end(context.run, entries)
        except CrawlerError as error:
            # Nothing of it is stored. The command reports it, and the next run closes this run's record.
            if isinstance(context.failure, StoreError):
                return  # reported before
            context.record_failure(error)
            health, problems = self._judge_problems(counts, now), tuple(context.problems)
            context.run = replace(context.run, **health._asdict(), complete=False, problems=problems)

    def _judge_run(self, counts: dict[str, int], now: datetime) -> tuple[RunHealth, dict[str, Any]]:
        """Return the run's health and its measures. Without a store, the health is that of its problems."""
        context = self._context
        if isinstance(context.failure, StoreError):
            return self._judge_problems(counts, now), {}
        measures = {} if is_partial_run(self._spider) else context.run_stats.make_measures(counts, context.problems)
        try:
            history = self._load_history(counts, now)
            if measures and not self._is_replay:
                measures |= self._carry_over(history, now.astimezone(self._spider.zone))
            unaccounted = self._list_unaccounted()
            health = judge_run(self._make_facts(counts, measures, history, unaccounted, now))
        except CrawlerError as error:
            context.record_failure(error)
            return self._judge_problems(counts, now), {}
        return health, measures | ({"unaccounted": list(unaccounted)} if unaccounted else {})

    def _judge_problems(self, counts: dict[str, int], now: datetime) -> RunHealth:
        """Return the health of a run that has problems. It needs no store."""
        expectation, problems = self._spider.expectation, tuple(self._context.problems)
        return judge_run(
            RunFacts(
                title=self._spider.title,
                min_links=expectation.min_links,
                max_silence=expectation.max_silence,
                problems=problems,
                counts=counts,
                now=now,
            )
        )

    def _load_history(self, counts: Mapping[str, int], now: datetime) -> RunHistory:
        can_compare = self._context.can_write and not self._is_replay and not is_partial_run(self._spider)
        earlier = self._list_comparable_runs(now) if can_compare else []
        last_measures = earlier[0].measures if earlier else {}
        baseline = update_baseline(get_baseline(last_measures), counts)
        if baseline:
            earlier = [run for run in earlier if (run.id or 0) > baseline.run_id]
        return RunHistory(earlier=earlier, last_measures=last_measures, baseline=baseline)

    def _make_facts(
        self,
        counts: dict[str, int],
        measures: Mapping[str, Any],
        history: RunHistory,
        unaccounted: tuple[str, ...],
        now: datetime,
    ) -> RunFacts:
        """Return what the health depends on: this run, the source's earlier runs, and how often it publishes."""
        context, spider, baseline = self._context, self._spider, history.baseline
        times = []
        if not self._is_replay:
            published = context.store.articles.list_publication_times(context.source, now - MAX_HISTORY)
            times = drop_future_times(published, now)
        rate = learn_publishing_rate(times, now, spider.zone) if times else None
        volume_changes: list[str] = []
        if rate and measures and context.can_write:
            volume_changes = find_volume_changes(times, now, rate, baseline.accepted_at if baseline else None)
        earlier = [
            EarlierRun(is_healthy=run.health is Health.HEALTHY, measures=run.measures) for run in history.earlier
        ]
        return RunFacts(
            title=spider.title,
            min_links=spider.expectation.min_links,
            max_silence=spider.expectation.max_silence,
            problems=tuple(context.problems),
            counts=counts,
            newest_published_at=None if self._is_replay else self._find_newest_date(now),
            now=now,
            is_single_page=bool(spider.url) or context.mode is RunMode.BACKFILL,  # neither says what is new
            unaccounted=unaccounted,
            measured_silence=measure_silence(rate, times[-1], now) if rate else None,
            anomalies=(*find_anomalies(measures, earlier), *volume_changes),
            notes=tuple(measures.get("notes", ())),
            changes=tuple(context.page_changes),
            baseline=baseline,
        )

    def _carry_over(self, history: RunHistory, now: datetime) -> dict[str, Any]:
        """Return the measures that continue those of the last run: where fields were, the baseline, notes of drift."""
        structures = (each for several in self._context.run_stats.structures.values() for each in several)
        ledger = update_ledger(history.last_measures.get("shapes", {}), structures, now)
        baseline = history.baseline
        moves = describe_drift(ledger, now, baseline.accepted_at if baseline else None)
        notes = [*moves, *self._spider.list_layout_notes()]
        found = {"shapes": ledger, "notes": notes, BASELINE_KEY: baseline.to_dict() if baseline else None}
        return {name: value for name, value in found.items() if value}

    def _find_newest_date(self, now: datetime) -> datetime | None:
        """Return when the source last published, as far as the store knows. Dates in the future do not count."""
        latest = self._context.store.articles.iter_newest(source=self._context.source, limit=MAX_LATEST_ARTICLES)
        dates = (article.published_at for article in latest)
        return next((date for date in dates if date is None or date <= now), None)

    def _list_unaccounted(self) -> tuple[str, ...]:
        """Return the listed addresses that have no stored article, no reason for that, and no problem."""
        context, spider = self._context, self._spider
        if not context.can_write or self._is_replay or is_partial_run(spider):
            return ()
        reported = {problem.url for problem in context.problems}
        ids = {url: address.native_id for url in context.unaccounted_urls if (address := spider.identify(url))}
        known = context.store.articles.get_states(context.source, set(ids.values())) if ids else {}
        return tuple(url for url in context.unaccounted_urls if url not in reported and not known.get(ids.get(url, "")))

    def _list_comparable_runs(self, now: datetime) -> list[Run]:
        """Return the source's earlier complete runs that ended well and have measures, the newest first."""
        since = now - MAX_COMPARED_AGE
        runs = {
            run.id: run
            for measure in COMPARED_MEASURES
            for run in self._context.store.runs.list_with_measure(self._context.source, measure, since=since)
        }
        return sorted(runs.values(), key=lambda run: run.id or 0, reverse=True)


def is_partial_run(spider: SourceSpider) -> bool:
    """Whether the run reads less than a whole run: articles since the last whole run may be unread."""
    return bool(spider.limit or spider.url or spider.since) or spider.context.mode is RunMode.BACKFILL


def get_counts(stats: Mapping[str, Any]) -> dict[str, int]:
    """Return the counts under `crawler/` of Scrapy's stats, without the prefix."""
    return {name.removeprefix("crawler/"): value for name, value in stats.items() if name.startswith("crawler/")}
