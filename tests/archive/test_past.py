"""Which run was going on at a time: by what records say, by the store, by pauses; never another in its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.archive.exchange import Exchange
from crawler.archive.past import PastRun, archive_root, find, read_run, tag_of
from crawler.archive.warc import WarcWriter
from crawler.errors import NothingStored
from crawler.items import Run

TEN = datetime(2026, 3, 6, 10, 0, 0, 400_000, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def keep(root: Path, *moments: datetime, tag: str | None = None, name: str = "page") -> None:
    """Records of these times, as one writer appends them."""
    with WarcWriter(root, "qazmonitor", software="test") as writer:
        for number, moment in enumerate(moments):
            writer.write(
                Exchange(
                    url=f"https://qazmonitor.com/{name}/{number}",
                    method="GET",
                    request_headers=(),
                    payload=b"",
                    status=200,
                    headers=((b"Content-Type", b"text/html"),),
                    body=f"<p>{name} {number}".encode(),
                    fetched_at=moment,
                    run=tag,
                )
            )


def run_from(started: datetime, number: int = 1, ended: datetime | None = None) -> Run:
    return Run(id=number, source="qazmonitor", started_at=started, finished_at=ended)


def tag(started: datetime, number: int = 1, limit: int | None = None) -> str:
    return tag_of(run_from(started, number), since=None, limit=limit, url=None)


def addresses(root: Path, past: PastRun) -> list[str]:
    return [kept.snapshot.url.removeprefix("https://qazmonitor.com/") for kept in read_run(root, past)]


def test_a_run_has_the_clock_and_the_wishes_that_its_records_tell(tmp_path: Path) -> None:
    keep(tmp_path, TEN + SECOND, TEN + 5 * SECOND, tag=tag(TEN, limit=3))
    past = find(tmp_path, "qazmonitor", TEN + 2 * SECOND)
    assert (past.started_at, past.limit, past.since, past.url) == (TEN, 3, None, None)
    assert past.ended_at == (TEN + 5 * SECOND).replace(microsecond=0)


def test_runs_side_by_side_in_one_file_are_told_apart(tmp_path: Path) -> None:
    one, other = tag(TEN, 1), tag(TEN + SECOND, 2)
    keep(tmp_path, TEN + SECOND, tag=one, name="one")
    keep(tmp_path, TEN + 2 * SECOND, tag=other, name="other")
    keep(tmp_path, TEN + 3 * SECOND, tag=one, name="one-more")
    past = find(tmp_path, "qazmonitor", TEN)
    assert addresses(tmp_path, past) == ["one/0", "one-more/0"]


def test_records_that_tell_nothing_are_of_a_run_by_their_pauses(tmp_path: Path) -> None:
    keep(tmp_path, TEN, TEN + 100 * SECOND, name="first")
    keep(tmp_path, TEN + 15 * MINUTE, name="second")
    past = find(tmp_path, "qazmonitor", TEN + 50 * SECOND)
    assert addresses(tmp_path, past) == ["first/0", "first/1"]
    assert past.started_at == TEN.replace(microsecond=0)


def test_where_the_store_knows_the_run_its_bounds_count(tmp_path: Path) -> None:
    keep(tmp_path, TEN + SECOND, TEN + 10 * SECOND, TEN + 70 * SECOND)
    stored = run_from(TEN, ended=TEN + 30 * SECOND)
    past = find(tmp_path, "qazmonitor", TEN + 5 * SECOND, [stored])
    assert (past.started_at, past.ended_at) == (stored.started_at, stored.finished_at)
    assert addresses(tmp_path, past) == ["page/0", "page/1"]


def test_a_time_of_whole_minutes_is_that_minute(tmp_path: Path) -> None:
    started = TEN + 20 * SECOND
    keep(tmp_path, started + SECOND, tag=tag(started))
    assert find(tmp_path, "qazmonitor", TEN.replace(second=0, microsecond=0)).started_at == started
    with pytest.raises(NothingStored):
        find(tmp_path, "qazmonitor", TEN.replace(second=5))


def test_a_run_past_midnight_is_one_run(tmp_path: Path) -> None:
    late = datetime(2026, 3, 6, 23, 59, 58, tzinfo=UTC)
    keep(tmp_path, late, late + 4 * SECOND, tag=tag(late))
    assert len(list((tmp_path / "qazmonitor").iterdir())) == 2
    for moment in (late, late + 4 * SECOND):
        assert addresses(tmp_path, find(tmp_path, "qazmonitor", moment)) == ["page/0", "page/1"]


def test_no_other_run_is_taken_and_the_nearest_are_named(tmp_path: Path) -> None:
    keep(tmp_path, TEN + SECOND, tag=tag(TEN))
    with pytest.raises(NothingStored, match="The nearest began at 2026-03-06T10:00:00"):
        find(tmp_path, "qazmonitor", TEN + 7 * MINUTE + SECOND)
    with pytest.raises(NothingStored, match="none of that day"):
        find(tmp_path, "qazmonitor", TEN + timedelta(days=30))


def test_a_damaged_tag_still_holds_its_records_together(tmp_path: Path) -> None:
    keep(tmp_path, TEN, TEN + 10 * MINUTE, tag="{broken")
    past = find(tmp_path, "qazmonitor", TEN + MINUTE)
    assert past.started_at == TEN.replace(microsecond=0)
    assert addresses(tmp_path, past) == ["page/0", "page/1"]


def test_a_file_that_breaks_off_gives_what_is_whole(tmp_path: Path) -> None:
    keep(tmp_path, TEN, TEN + SECOND, tag=tag(TEN))
    (path,) = (tmp_path / "qazmonitor").iterdir()
    path.write_bytes(path.read_bytes()[:-40])
    assert addresses(tmp_path, find(tmp_path, "qazmonitor", TEN)) == ["page/0", "page/1"]


def test_files_of_records_are_named_from_the_archive_on(tmp_path: Path) -> None:
    keep(tmp_path, TEN, tag=tag(TEN))
    (path,) = (tmp_path / "qazmonitor").iterdir()
    assert archive_root(tmp_path, "qazmonitor") == archive_root(path, "qazmonitor") == tmp_path
    assert addresses(path, find(path, "qazmonitor", TEN)) == ["page/0"]
