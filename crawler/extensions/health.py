"""health: the run's record in the store, and its verdict. Empty is never success unless nothing was due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.errors import worst
from crawler.items import Article, Health, Problem, Run
from crawler.source import Expect, SourceSpider, is_robots, need_run
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
        need_run(crawler)
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
        facts = Facts(
            title=spider.title,
            expect=spider.expect,
            problems=tuple(spider.problems),
            counts=counts,
            newest=newest,
            now=now,
            one_page=bool(spider.url),
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
        )
        if not self.dry:
            self.store.runs.finish(spider.run, spider.list_memories if code == 0 else ())

    def newest(self, spider: SourceSpider) -> datetime | None:
        """When the source last published, as far as the store knows."""
        return next((article.published_at for article in self.store.articles.select(source=spider.name, limit=1)), None)


def partial(spider: SourceSpider) -> bool:
    """Whether the run was asked for less than all: what lies between the last whole run and it may be unread."""
    return bool(spider.limit or spider.url or spider.since)


def counts_of(stats: Mapping[str, Any]) -> dict[str, int]:
    """The counts under `crawler/` of Scrapy's stats, without the prefix."""
    return {name.removeprefix("crawler/"): value for name, value in stats.items() if name.startswith("crawler/")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a run is judged by. `newest` is when the source last published (aware), None when unknown."""

    title: str
    expect: Expect
    problems: tuple[Problem, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    newest: datetime | None = None
    now: datetime
    one_page: bool = False

    @property
    def age(self) -> timedelta | None:
        """How long the source has published nothing."""
        return self.now - self.newest if self.newest else None

    @property
    def gave_something(self) -> bool:
        """Whether a page was read that rightly gave articles, or rightly gave none."""
        fine = ("not_modified", "expected_errors", "no_article", "skipped", "too_old")
        return any(count for name, count in self.counts.items() if name in fine or name.startswith("articles/"))


def judge(facts: Facts) -> tuple[Health, str, int]:
    """Health, the sentence that says why, and the exit code of a run that has ended."""
    if facts.problems:
        code = worst(problem.exit_code for problem in facts.problems)
        first = next(problem for problem in facts.problems if problem.exit_code == code)
        more = f" (and {len(facts.problems) - 1} more)" if len(facts.problems) > 1 else ""
        return HEALTH_OF.get(code, Health.FAILED), first.message + more, code
    if not facts.gave_something and facts.counts.get("entries", 0) < facts.expect.least_links:
        return Health.SILENT, f"{facts.title}: nothing was listed and nothing was read where something was due.", 13
    silence = facts.expect.silence
    if facts.age and silence and facts.age > silence and not facts.one_page:
        sentence = (
            f"{facts.title}: nothing new for {facts.age.days} days; the longest believable silence is {silence.days}. "
            "Look at the site: it may have moved."
        )
        return Health.SILENT, sentence, 13
    return Health.HEALTHY, _well(facts), 0


def _well(facts: Facts) -> str:
    counts = facts.counts
    new, revised = counts.get("articles/new", 0) + counts.get("articles/copy", 0), counts.get("articles/revised", 0)
    if counts.get("expected_errors"):
        refused = counts["expected_errors"]
        return f"{new} new, {revised} revised; {refused} stored pages are refusals or broken, as expected."
    if counts.get("stopped_early"):
        return f"{new} new, {revised} revised; older articles were left unread, see --since and the setting `pages`."
    if counts.get("lists_replaced"):
        return f"{new} new, {revised} revised; its first list failed, and another was read instead."
    gone, back = counts.get("articles/unpublished", 0), counts.get("articles/republished", 0)
    if new or revised or gone or back:
        told = ((gone, "unpublished"), (back, "republished"))
        more = "".join(f", {number} {name}" for number, name in told if number)
        return f"{new} new, {revised} revised{more}."
    if facts.age and facts.expect.silence is None and facts.age.days > 30:
        return f"Nothing new; the newest article is {facts.age.days} days old, and the source may be asleep."
    return "Nothing new."
