"""`crawler rules test`: candidate rules over the stored articles, before they are switched on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from crawler.cli import lines, moment
from crawler.cli.plural import plural
from crawler.config import Config
from crawler.keywords import Matcher, load_rules
from crawler.keywords.backtest import Difference, Sample, compare
from crawler.store import open_store


def run(config: Config, file: Path, since: str, samples: int) -> str:
    """The comparison as text: a part a rule. Nothing is stored, marked or told to anyone."""
    candidate, current = Matcher(load_rules(file)), Matcher(load_rules(config.rules))
    start = moment.since(since, config.timezone)
    with open_store(config.database_url) as store:
        result = compare(candidate, current, store.articles.select(since=start), samples=samples)
    head = f"{plural(result.articles, 'stored article')} since {start:%Y-%m-%d %H:%M}." if start else ""
    if not result.articles:
        return f"{head} There is nothing to test on; crawl first, or take a longer --since."
    return "\n\n".join([head, *("\n".join(_rule(difference)) for difference in result.rules)])


def _rule(found: Difference) -> Iterator[str]:
    weekly = f", {per_week(found.weeks):.1f} a week" if per_week(found.weeks) else ""
    yield f"{found.rule}: {plural(found.articles, 'article')}{weekly}; {found.weak_only} more only weakly"
    if found.weeks:
        yield "    by week: " + ", ".join(f"{week} {count}" for week, count in sorted(found.weeks.items()))
    yield f"    against today's rules: {found.new} new, {found.lost} lost"
    yield from _samples("new", found.new_samples)
    yield from _samples("lost", found.lost_samples)


def per_week(weeks: Mapping[str, int]) -> float:
    """Articles a week, from the first week that has one to the last; undated ones are left out."""
    dated = {date.fromisocalendar(int(week[:4]), int(week[6:]), 1): n for week, n in weeks.items() if week[0].isdigit()}
    if not dated:
        return 0.0
    return sum(dated.values()) / ((max(dated) - min(dated)).days // 7 + 1)


def _samples(kind: str, samples: Sequence[Sample]) -> Iterator[str]:
    for sample in samples:
        yield f"    {kind}: {sample.headline} ({sample.article})"
        first = sample.matches[0].sentence
        yield f"        … {lines.marked(first, sample.matches, '*')}"
