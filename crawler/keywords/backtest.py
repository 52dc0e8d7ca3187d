"""Compare candidate rules with the current rules over stored articles: new articles, lost articles.

Nothing here writes: the caller passes the articles, and no alert follows.
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
    """The articles that the candidate and the current rule of one name find by strong matches.

    `articles` and `weeks` count what the candidate finds. A week is the ISO week of publication ("2026-W10", or
    "undated"). `new` counts articles that only the candidate finds, `lost` those that only the current rule finds. The
    samples are the first of these.
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
    """The number of articles read, and the candidate rules in their order, then the rules that only exist today."""

    articles: int
    rules: tuple[RuleDifference, ...]


def compare_matchers(
    candidate: Matcher, current: Matcher, articles: Iterable[Article], *, max_samples: int = 10
) -> BacktestResult:
    """Compare both rule sets over the same articles in one pass. The samples follow the order of the articles."""
    names = [rule.name for rule in (*candidate.rules.rules, *current.rules.rules)]
    differences = {name: RuleDifference(rule=name) for name in names}
    count = 0
    for article in articles:
        count += 1
        texts = article.texts
        after = _group_by_rule(candidate.find_matches(texts, article.language, article.source))
        before = _group_by_rule(current.find_matches(texts, article.language, article.source))
        for name in after.keys() | before.keys():
            _count_article(differences[name], article, after.get(name, ()), before.get(name, ()), max_samples)
    return BacktestResult(articles=count, rules=tuple(differences.values()))


def _group_by_rule(matches: tuple[Match, ...]) -> dict[str, tuple[Match, ...]]:
    names = {match.rule for match in matches}
    return {name: tuple(match for match in matches if match.rule == name) for name in names}


def _count_article(
    difference: RuleDifference,
    article: Article,
    after: tuple[Match, ...],
    before: tuple[Match, ...],
    max_samples: int,
) -> None:
    strong_after = tuple(match for match in after if match.strength is Strength.STRONG)
    strong_before = tuple(match for match in before if match.strength is Strength.STRONG)
    if strong_after:
        difference.articles += 1
        difference.weeks[_format_week(article)] += 1
    elif after:
        difference.weak_only += 1
    if strong_after and not strong_before:
        difference.new += 1
        _add_sample(difference.new_samples, article, strong_after, max_samples)
    if strong_before and not strong_after:
        difference.lost += 1
        _add_sample(difference.lost_samples, article, strong_before, max_samples)


def _add_sample(samples: list[BacktestSample], article: Article, matches: tuple[Match, ...], max_samples: int) -> None:
    if len(samples) < max_samples:
        samples.append(BacktestSample(article=article.id, headline=article.headline, url=article.url, matches=matches))


def _format_week(article: Article) -> str:
    time = article.published_at or article.fetched_at
    return f"{time:%G-W%V}" if time else UNDATED_WEEK
