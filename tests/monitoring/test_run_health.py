"""A run's health: every one with its sentence and exit code, from plain facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.errors import Blocked, MissingSnapshot, NoArticles, PageChanged, Unreachable
from crawler.extensions.monitoring import get_counts
from crawler.items import Health, Problem
from crawler.monitoring.run_health import RunFacts, judge_run

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
AWAKE, ASLEEP = timedelta(days=7), None


def judge(*codes: int, silence: timedelta | None = AWAKE, **given: Any) -> tuple[Health, str, int]:
    problems = tuple(Problem(kind="x", message=f"Trouble {code}.", exit_code=code) for code in codes)
    return judge_run(
        RunFacts(title="The source", min_links=3, max_silence=silence, problems=problems, now=NOW, **given)
    )


@pytest.mark.parametrize(
    ("codes", "health", "code"),
    [
        ((1,), Health.FAILED, 1),
        ((2,), Health.FAILED, 2),
        ((Unreachable.exit_code,), Health.UNREACHABLE, 10),
        ((Blocked.exit_code,), Health.BLOCKED, 11),
        ((PageChanged.exit_code,), Health.CHANGED, 12),
        ((MissingSnapshot.exit_code,), Health.CHANGED, 12),
        ((NoArticles.exit_code,), Health.SILENT, 13),
        ((13, 10, 11), Health.BLOCKED, 11),
        ((13, 10), Health.UNREACHABLE, 10),
        ((11, 12, 11), Health.CHANGED, 12),
        ((12, 1), Health.FAILED, 1),
    ],
)
def test_worst_problem_is_the_health(codes: tuple[int, ...], health: Health, code: int) -> None:
    counts = {"articles/new": 5, "entries": 5}
    more = f" (and {len(codes) - 1} more)" if len(codes) > 1 else ""
    assert judge(*codes, counts=counts) == (health, f"Trouble {code}.{more}", code)


@pytest.mark.parametrize("counts", [{}, {"entries": 2}, {"pages": 4}, {"articles/new": 0}, {"dropped": 1}])
def test_nothing_listed_and_nothing_read_is_silent(counts: dict[str, int]) -> None:
    health, sentence, code = judge(counts=counts, newest_published_at=NOW)
    assert (health, code) == (Health.SILENT, 13)
    assert sentence.startswith("The source: nothing was listed")


@pytest.mark.parametrize(
    "name",
    ["articles/new", "articles/unchanged", "not_modified", "expected_errors", "no_article", "skipped", "too_old"],
)
def test_one_page_that_was_fine_is_enough(name: str) -> None:
    assert judge(counts={name: 1}, newest_published_at=NOW)[0] is Health.HEALTHY


def test_a_full_list_of_known_articles_is_healthy() -> None:
    assert judge(counts={"entries": 3}, newest_published_at=NOW) == (Health.HEALTHY, "Nothing new.", 0)


@pytest.mark.parametrize(
    ("days", "health"), [(0, Health.HEALTHY), (7, Health.HEALTHY), (8, Health.SILENT), (400, Health.SILENT)]
)
def test_silence_longer_than_believable(days: int, health: Health) -> None:
    found, sentence, code = judge(counts={"entries": 5}, newest_published_at=NOW - timedelta(days=days))
    assert (found, code) == (health, 13 if health is Health.SILENT else 0)
    assert (f"nothing new for {days} days" in sentence) == (health is Health.SILENT)


def test_silence_does_not_matter_for_a_single_page() -> None:
    assert judge(counts={"articles/new": 1}, newest_published_at=NOW - timedelta(days=400), is_single_page=True)[2] == 0


def test_unknown_newest_article_is_no_silence() -> None:
    assert judge(counts={"articles/new": 1}, newest_published_at=None)[2] == 0


def test_source_that_may_be_asleep_says_how_long() -> None:
    health, sentence, code = judge(
        silence=ASLEEP, counts={"entries": 3}, newest_published_at=NOW - timedelta(days=1200)
    )
    assert (health, code) == (Health.HEALTHY, 0)
    assert "1200 days old" in sentence
    assert (
        judge(silence=ASLEEP, counts={"entries": 3}, newest_published_at=NOW - timedelta(days=30))[1] == "Nothing new."
    )


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"articles/new": 2}, "2 new, 0 revised."),
        ({"articles/new": 2, "articles/copy": 1, "articles/revised": 3}, "3 new, 3 revised."),
        ({"articles/unchanged": 9}, "Nothing new."),
    ],
)
def test_what_a_healthy_run_found(counts: dict[str, int], sentence: str) -> None:
    assert judge(counts=counts, newest_published_at=NOW) == (Health.HEALTHY, sentence, 0)


def test_listed_addresses_without_a_result_are_named() -> None:
    lost = tuple(f"https://example.org/{number}" for number in range(5))
    health, sentence, code = judge(counts={"articles/new": 2, "entries": 7}, newest_published_at=NOW, unaccounted=lost)
    assert (health, code) == (Health.DEGRADED, 14)
    assert sentence == (
        "2 new, 0 revised; listed, but not read: https://example.org/0, https://example.org/1, "
        "https://example.org/2 and 2 more."
    )


def test_another_list_that_stood_in_is_no_health() -> None:
    health, sentence, code = judge(counts={"entries": 7, "lists_replaced": 1}, newest_published_at=NOW)
    assert (health, code) == (Health.DEGRADED, 14)
    assert sentence.startswith("Nothing new; its first list failed")


@pytest.mark.parametrize(
    ("count", "words"),
    [
        ("lists_cut_off", "Nothing new; 1 list came cut off, and may not name every article."),
        ("damaged", "Nothing new; 1 article came cut off or in a wrong encoding: the text is no revision"),
    ],
)
def test_a_list_or_an_article_that_came_damaged_degrades_the_run(count: str, words: str) -> None:
    health, sentence, code = judge(counts={"entries": 7, count: 1}, newest_published_at=NOW)
    assert (health, code) == (Health.DEGRADED, 14)
    assert sentence.startswith(words)


def test_a_problem_outranks_what_may_be_lost() -> None:
    assert judge(11, counts={"articles/new": 2}, unaccounted=("https://example.org/1",))[2] == 11


def test_counts_are_the_houses_own() -> None:
    stats = {"crawler/pages": 3, "crawler/articles/new": 1, "downloader/request_count": 9, "elapsed": 1.5}
    assert get_counts(stats) == {"pages": 3, "articles/new": 1}


def test_pages_that_only_the_generic_reader_could_read_degrade_the_run() -> None:
    why = "https://x.example/1: the field 'title' was looked for with 'h1', found nothing."
    health, reason, code = judge(counts={"articles/new": 2, "read_generically": 2}, changes=(why,))
    assert (health, code) == (Health.DEGRADED, 14)
    assert reason.startswith("2 new, 0 revised; 2 articles were read by the generic reader")
    assert reason.endswith(why)
