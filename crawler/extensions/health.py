"""health: the run's record in the store, and its verdict. Empty is never success unless nothing was due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.errors import worst
from crawler.items import Article, Health, Problem, Run
from crawler.source import SourceSpider, is_robots
from crawler.store import session

HEALTH_OF = {0: Health.HEALTHY, 10: Health.UNREACHABLE, 11: Health.BLOCKED, 12: Health.CHANGED, 13: Health.SILENT}
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
        self.replay = crawler.settings.getbool("CRAWLER_REPLAY")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        extension = cls(crawler)
        for signal in ("spider_opened", "spider_error", "item_error", "spider_closed", "response_received"):
            crawler.signals.connect(getattr(extension, signal), getattr(signals, signal))
        return extension

    def spider_opened(self, spider: SourceSpider) -> None:
        """Write that a run has begun: a run that never ends is one that was killed."""
        run = Run(source=spider.name, mode="replay" if self.replay else "live", started_at=datetime.now(UTC))
        spider.run = run if self.dry else self.store.runs.begin(run)

    def response_received(self, response: Response, spider: SourceSpider) -> None:
        """Count what was read; robots.txt is no page."""
        if not is_robots(response.url):
            spider.count("pages")

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
        if reason != "finished":
            why = ENDED.get(reason, reason)
            spider.problems.append(
                Problem(kind="Ended", message=f"The run was ended before its end: {why}.", exit_code=1)
            )
        counts = counts_of(self.crawler.stats.get_stats() if self.crawler.stats else {})
        newest = None if self.replay else self.newest(spider)
        now = datetime.now(UTC)
        health, sentence, code = judge(spider, counts, newest, now)
        spider.run = replace(
            spider.run,
            finished_at=now,
            health=health,
            reason=sentence,
            exit_code=code,
            complete=reason == "finished" and not spider.list_failed and not (spider.limit or spider.url),
            counts=counts,
            problems=tuple(spider.problems),
        )
        if not self.dry:
            self.store.runs.finish(spider.run, spider.list_memories if code == 0 else ())

    def newest(self, spider: SourceSpider) -> datetime | None:
        """When the source last published, as far as the store knows."""
        return next((article.published_at for article in self.store.articles.select(source=spider.name, limit=1)), None)


def counts_of(stats: Mapping[str, Any]) -> dict[str, int]:
    """The counts under `crawler/` of Scrapy's stats, without the prefix."""
    return {name.removeprefix("crawler/"): value for name, value in stats.items() if name.startswith("crawler/")}


def judge(
    spider: SourceSpider, counts: Mapping[str, int], newest: datetime | None, now: datetime
) -> tuple[Health, str, int]:
    """Health, the sentence that says why, and the exit code of a run that has ended."""
    if spider.problems:
        code = worst(problem.exit_code for problem in spider.problems)
        first = next(problem for problem in spider.problems if problem.exit_code == code)
        more = f" (and {len(spider.problems) - 1} more)" if len(spider.problems) > 1 else ""
        return HEALTH_OF.get(code, Health.FAILED), first.message + more, code
    least = spider.expect.least_links
    entries, unmodified = counts.get("entries", 0), counts.get("not_modified", 0)
    given = sum(count for name, count in counts.items() if name.startswith("articles/"))
    expected = counts.get("expected_errors", 0) + counts.get("no_article", 0) + counts.get("skipped", 0)
    if not given and not unmodified and not expected and not counts.get("too_old") and entries < least:
        return Health.SILENT, f"{spider.title}: nothing was listed and nothing was read where something was due.", 13
    silence = spider.expect.silence
    if newest and silence and now - newest > silence and not spider.url:
        days = (now - newest).days
        sentence = (
            f"{spider.title}: nothing new for {days} days; the longest believable silence is {silence.days}. "
            "Look at the site: it may have moved."
        )
        return Health.SILENT, sentence, 13
    return Health.HEALTHY, _well(spider, counts, newest, now), 0


def _well(spider: SourceSpider, counts: Mapping[str, int], newest: datetime | None, now: datetime) -> str:
    new, revised = counts.get("articles/new", 0) + counts.get("articles/copy", 0), counts.get("articles/revised", 0)
    if counts.get("expected_errors"):
        refused = counts["expected_errors"]
        return f"{new} new, {revised} revised; {refused} stored pages are refusals or broken, as expected."
    if counts.get("lists_replaced"):
        return f"{new} new, {revised} revised; its first list failed, and another was read instead."
    gone, back = counts.get("articles/unpublished", 0), counts.get("articles/republished", 0)
    if new or revised or gone or back:
        more = "".join(
            f", {number} {name}" for number, name in ((gone, "unpublished"), (back, "republished")) if number
        )
        return f"{new} new, {revised} revised{more}."
    if newest and spider.expect.silence is None and (now - newest).days > 30:
        return f"Nothing new; the newest article is {(now - newest).days} days old, and the source may be asleep."
    return "Nothing new."
