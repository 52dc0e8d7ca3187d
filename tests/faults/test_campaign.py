"""Each fault of the campaign has the result in `tests/faults.toml`: nothing is lost or duplicated, and it heals."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fault_campaign import Fault, list_faults, run_fault
from support.fault_table import PAGE, PLACE, format_table


def test_the_table_for_operators_is_the_campaigns() -> None:
    found = PLACE.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == format_table()


def test_there_are_many_faults_of_every_source() -> None:
    listed = list(list_faults())
    assert len(listed) >= 30
    assert len({fault.name for fault in listed}) == len(listed)
    assert {fault.source for fault in listed} == {"mfa", "qazmonitor", "ktkz"}


def titles(fault: Fault) -> list[str]:
    """Return the titles of the operator's alarms: the trouble, and its end unless nothing could be stored."""
    if fault.verdict == "none":
        return [f"{fault.source}: failed, and the store cannot be written"]
    return [f"{fault.source}: {fault.verdict}", f"{fault.source} is well again"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", list(list_faults()), ids=lambda fault: fault.name.replace(" ", "-"))
@pytest.mark.campaign
def test_fault(fault: Fault, tmp_path: Path) -> None:
    came = run_fault(fault, tmp_path)
    assert (came.code, came.verdict) == (fault.exit, fault.verdict), came
    assert fault.words in came.sentence + came.all_output
    assert "Traceback" not in came.all_output
    assert came.missing == came.expected_missing[fault.missing]
    assert came.expected_missing["newest"]
    assert came.requests <= 60
    assert came.alarm_titles == (titles(fault) if fault.alarm else [])
    assert came.healed_code == 0, came.healed_said
    assert (came.still_missing, came.surplus) == (set(), set())
    # The copy writes an article's date into its text too, so a corrected date revises the text.
    # A damaged text is version 1, the sound one version 2.
    assert came.revised_ids == {} or fault.special == "clock_ahead" or "wrong encoding" in fault.words
