"""`crawler rules test`: candidate rules over the stored articles, before they are switched on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from crawler.cli import console as lines
from crawler.cli import time_options as moment
from crawler.config import Config
from crawler.keywords import Matcher, load_rules
from crawler.keywords.backtest import BacktestSample, RuleDifference, compare_matchers
from crawler.store import open_store
from crawler.text.counts import format_count


def compare_rules(config: Config, file: Path, since: str, samples: int) -> str:
    """The comparison as text: a part a rule. Nothing is stored, marked or told to anyone."""
    candidate, current = Matcher(load_rules(file)), Matcher(load_rules(config.rules))
    start = moment.parse_since(since, config.timezone)
    with open_store(config.database_url) as store:
        result = compare_matchers(candidate, current, store.articles.iter_newest(since=start), max_samples=samples)
    head = f"{format_count(result.articles, 'stored article')} since {start:%Y-%m-%d %H:%M}." if start else ""
    if not result.articles:
        return f"{head} There is nothing to test on; crawl first, or take a longer --since."
    return "\n\n".join([head, *("\n".join(_format_difference(difference)) for difference in result.rules)])


def _format_difference(found: RuleDifference) -> Iterator[str]:
    weekly = f", {average_per_week(found.weeks):.1f} a week" if average_per_week(found.weeks) else ""
    yield f"{found.rule}: {format_count(found.articles, 'article')}{weekly}; {found.weak_only} more only weakly"
    if found.weeks:
        yield "    by week: " + ", ".join(f"{week} {count}" for week, count in sorted(found.weeks.items()))
    yield f"    against today's rules: {found.new} new, {found.lost} lost"
    yield from _format_samples("new", found.new_samples)
    yield from _format_samples("lost", found.lost_samples)


def average_per_week(weeks: Mapping[str, int]) -> float:
    """Articles a week, from the first week that has one to the last; undated ones are left out."""
    dated = {date.fromisocalendar(int(week[:4]), int(week[6:]), 1): n for week, n in weeks.items() if week[0].isdigit()}
    if not dated:
        return 0.0
    return sum(dated.values()) / ((max(dated) - min(dated)).days // 7 + 1)


def _format_samples(kind: str, samples: Sequence[BacktestSample]) -> Iterator[str]:
    for sample in samples:
        yield f"    {kind}: {sample.headline} ({sample.article})"
        first = sample.matches[0].sentence
        yield f"        … {lines.mark_matches(first, sample.matches, '*')}"
