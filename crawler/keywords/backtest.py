"""Candidate rules against today's, over articles there already are: what would be new, what would be lost.

Pure: the articles are given, nothing is marked and nobody alerted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from crawler.items import Article, Match, Strength
from crawler.keywords.matcher import Matcher

UNDATED_WEEK = "undated"


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSample:
    """An article as an example, with the matches that make it one."""

    article: str
    headline: str
    url: str
    matches: tuple[Match, ...]


@dataclass(slots=True, kw_only=True)
class RuleDifference:
    """What one rule finds, by strong matches.

    `weeks` counts articles by ISO week of publication ("2026-W10", or "undated"), all candidates. `new` and `lost`
    count articles that only the candidate or only the current rule of that name finds; the samples are the first of
    these.
    """

    rule: str
    articles: int = 0
    weak_only: int = 0
    new: int = 0
    lost: int = 0
    weeks: Counter[str] = field(default_factory=Counter)
    new_samples: list[BacktestSample] = field(default_factory=list)
    lost_samples: list[BacktestSample] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """How many articles were read, and a difference a rule: the candidates in their order, then the rules given up."""

    articles: int
    rules: tuple[RuleDifference, ...]


def compare_matchers(
    candidate: Matcher, current: Matcher, articles: Iterable[Article], *, max_samples: int = 10
) -> BacktestResult:
    """Both rule sets over the same articles, in one pass; samples are taken in the order given."""
    names = [rule.name for rule in (*candidate.rules.rules, *current.rules.rules)]
    found = {name: RuleDifference(rule=name) for name in names}
    count = 0
    for article in articles:
        count += 1
        texts = article.texts
        after = _group_by_rule(candidate.find_matches(texts, article.language, article.source))
        before = _group_by_rule(current.find_matches(texts, article.language, article.source))
        for name in after.keys() | before.keys():
            _count_article(found[name], article, after.get(name, ()), before.get(name, ()), max_samples)
    return BacktestResult(articles=count, rules=tuple(found.values()))


def _group_by_rule(matches: tuple[Match, ...]) -> dict[str, tuple[Match, ...]]:
    return {rule: tuple(one for one in matches if one.rule == rule) for rule in {one.rule for one in matches}}


def _count_article(
    difference: RuleDifference, article: Article, after: tuple[Match, ...], before: tuple[Match, ...], max_samples: int
) -> None:
    strong_after = tuple(one for one in after if one.strength is Strength.STRONG)
    strong_before = tuple(one for one in before if one.strength is Strength.STRONG)
    if strong_after:
        difference.articles += 1
        difference.weeks[_format_week(article)] += 1
    elif after:
        difference.weak_only += 1
    for matches, missing, kept in (
        (strong_after, not strong_before, difference.new_samples),
        (strong_before, not strong_after, difference.lost_samples),
    ):
        if matches and missing and len(kept) < max_samples:
            kept.append(BacktestSample(article=article.id, headline=article.headline, url=article.url, matches=matches))
    difference.new += bool(strong_after and not strong_before)
    difference.lost += bool(strong_before and not strong_after)


def _format_week(article: Article) -> str:
    moment = article.published_at or article.fetched_at
    return f"{moment:%G-W%V}" if moment else UNDATED_WEEK
