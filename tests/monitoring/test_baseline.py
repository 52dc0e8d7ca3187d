"""The baseline: stored as JSON values, copied by later runs, and its effect on a run's health."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from crawler.items import PageStructure
from crawler.monitoring.baseline import BASELINE_KEY, Baseline, get_baseline, update_baseline
from crawler.monitoring.drift import describe_drift, update_ledger
from crawler.monitoring.run_health import RunFacts, judge_run

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MARK = Baseline(accepted_at=NOW, run_id=7, first_list=True)


def test_it_is_kept_as_plain_values() -> None:
    assert get_baseline(json.loads(json.dumps({BASELINE_KEY: MARK.to_dict()}))) == MARK
    assert get_baseline({}) is None


@pytest.mark.parametrize(("replaced", "holds"), [(1, True), (0, False)])
def test_a_list_that_is_back_is_expected_again(replaced: int, holds: bool) -> None:
    after = update_baseline(MARK, {"lists_replaced": replaced})
    assert after is not None
    assert (after.first_list, after.run_id, after.accepted_at) == (holds, 7, NOW)
    assert update_baseline(None, {"lists_replaced": replaced}) is None


@pytest.mark.parametrize(("mark", "code"), [(None, 14), (Baseline(accepted_at=NOW, run_id=7), 14), (MARK, 0)])
def test_an_accepted_list_is_no_trouble(mark: Baseline | None, code: int) -> None:
    counts = {"entries": 7, "lists_replaced": 1}
    facts = RunFacts(
        title="X", min_links=3, max_silence=None, counts=counts, newest_published_at=NOW, now=NOW, baseline=mark
    )
    assert judge_run(facts)[2] == code


def test_a_move_before_the_baseline_is_not_reported() -> None:
    ledger, now = {}, NOW
    for body in ["html>p"] * 6 + ["html>div"]:
        now += timedelta(hours=1)
        ledger = update_ledger(ledger, [PageStructure(page="X", paths={"body": body}, template="..")], now)
    assert len(describe_drift(ledger, now)) == len(describe_drift(ledger, now, NOW)) == 1
    assert describe_drift(ledger, now, now) == ()
