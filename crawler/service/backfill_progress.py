"""How far a backfill is: days done, what is missing and why, and the time that the rest takes at the measured pace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from crawler.store import Backfill, BackfillGap, Store, WalkedList, WalkedPage

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.spiders.base import SourceSpider
    from crawler.spiders.history_lists import HistoryList

MEASURED_PAGES = 100
"""Newest pages by which the pace is measured."""
DAY = timedelta(days=1)


class TimeSpan(NamedTuple):
    """A time span (aware)."""

    begin: datetime
    end: datetime


class ListProgress(NamedTuple):
    """How far one list is walked. `ended_because` is a clause, None unless the list ended before the wanted day."""

    name: str
    is_walked: bool
    reached_at: datetime | None
    last_page: int | None
    unread: int | None
    ended_because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillProgress:
    """The state of a backfill at a moment.

    `done_since` is the oldest time that every list has reached that is not at its end. `missing` is the time that no
    list reaches. `silences` are spans without any article that are longer than the source's longest believable silence.
    `seconds_left` is working time, None if it cannot be estimated yet.
    """

    backfill: Backfill
    lists: tuple[ListProgress, ...]
    gaps: tuple[BackfillGap, ...]
    pages: int
    added: int
    done_since: datetime
    days_done: int
    days_wanted: int
    missing: TimeSpan | None
    silences: tuple[TimeSpan, ...]
    seconds_left: float | None
    requests_left: float | None
    requests_today: int
    is_finished: bool

    @property
    def has_gaps(self) -> bool:
        """Whether something of the wanted history is not there."""
        return bool(self.gaps or self.missing or self.silences)


def measure_progress(
    store: Store,
    backfill: Backfill,
    spider_class: type[SourceSpider],
    config: Config,
    *,
    started_at: datetime,
    now: datetime,
    today: str,
) -> BackfillProgress:
    """Return the state of a backfill as a command that started then sees it. `today` is the day of the requests."""
    from crawler.spiders.history_walk import is_gap_due

    lists = spider_class.list_history(config)
    walked = store.backfills.list_walked(backfill.source)
    states = tuple(_make_list_progress(each, walked.get(each.name), backfill.since, started_at) for each in lists)
    gaps = store.backfills.list_gaps(backfill.source)
    is_all_walked = all(each.is_walked for each in states)
    done_since = min(max(_find_done_time(states, now), backfill.since), now)
    pages, added = store.backfills.count_articles(backfill.source)
    seconds, requests = estimate_rest(
        states, store.backfills.list_recent_pages(backfill.source, MEASURED_PAGES), backfill.since
    )
    is_short = is_all_walked and done_since - backfill.since >= DAY
    return BackfillProgress(
        backfill=backfill,
        lists=states,
        gaps=tuple(gaps),
        pages=pages,
        added=added,
        done_since=done_since,
        days_done=(now - done_since).days,
        days_wanted=(now - backfill.since).days,
        missing=TimeSpan(backfill.since, done_since) if is_short else None,
        silences=tuple(
            find_silences(
                store.articles.list_publication_times(backfill.source, done_since, with_backfilled=True),
                spider_class.expectation.max_silence,
            )
        ),
        seconds_left=0.0 if is_all_walked else seconds,
        requests_left=0.0 if is_all_walked else requests,
        requests_today=backfill.request_count if backfill.request_day == today else 0,
        is_finished=is_all_walked and not any(is_gap_due(gap, started_at) for gap in gaps),
    )


def find_silences(times: Sequence[datetime], longest: timedelta | None) -> Iterator[TimeSpan]:
    """Yield the spans between two articles that are longer than believable. Without a limit none is known."""
    if longest is not None:
        yield from (TimeSpan(one, other) for one, other in pairwise(times) if other - one > longest)


def estimate_rest(
    states: Iterable[ListProgress], pages: Sequence[WalkedPage], since: datetime
) -> tuple[float | None, float | None]:
    """Return the seconds and the requests that the open lists still take at the pace of these pages (newest first)."""
    by_list = {
        name: list(group)
        for name, group in groupby(sorted(pages, key=lambda page: page.list_name), key=lambda page: page.list_name)
    }
    open_lists = [each for each in states if not each.is_walked]
    left = [_estimate_list(each, by_list.get(each.name, []), since) for each in open_lists]
    known = [seconds for seconds in left if seconds is not None]
    spent = sum(((page.finished_at - page.started_at).total_seconds() for page in pages), 0.0)
    if not known or spent <= 0:
        return None, None
    # A list that is not begun, or has no dates, is taken for an average one.
    seconds = sum(known) * len(left) / len(known)
    return seconds, seconds * sum(page.added + 1 for page in pages) / spent


def _estimate_list(state: ListProgress, pages: Sequence[WalkedPage], since: datetime) -> float | None:
    spent = sum((page.finished_at - page.started_at).total_seconds() for page in pages)
    if state.unread is not None:
        listed = sum(page.listed for page in pages)
        return state.unread * spent / listed if listed else None
    times = [time for page in pages for time in (page.newest_at, page.oldest_at) if time]
    if state.reached_at is None or not times or max(times) <= min(times):
        return None
    rest = max(state.reached_at - since, timedelta())
    return spent * (rest / (max(times) - min(times)))


def _make_list_progress(
    listing: HistoryList, walked: WalkedList | None, since: datetime, started_at: datetime
) -> ListProgress:
    from crawler.spiders.history_walk import is_walked

    if walked is None:
        return ListProgress(listing.name, False, None, None, None, None)
    last = walked.last
    has_reached = last.oldest_at is not None and last.oldest_at < since
    return ListProgress(
        name=listing.name,
        is_walked=is_walked(listing, walked, since, started_at),
        reached_at=walked.reached_at,
        last_page=last.page,
        unread=last.unread,
        ended_because=last.reason if last.next_page is None and not has_reached else None,
    )


def _find_done_time(states: Sequence[ListProgress], now: datetime) -> datetime:
    """Return since when the history is read: by all lists that have older articles, else as far as any list leads."""
    open_lists = [each for each in states if not each.is_walked]
    if open_lists:
        return max(each.reached_at or now for each in open_lists)
    return min((each.reached_at for each in states if each.reached_at), default=now)


def to_json(progress: BackfillProgress) -> dict[str, object]:
    """Return plain JSON values. Times are ISO 8601 in UTC."""
    return {
        "source": progress.backfill.source,
        "from": progress.backfill.since.astimezone(UTC).isoformat(),
        "finished": progress.is_finished,
        "done_since": progress.done_since.astimezone(UTC).isoformat(),
        "days_done": progress.days_done,
        "days_wanted": progress.days_wanted,
        "pages": progress.pages,
        "added": progress.added,
        "requests_today": progress.requests_today,
        "seconds_left": progress.seconds_left,
        "lists": [
            {
                **each._asdict(),
                "reached_at": each.reached_at.astimezone(UTC).isoformat() if each.reached_at else None,
            }
            for each in progress.lists
        ],
        "missing": _to_json_period(progress.missing) if progress.missing else None,
        "silences": [_to_json_period(each) for each in progress.silences],
        "gaps": [
            {"url": gap.url, "list": gap.is_list, "page": gap.page, "kind": gap.kind, "reason": gap.message}
            for gap in progress.gaps
        ],
    }


def _to_json_period(period: TimeSpan) -> dict[str, str]:
    return {"begin": period.begin.astimezone(UTC).isoformat(), "end": period.end.astimezone(UTC).isoformat()}
