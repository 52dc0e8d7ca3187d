"""What was accepted: kept as plain values, carried on, and what it makes of a verdict."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from crawler.health.accepted import KEY, Accepted, accepted, carried_on
from crawler.health.drift import carried, drift
from crawler.health.verdict import Facts, judge
from crawler.items import Shape

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MARK = Accepted(at=NOW, run=7, first_list=True)


def test_it_is_kept_as_plain_values() -> None:
    assert accepted(json.loads(json.dumps({KEY: MARK.plain()}))) == MARK
    assert accepted({}) is None


@pytest.mark.parametrize(("replaced", "holds"), [(1, True), (0, False)])
def test_a_list_that_is_back_is_expected_again(replaced: int, holds: bool) -> None:
    after = carried_on(MARK, {"lists_replaced": replaced})
    assert after is not None
    assert (after.first_list, after.run, after.at) == (holds, 7, NOW)
    assert carried_on(None, {"lists_replaced": replaced}) is None


@pytest.mark.parametrize(("mark", "code"), [(None, 14), (Accepted(at=NOW, run=7), 14), (MARK, 0)])
def test_an_accepted_list_is_no_trouble(mark: Accepted | None, code: int) -> None:
    counts = {"entries": 7, "lists_replaced": 1}
    facts = Facts(title="X", least_links=3, silence=None, counts=counts, newest=NOW, now=NOW, accepted=mark)
    assert judge(facts)[2] == code


def test_what_had_moved_by_then_is_told_no_longer() -> None:
    ledger, now = {}, NOW
    for body in ["html>p"] * 6 + ["html>div"]:
        now += timedelta(hours=1)
        ledger = carried(ledger, [Shape(page="X", paths={"body": body}, template="..")], now)
    assert len(drift(ledger, now)) == len(drift(ledger, now, NOW)) == 1
    assert drift(ledger, now, now) == ()
