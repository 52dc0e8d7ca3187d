"""Anomalies: a measure that moved is reported once it is certain, never for a few articles."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.items import Article, Problem, Verdict
from crawler.monitoring.anomalies import EarlierRun, find_anomalies
from crawler.monitoring.run_stats import MAX_KEPT_VALUES, OPTIONAL_FIELDS, RunStats


def run(articles: int = 8, **given: Any) -> dict[str, Any]:
    """A run's measures: every field in every article, unless `given` says otherwise."""
    fields = dict.fromkeys(OPTIONAL_FIELDS, articles) | given.pop("fields", {})
    usual = {"fields": fields, "languages": {"ru": articles}, "texts": [1000 + 10 * n for n in range(articles)]}
    return {"articles": articles, **usual, **given} if articles else given


def past(*measures: dict[str, Any], healthy: bool = True) -> list[EarlierRun]:
    return [EarlierRun(is_healthy=healthy, measures=each) for each in measures]


WELL = past(*[run()] * 8)


def test_a_run_like_the_others_has_not_moved() -> None:
    assert find_anomalies(run(), WELL) == ()


@pytest.mark.parametrize("name", OPTIONAL_FIELDS)
def test_a_field_that_vanished_is_named(name: str) -> None:
    (told,) = find_anomalies(run(fields={name: 0}), WELL)
    assert told.endswith("found in 0 of the last 8 articles, before 100 %.")
    assert told.split(" found")[0] == {"published_at": "time of publication"}.get(name, name)


@pytest.mark.parametrize("lacking", [1, 2])
def test_one_or_two_articles_without_a_field_are_nothing(lacking: int) -> None:
    assert find_anomalies(run(fields={"lead": 8 - lacking}), WELL) == ()


def test_a_field_that_comes_and_goes_is_no_news() -> None:
    before = past(*(run(fields={"lead": n}) for n in (8, 2, 5, 0, 7, 3, 8, 1)))
    assert find_anomalies(run(fields={"lead": 0}), before) == ()


@pytest.mark.parametrize("runs", [0, 1, 4])
def test_a_short_history_reports_nothing(runs: int) -> None:
    assert find_anomalies(run(fields={"lead": 0}), WELL[:runs]) == ()


def test_few_articles_are_judged_with_those_just_before() -> None:
    """One article a run: the first without a lead says nothing, the seventh in a row does."""
    history = past(*[run(1)] * 40)
    told = []
    for _ in range(8):
        found = find_anomalies(run(1, fields={"lead": 0}), history)
        told.append(bool(found))
        history = [*past(run(1, fields={"lead": 0}), healthy=not found), *history]
    assert told[:3] == [False] * 3
    assert told[-1]


def test_a_run_without_articles_neither_forgives_nor_forgets() -> None:
    bad = past(*[run(4, fields={"lead": 0})] * 2, healthy=False)
    assert find_anomalies(run(0), [*bad, *WELL])
    assert not find_anomalies(run(0), [*past(*[run(4)] * 2), *bad, *WELL])


def test_degraded_runs_are_never_what_is_compared_with() -> None:
    bad = past(*[run(fields={"lead": 0})] * 30, healthy=False)
    assert find_anomalies(run(fields={"lead": 0}), [*bad, *WELL])
    assert not find_anomalies(run(), [*bad, *WELL])


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (
            run(30, languages={"ru": 30}),
            run(12, languages={"ru": 6, "kk": 6}),
            "language kk: 0 of the last 30 articles",
        ),
        (
            run(first_seen={"all": 10, "copies": 9}),
            run(first_seen={"all": 10, "copies": 0}),
            "copies of known texts: 9",
        ),
        (run(codes={"200": 2, "404": 8}), run(codes={"200": 10}), "answers with an error: 8 of the last 10 answers"),
        (run(texts=[200] * 8), run(), "median text 200 characters, before 1035."),
        (run(sizes=[900] * 8), run(sizes=[9000] * 8), "median page of an article 900 bytes, before 9000."),
        (run(waits=[6.0] * 8), run(waits=[0.2] * 8), "median wait for an answer 6.0 s, before 0.2 s."),
        (run(lists={"pages": 1, "entries": 4}), run(lists={"pages": 2, "entries": 40}), "page 4, before 20."),
    ],
)
def test_what_moved_now_and_before(now: dict[str, Any], before: dict[str, Any], words: str) -> None:
    (told,) = find_anomalies(now, past(*[before] * 8))
    assert words in told
    assert find_anomalies(before, past(*[before] * 8)) == ()


