"""Backfills: how far each list of a source's history is walked, and what could not be read on the way.

A page is recorded in one transaction with its gaps, once all its articles are stored or failed. So whatever ends a run,
the next one begins with the first page that is not recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, select, update

from crawler.store.backfill_schema import backfill_gaps, backfill_pages, backfills
from crawler.store.column_types import make_url_key
from crawler.store.database import Database
from crawler.store.statements import make_insert_if_absent, make_upsert, select_columns


def get_walk_lease(source: str) -> str:
    """Return the name of the lease of the command that walks a source's history, window by window."""
    return f"backfill:{source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """That a source's history is wanted from `since` on. `request_count` are the requests of the day `request_day`."""

    source: str
    since: datetime
    started_at: datetime
    request_day: str | None = None
    request_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkedPage:
    """A list page whose articles are all stored, or are gaps.

    `next_page` is None at the end of the list, for which `reason` has a clause. `end_count` is how often in a row the
    list ended here, 0 if a page follows. `unread` are the addresses of a sitemap that later windows read, else None.
    `newest_at` and `oldest_at` are publication times of its articles, None if there is none. A quarter is before
    `oldest_at`, so that an old article at the top of each page does not count.
    """

    id: int | None = None
    source: str
    list_name: str
    page: int
    next_page: int | None
    is_retry: bool = False
    listed: int = 0
    added: int = 0
    unread: int | None = None
    newest_at: datetime | None = None
    oldest_at: datetime | None = None
    end_count: int = 0
    reason: str | None = None
    run_id: int | None = None
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillGap:
    """A list page (`is_list`) or an article that could not be read. `kind` is the name of an error class.

    `is_settled`: the address rightly has no article, so it is neither reported nor requested again. A list page lacks
    articles published between `older_at` and `newer_at`, as far as these are known.
    """

    source: str
    url: str
    list_name: str
    page: int
    is_list: bool = False
    is_settled: bool = False
    kind: str
    message: str
    newer_at: datetime | None = None
    older_at: datetime | None = None
    tries: int = 1
    first_at: datetime
    last_at: datetime


class WalkedList(NamedTuple):
    """A list as far as it is walked. `last` is the page that was read last, without retries."""

    name: str
    last: WalkedPage
    reached_at: datetime | None
    """The oldest `oldest_at` of its pages."""


_SAVE = make_upsert(backfills, key=("source",))
_SELECT = select(*select_columns(backfills, (field.name for field in fields(Backfill)))).order_by(backfills.c.source)
_OF_SOURCE = backfills.c.source == bindparam("of_source")
_ADD_REQUEST = update(backfills).where(_OF_SOURCE, backfills.c.request_day == bindparam("of_day"))
_BEGIN_DAY = update(backfills).where(_OF_SOURCE).values(request_day=bindparam("of_day"), request_count=1)
_SELECT_PAGES = select(*select_columns(backfill_pages, (field.name for field in fields(WalkedPage))))
_SELECT_GAPS = select(*select_columns(backfill_gaps, (field.name for field in fields(BackfillGap))))
_ADD_GAP = make_insert_if_absent(backfill_gaps)
_OF_GAP = (backfill_gaps.c.source == bindparam("of_source"), backfill_gaps.c.url_key == bindparam("of_key"))
_REPEAT_GAP = update(backfill_gaps).where(*_OF_GAP).values(tries=backfill_gaps.c.tries + 1)
_DELETE_GAP = delete(backfill_gaps).where(*_OF_GAP)
_REPEATED_COLUMNS = ("kind", "message", "is_settled", "last_at")
"""What one more failure of a gap changes."""


