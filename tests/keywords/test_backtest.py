"""The comparison of candidate rules with the current rules."""

from __future__ import annotations

from datetime import UTC, datetime

from crawler.items import Article
from crawler.keywords import Matcher, parse_rules
from crawler.keywords.backtest import UNDATED_WEEK, compare_matchers


def make_matcher(*rules: str) -> Matcher:
    return Matcher(parse_rules("\n".join(rules)))


def make_test_article(number: int, body: str, published: datetime | None = None) -> Article:
    return Article(
        id=f"mfa:{number}:en",
        source="mfa",
        url=f"https://a.example/{number}",
        title=None,
        body=body,
        published_at=published,
    )


TRADE = '[[rule]]\nname = "trade"\nterms.en = ["customs union"]\n'
WIDER = '[[rule]]\nname = "trade"\nterms.en = ["customs union", "tariff"]\n'
WATER = '[[rule]]\nname = "water"\nterms.en = ["river"]\n'

ARTICLES = [
    make_test_article(1, "The customs union met.", datetime(2026, 3, 6, tzinfo=UTC)),
    make_test_article(2, "A tariff was cut.", datetime(2026, 3, 13, tzinfo=UTC)),
    make_test_article(3, "The river rose."),
    make_test_article(4, "Nothing of note."),
]


def test_new_lost_and_weeks() -> None:
    result = compare_matchers(make_matcher(WIDER), make_matcher(TRADE, WATER), iter(ARTICLES))
    assert result.articles == 4
    trade, water = result.rules
    assert (trade.rule, trade.articles, trade.new, trade.lost) == ("trade", 2, 1, 0)
    assert dict(trade.weeks) == {"2026-W10": 1, "2026-W11": 1}
    assert [sample.article for sample in trade.new_samples] == ["mfa:2:en"]
    assert trade.new_samples[0].matches[0].sentence == "A tariff was cut."
    assert (water.rule, water.articles, water.lost) == ("water", 0, 1)
    assert [sample.headline for sample in water.lost_samples] == ["‹The river rose.›"]


def test_samples_are_limited_and_counts_are_not() -> None:
    many = [make_test_article(number, "The river rose.") for number in range(25)]
    water = compare_matchers(make_matcher(WATER), make_matcher(TRADE), many, max_samples=10).rules[0]
    assert (water.new, len(water.new_samples), dict(water.weeks)) == (25, 10, {UNDATED_WEEK: 25})


def test_weak_matches_count_apart() -> None:
    guarded = WATER + '[[rule.context]]\nneeds = "support"\nsupport = ["flood"]\n'
    water = compare_matchers(make_matcher(guarded), make_matcher(WATER), ARTICLES).rules[0]
    assert (water.articles, water.weak_only, water.lost) == (0, 1, 1)