@pytest.mark.parametrize("articles", [1_100, 50_000])
def test_run_of_very_many_articles_is_judged_too(articles: int) -> None:
    lacking = run(articles, fields={"lead": articles // 2}, texts=[1000])
    (found,) = find_anomalies(lacking, WELL)
    assert found == f"lead found in {articles // 2} of the last {articles} articles, before 100 %."
    often, seldom = (past(*[run(fields={"lead": count})] * 8) for count in (8, 0))
    assert find_anomalies(run(articles, fields={"lead": articles - 9}, texts=[1000]), often) == ()
    assert find_anomalies(run(articles, fields={"lead": 9}, texts=[1000]), seldom) == ()


def test_old_articles_that_come_new_are_a_list_gone_wild() -> None:
    before = past(*[run(first_seen={"all": 4, "copies": 0, "old": 1})] * 8)
    (told,) = find_anomalies(run(first_seen={"all": 90, "copies": 0, "old": 80}), before)
    assert told == "80 articles more than a month old came new, before at most 1 in a run."
    assert find_anomalies(run(first_seen={"all": 90, "copies": 0, "old": 40}), before) == ()
    assert find_anomalies(run(first_seen={"all": 90, "copies": 0, "old": 80}), before[:4]) == ()


def test_an_old_article_seen_first_is_counted() -> None:
    tally, now = RunStats(), datetime(2026, 5, 3, tzinfo=UTC)
    for age, verdict in ((2, Verdict.NEW), (40, Verdict.NEW), (40, Verdict.UNCHANGED), (90, Verdict.COPY)):
        tally.add_article(make_bare_article(verdict=verdict, fetched_at=now, published_at=now - timedelta(days=age)))
    assert tally.make_measures({"articles/new": 2, "articles/copy": 1}, ())["first_seen"]["old"] == 2


def test_faster_answers_and_longer_lists_are_no_trouble() -> None:
    before = run(waits=[9.0] * 8, lists={"pages": 1, "entries": 10})
    assert find_anomalies(run(waits=[0.1] * 8, lists={"pages": 1, "entries": 90}), past(*[before] * 8)) == ()


@pytest.mark.slow
def test_false_alarms_of_a_source_that_does_not_change() -> None:
    """Two thousand runs of four sources, each with leads in part, two languages and texts of very unequal length."""
    told = sum(
        alarms(rate, share, seed) for seed, (rate, share) in enumerate([(0.3, 0.6), (1, 0.9), (4, 0.3), (15, 1)])
    )
    assert told <= 4, told


def alarms(rate: float, share: float, seed: int, runs: int = 500) -> int:
    """How often a shift begins to be told in a series of runs in which nothing ever moves."""
    chance, history, count, was = random.Random(seed), [], 0, False
    for _ in range(runs):
        now = chance_run(chance, rate, share)
        found = find_anomalies(now, history[:60])
        count += bool(found) and not was
        was = bool(found)
        if now.get("articles"):
            history = [EarlierRun(is_healthy=not found, measures=now), *history]
    return count


def chance_run(chance: random.Random, rate: float, share: float) -> dict[str, Any]:
    number = sum(chance.random() < rate / 30 for _ in range(30))
    leads, kazakh = (sum(chance.random() < each for _ in range(number)) for each in (share, 0.4))
    texts = [int(chance.lognormvariate(7, 0.9)) for _ in range(number)]
    languages = {"ru": number - kazakh, "kk": kazakh}
    return run(number, fields={"lead": leads}, languages=languages, texts=texts, sizes=[9000 + n for n in texts])


def make_bare_article(**given: Any) -> Article:
    return Article(**{"id": "x:1:ru", "source": "x", "url": "https://example.org/1", "body": "текст", **given})


def test_a_tally_gives_plain_values() -> None:
    tally = RunStats()
    tally.add_page(200, 5000, 0.51234, listing=True)
    tally.add_page(200, 900, None, listing=False)
    tally.add_page(404, 10, 0.1, listing=False)
    tally.add_article(make_bare_article(title="Заголовок", language="ru"))
    tally.add_article(make_bare_article())
    tally.add_article(make_bare_article(title="Gone", verdict=Verdict.UNPUBLISHED))
    refused = Problem(kind="Blocked", message="It is forbidden by the site's robots.txt.", exit_code=11)
    assert tally.make_measures({"articles/new": 3, "articles/copy": 1, "entries": 7}, [refused]) == {
        "codes": {"200": 2, "404": 1},
        "waits": [0.512, 0.1],
        "sizes": [900],
        "lists": {"pages": 1, "entries": 7},
        "first_seen": {"all": 4, "copies": 1, "old": 0},
        "problems": {"Blocked": 1},
        "articles": 2,
        "fields": dict.fromkeys(OPTIONAL_FIELDS, 0) | {"title": 1},
        "languages": {"ru": 1, "und": 1},
        "texts": [5, 5],
    }


def test_a_long_run_keeps_some_values_only() -> None:
    tally = RunStats()
    for _ in range(10 * MAX_KEPT_VALUES):
        tally.add_article(make_bare_article())
    found = tally.make_measures({}, ())
    assert (found["articles"], len(found["texts"])) == (10 * MAX_KEPT_VALUES, MAX_KEPT_VALUES)


def test_a_run_that_saw_nothing_measures_nothing() -> None:
    assert RunStats().make_measures({}, ()) == {}