class BackfillRepository:
    """`store.backfills`. The holder of a source's lease writes its rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source: str) -> Backfill | None:
        """Return the source's backfill, or None."""
        rows = self._database.fetch_all(_SELECT.where(backfills.c.source == source))
        return Backfill(**rows[0]._mapping) if rows else None

    def list_all(self) -> list[Backfill]:
        """Return all backfills by source."""
        return [Backfill(**row._mapping) for row in self._database.fetch_all(_SELECT)]

    def save(self, backfill: Backfill) -> None:
        """Write a source's backfill over the former one. What was walked stays."""
        with self._database.transaction() as connection:
            connection.execute(_SAVE[connection.dialect.name], asdict(backfill))

    def count_request(self, source: str, day: str) -> None:
        """Count a request that is being sent, so that no kill hides it from the limit of the day (`2026-01-31`)."""
        key = {"of_source": source, "of_day": day}
        with self._database.transaction() as connection:
            added = connection.execute(_ADD_REQUEST.values(request_count=backfills.c.request_count + 1), key)
            if added.rowcount != 1:
                connection.execute(_BEGIN_DAY, key)

    def record_page(self, page: WalkedPage, gaps: Iterable[BackfillGap] = (), closed: Collection[str] = ()) -> None:
        """Write a page with its gaps, and delete the gaps at the `closed` addresses, in one transaction."""
        row = asdict(page)
        del row["id"]
        with self._database.transaction() as connection:
            connection.execute(backfill_pages.insert(), row)
            for url in closed:
                connection.execute(_DELETE_GAP, {"of_source": page.source, "of_key": make_url_key(url)})
            for gap in gaps:
                values = {**asdict(gap), "url_key": make_url_key(gap.url)}
                if connection.execute(_ADD_GAP[connection.dialect.name], values).rowcount != 1:
                    changed = {name: values[name] for name in _REPEATED_COLUMNS}
                    key = {"of_source": gap.source, "of_key": values["url_key"]}
                    connection.execute(_REPEAT_GAP.values(changed), key)

    def list_walked(self, source: str) -> dict[str, WalkedList]:
        """Return how far each list of the source is walked, by the list's name."""
        walked = (backfill_pages.c.source == source, backfill_pages.c.is_retry.is_(False))
        query = select(backfill_pages.c.list_name, func.min(backfill_pages.c.oldest_at)).where(*walked)
        rows: Sequence[Any] = self._database.fetch_all(query.group_by(backfill_pages.c.list_name))
        reached: dict[str, datetime | None] = {row[0]: row[1] for row in rows}
        found = {}
        for name, time in reached.items():
            newest = _SELECT_PAGES.where(*walked, backfill_pages.c.list_name == name)
            pages = self._list_pages(newest.order_by(backfill_pages.c.id.desc()).limit(1))
            found[name] = WalkedList(name, pages[0], time)
        return found

    def list_recent_pages(self, source: str, limit: int) -> list[WalkedPage]:
        """Return the source's pages that were walked last, the newest first, without retries."""
        walked = (backfill_pages.c.source == source, backfill_pages.c.is_retry.is_(False))
        return self._list_pages(_SELECT_PAGES.where(*walked).order_by(backfill_pages.c.id.desc()).limit(limit))

    def count_articles(self, source: str) -> tuple[int, int]:
        """Return how many pages a backfill has walked, and how many articles it has added."""
        query = select(func.count(), func.coalesce(func.sum(backfill_pages.c.added), 0))
        rows: Sequence[Any] = self._database.fetch_all(query.where(backfill_pages.c.source == source))
        return rows[0][0], rows[0][1]

    def list_gaps(self, source: str, *, with_settled: bool = False) -> list[BackfillGap]:
        """Return the source's gaps, lists first, then by page and address. `with_settled`: and those without news."""
        query = _SELECT_GAPS.where(backfill_gaps.c.source == source)
        if not with_settled:
            query = query.where(backfill_gaps.c.is_settled.is_(False))
        order = (backfill_gaps.c.is_list.desc(), backfill_gaps.c.list_name, backfill_gaps.c.page, backfill_gaps.c.url)
        return [BackfillGap(**row._mapping) for row in self._database.fetch_all(query.order_by(*order))]

    def list_gap_urls(self, source: str, urls: Collection[str]) -> set[str]:
        """Return which of these addresses are gaps, settled or not."""
        keys = {make_url_key(url): url for url in urls}
        found = set()
        chosen = list(keys)
        for start in range(0, len(chosen), 500):
            part = backfill_gaps.c.url_key.in_(chosen[start : start + 500])
            query = select(backfill_gaps.c.url_key).where(backfill_gaps.c.source == source, part)
            found |= {keys[row[0]] for row in self._database.fetch_all(query)}
        return found

    def _list_pages(self, query: Any) -> list[WalkedPage]:
        return [WalkedPage(**row._mapping) for row in self._database.fetch_all(query)]
