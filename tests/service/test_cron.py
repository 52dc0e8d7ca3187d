"""When each source runs: crons, jitter and the next starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.empty_stores import open_test_store

from crawler.cli.commands import schedule as command
from crawler.config import Config
from crawler.errors import ConfigError
from crawler.service.cron import list_upcoming_starts, parse_cron
from crawler.service.schedule_state import Timing, apply_timing, is_start_overdue, merge_timings
from crawler.store.schedules import RUN_NOW, ScheduleState

ALMATY = ZoneInfo("Asia/Almaty")
MONDAY = datetime(2026, 11, 23, 8, 50, tzinfo=ALMATY)


def starts(cron: str, count: int, after: datetime = MONDAY) -> list[str]:
    (entry,) = list_upcoming_starts([ScheduleState(source="mfa", cron=cron)], after, count)
    return [f"{moment:%a %d.%m. %H:%M}" for moment in entry.times]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("*/15 * * * *", ["Mon 23.11. 09:00", "Mon 23.11. 09:15", "Mon 23.11. 09:30"]),
        ("*/30 * * * *", ["Mon 23.11. 09:00", "Mon 23.11. 09:30", "Mon 23.11. 10:00"]),
        ("5,35 9-10 * * *", ["Mon 23.11. 09:05", "Mon 23.11. 09:35", "Mon 23.11. 10:05"]),
        ("0 0 * * 0", ["Sun 29.11. 00:00", "Sun 06.12. 00:00", "Sun 13.12. 00:00"]),
        ("0 0 * * 7", ["Sun 29.11. 00:00", "Sun 06.12. 00:00", "Sun 13.12. 00:00"]),
        ("0 0 * * 5-7", ["Fri 27.11. 00:00", "Sat 28.11. 00:00", "Sun 29.11. 00:00"]),
        ("0 0 * * sat-sun", ["Sat 28.11. 00:00", "Sun 29.11. 00:00", "Sat 05.12. 00:00"]),
        ("0 9 * * 1-5/2", ["Mon 23.11. 09:00", "Wed 25.11. 09:00", "Fri 27.11. 09:00"]),
        ("0 9 * * */3", ["Wed 25.11. 09:00", "Sat 28.11. 09:00", "Sun 29.11. 09:00"]),
        ("0 0 * * 7/2", ["Sun 29.11. 00:00", "Sun 06.12. 00:00", "Sun 13.12. 00:00"]),
        ("0 9 1 JAN,jul *", ["Fri 01.01. 09:00", "Thu 01.07. 09:00", "Sat 01.01. 09:00"]),
    ],
)
def test_cron_means_what_crontab_means(cron: str, expected: list[str]) -> None:
    assert starts(cron, 3) == expected


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("*/15 * * *", "needs five fields (minute hour day month weekday) and has 4, did you mean '*/15 * * * *'?"),
        ("0 */15 * * * *", "has 6, did you mean '*/15 * * * *'?"),
        ("@hourly", "did you mean '0 * * * *'?"),
        ("every 15 minutes", "has 3, did you mean '*/15 * * * *'?"),
        ("", "has 0"),
        ("61 * * * *", "its minute '61' is not from 0 to 59"),
        ("0 24 * * *", "its hour '24' is not from 0 to 23"),
        ("0 0 0 * *", "its day '0' is not from 1 to 31"),
        ("0 0 * 13 *", "its month '13' is not from 1 to 12"),
        ("0 0 * * 8", "its weekday '8' is not from 0 to 7"),
        ("0 0 * * mno", "its weekday 'mno' is no weekday, did you mean 'mon'?"),
        ("0 0 * jann *", "did you mean 'jan'?"),
        ("x * * * *", "a minute is a number from 0 to 59"),
        ("30-10 * * * *", "runs backwards, did you mean '10-30'?"),
        ("*/0 * * * *", "step that is not from 1 to 59"),
        ("*/90 * * * *", "step that is not from 1 to 59"),
        ("0 9-10/5 * * *", "its hour '9-10/5' has a step that is not from 1 to 1"),
        ("59/5 * * * *", "its minute '59/5' has a step, but names one value"),
        ("1;2 * * * *", "cannot be read"),
        (",1 * * * *", "cannot be read"),
        ("0 0 31 2 *", "a day that never comes"),
    ],
)
def test_a_bad_cron_is_named_with_its_key_its_field_and_what_was_meant(cron: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cron(cron, "crawler.toml: sources.mfa.cron")
    assert str(caught.value).startswith(f"crawler.toml: sources.mfa.cron: {cron!r} ")
    assert words in str(caught.value)


def test_jitter_only_delays_and_delays_do_not_add_up() -> None:
    trigger = parse_cron("*/15 * * * *", "here", jitter=120)
    before, late = None, []
    for number in range(500):
        slot = datetime(2026, 11, 23, tzinfo=ALMATY) + number * timedelta(minutes=15)
        before = trigger.get_next_fire_time(before, before or slot)
        assert before is not None
        late.append((before - slot).total_seconds())
    assert all(0 <= seconds <= 120 for seconds in late), "one start for each quarter of an hour, none early"
    assert max(late) > 60


def test_crons_are_read_in_the_time_zone_given() -> None:
    at_nine = parse_cron("0 9 * * *", "here", "Asia/Almaty").get_next_fire_time(None, MONDAY)
    assert at_nine == datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def row(**values: object) -> ScheduleState:
    return ScheduleState(**{"source": "mfa", "cron": "*/15 * * * *", **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last_due", "expected"),
    [
        (None, True),
        (MONDAY - timedelta(days=3), True),
        (MONDAY.replace(minute=30), True),
        (MONDAY.replace(minute=45), False),
        (MONDAY.replace(minute=46), False),  # that start was delayed by jitter
        (MONDAY.replace(minute=45).astimezone(UTC), False),
    ],
)
def test_a_start_is_missed_when_a_slot_passed_since_the_last_honoured_one(
    last_due: datetime | None, expected: bool
) -> None:
    slots = parse_cron("*/15 * * * *", "here")
    assert is_start_overdue(row(last_due_at=last_due), slots, MONDAY) is expected


def test_the_planned_start_comes_first_and_a_stale_one_not_at_all() -> None:
    planned = MONDAY + timedelta(minutes=10, seconds=42)
    (entry,) = list_upcoming_starts([row(next_due_at=planned.astimezone(UTC), jitter=60)], MONDAY, 3)
    assert [f"{moment:%H:%M:%S}" for moment in entry.times] == ["09:00:42", "09:15:00", "09:30:00"]
    (entry,) = list_upcoming_starts([row(next_due_at=MONDAY - timedelta(minutes=1))], MONDAY, 1)
    assert [f"{moment:%H:%M:%S}" for moment in entry.times] == ["09:00:00"]


def test_a_paused_source_has_no_next_start() -> None:
    (entry,) = list_upcoming_starts([row(paused=True)], MONDAY, 3)
    assert (entry.is_paused, entry.times) == (True, ())
    assert command.format_next_starts(entry) == "mfa  */15 * * * *  paused"


def test_configured_timing_outranks_the_stored_one(tmp_path: Path) -> None:
    from support.scheduler_process import SqliteScheduleStore

    book = SqliteScheduleStore(tmp_path / "book.db")
    book.save(row(paused=True, last_due_at=MONDAY, next_due_at=MONDAY, jitter=5))
    rows = merge_timings(book, {"mfa": Timing(cron="0 * * * *"), "ktkz": Timing(cron="*/30 * * * *", jitter=9)})
    assert rows == [
        row(cron="0 * * * *", paused=True, last_due_at=MONDAY),
        ScheduleState(source="ktkz", cron="*/30 * * * *", jitter=9),
    ]


def test_a_requested_start_is_kept_over_a_restart() -> None:
    """Also by a watch that starts with another cron. A start that another timing planned is dropped."""
    slots = parse_cron("0 * * * *", "here")
    requested = row(last_due_at=MONDAY, next_due_at=RUN_NOW)
    for cron in ("*/15 * * * *", "0 * * * *"):
        kept = apply_timing(requested, "mfa", Timing(cron=cron))
        assert kept.next_due_at == RUN_NOW
        assert is_start_overdue(kept, slots, MONDAY)
    planned = apply_timing(row(last_due_at=MONDAY, next_due_at=MONDAY), "mfa", Timing(cron="0 * * * *"))
    assert planned.next_due_at is None
    assert not is_start_overdue(planned, slots, MONDAY)


def test_the_command_lists_each_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    timings = {
        "mfa": Timing(cron="0 9 * * *", jitter=60),
        "ktkz": Timing(cron="*/30 * * * *", reason="auto: for a reason"),
    }
    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        command.print_schedule(Config(), timings, store, count=2)
    first, never, unwatched, second, why, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("mfa  0 9 * * *  2")
    assert first.endswith("09:00 (each up to 60 s later)")
    assert (never, unwatched) == ("    never ran", "    no watch runs it now")
    assert second.startswith("ktkz  */30 * * * *  2")
    assert why == "    auto: for a reason"
