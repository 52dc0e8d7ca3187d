"""Drift: a field that left its usual place is reported while it is still read. A field without a usual place is not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crawler.items import PageStructure
from crawler.monitoring.drift import (
    MAX_PATHS_PER_FIELD,
    MIN_TEMPLATE_SIMILARITY,
    PathLedger,
    compare_templates,
    describe_drift,
    update_ledger,
)

START = datetime(2026, 11, 1, 9, 0, tzinfo=ZoneInfo("Asia/Almaty"))
HOUR = timedelta(hours=1)
OLD, NEW = "html>body>main>div.a>div.b", "html>body>main>div.a>section.c"
TEMPLATE = "0a" * 16 + ".." * 16


def page(body: str = OLD, template: str = TEMPLATE) -> PageStructure:
    return PageStructure(page="X", paths={"body": body}, template=template)


def after(
    *runs: PageStructure, ledger: PathLedger | None = None, start: datetime = START
) -> tuple[PathLedger, datetime]:
    """The ledger after runs of one page each, an hour apart, as JSON gives it back."""
    ledger, now = ledger or {}, start
    for shape in runs:
        now += HOUR
        ledger = json.loads(json.dumps(update_ledger(ledger, [shape], now)))
    return ledger, now


def test_a_field_that_moved_says_where_it_was_and_is() -> None:
    ledger, now = after(*[page()] * 34, page(NEW))
    assert describe_drift(ledger, now) == (
        "X: body was in div.a > div.b on 34 runs until 2026-11-02, now in div.a > section.c.",
    )


@pytest.mark.parametrize("runs", [0, 1, 4])
def test_a_place_hardly_known_is_left_in_silence(runs: int) -> None:
    assert describe_drift(*after(*[page()] * runs, page(NEW))) == ()


def test_a_move_is_reported_for_two_weeks() -> None:
    ledger, now = after(*[page()] * 9, *[page(NEW)] * 20)
    assert len(describe_drift(ledger, now)) == 1
    assert len(describe_drift(ledger, now + timedelta(days=13))) == 1
    assert describe_drift(ledger, now + timedelta(days=14)) == ()


def test_a_run_of_other_pages_forgets_nothing() -> None:
    ledger, now = after(*[page()] * 9, page(NEW), PageStructure(page="Y", paths={}, template=TEMPLATE))
    assert len(describe_drift(ledger, now)) == 1


def test_a_field_with_changing_places_has_not_moved() -> None:
    assert describe_drift(*after(*[page(), page(NEW)] * 10)) == ()
    both = update_ledger(after(*[page()] * 9)[0], [page(NEW), page()], START + 20 * HOUR)
    assert describe_drift(both, START + 20 * HOUR) == ()
    odd = [page(f"html>body>p.{word}") for word in "xyz"]
    assert describe_drift(*after(*[page()] * 9, *odd)) == ()


def test_coming_back_is_no_move() -> None:
    assert describe_drift(*after(*[page()] * 9, page(NEW), page())) == ()


def test_a_key_that_moved_is_reported_like_an_element() -> None:
    runs = [page("data.news[].body")] * 9
    (told,) = describe_drift(*after(*runs, page("data.news[].content.body")))
    assert told.endswith("body was in news[].body on 9 runs until 2026-11-01, now in news[].content.body.")


def test_another_template_is_reported_with_its_share() -> None:
    other = "0a" * 4 + "0b" * 12 + ".." * 16
    assert compare_templates(TEMPLATE, other) == 0.25 < MIN_TEMPLATE_SIMILARITY
    (told,) = describe_drift(*after(*[page()] * 9, page(template=other)))
    assert told == "X: its template, the same on 9 runs until 2026-11-01, has 25% of its parts left."
    nearly = "0a" * 12 + "0b" * 4 + ".." * 16
    assert describe_drift(*after(*[page()] * 9, page(template=nearly))) == ()


def test_the_ledger_stays_small() -> None:
    ledger, _ = after(*[page(f"html>body>p.{'x' * number}") for number in range(1, 40)])
    assert len(ledger["X"]["body"]) == MAX_PATHS_PER_FIELD
    late, _ = after(page(), ledger=ledger, start=START + timedelta(days=200))
    assert len(late["X"]["body"]) == 1
