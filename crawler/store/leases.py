"""Leases: one run a source, whatever processes and hosts there are; a lease is kept alive by heartbeats.

Time here is the database's own: `clock_timestamp()` of PostgreSQL, and for SQLite, whose file belongs to one machine,
that machine's. Clocks of two hosts may be minutes apart; were each to write its own, a host whose clock is ahead would
take every lease as long forsaken.
A holder that is seen to be dead from here is replaced at once, any other after `FORSAKEN`: also one that lives and
hangs, which finds another name in the row when it wakes, and ends.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import delete, func, select, update

from crawler.store.database import Database
from crawler.store.process_identity import ProcessIdentity, get_current_process, has_ended, is_observable
from crawler.store.runs import close_unfinished_runs
from crawler.store.statements import make_upsert
from crawler.store.telling_schema import leases

HEARTBEAT_SECONDS = 10.0
"""Seconds between two heartbeats."""
LEASE_TIMEOUT = timedelta(seconds=45)
"""A holder that was silent for longer is replaced: within a minute of its death, and not for one lock of 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who runs a source: `holder` is a name that no other holder ever has, the rest says where to look for it."""

    source: str
    holder: str
    host: str
    pid: int
    start_mark: str | None
    taken_at: datetime
    heartbeat_at: datetime

    @property
    def process(self) -> ProcessIdentity:
        """The holder's process."""
        return ProcessIdentity(self.host, self.pid, self.start_mark)

    @property
    def is_certainly_alive(self) -> bool:
        """Whether its process can be seen from here, and lives."""
        return is_observable(self.process) and not has_ended(self.process)

    def format_conflict(self, here: tzinfo) -> str:
        """Who runs the source, and what to do."""
        taken_at = self.taken_at.astimezone(here)
        is_today = taken_at.date() == datetime.now(here).date()
        since = f"{taken_at:%H:%M}" if is_today else f"{taken_at:%Y-%m-%d %H:%M}"
        return (
            f"{self.source} is being crawled by process {self.pid} on host {self.host} since {since}; two runs of one "
            "source would get into each other's way. Wait for its end, or stop it there."
        )


_PUT = make_upsert(leases, key=("source",))
_ALL = select(*(leases.c[field.name] for field in fields(Lease))).order_by(leases.c.source)


class LeaseRepository:
    """`store.leases`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, source: str, holder: str) -> Lease:
        """The lease that is in force now: this holder's, unless another one has it whose process lives and beats.

        Whoever gets it closes what the source's dead runs, of any host, left open.
        """
        with self._database.transaction(batch=True) as connection:
            now = self._now()
            former = self.get(source)
            if former is not None and former.holder != holder and not _is_forsaken(former, now):
                return former
            mine = Lease(
                source=source, holder=holder, **get_current_process()._asdict(), taken_at=now, heartbeat_at=now
            )
            if former is not None and former.holder == holder:
                mine = replace(mine, taken_at=former.taken_at)
            else:
                close_unfinished_runs(connection, source, now)
            _PUT.execute(connection, asdict(mine))
            return mine

    def renew(self, source: str, holder: str) -> bool:
        """Keep the lease alive; False when it is not this holder's any more."""
        with self._database.transaction() as connection:
            mine = update(leases).where(leases.c.source == source, leases.c.holder == holder)
            return connection.execute(mine.values(beat_at=self._now())).rowcount == 1

    def release(self, source: str, holder: str) -> None:
        """Give the lease up; somebody else's stays."""
        with self._database.transaction() as connection:
            connection.execute(delete(leases).where(leases.c.source == source, leases.c.holder == holder))

    def get(self, source: str) -> Lease | None:
        """The source's lease, whoever has it and however long it was silent."""
        rows = self._database.fetch_all(_ALL.where(leases.c.source == source))
        return Lease(**rows[0]._mapping) if rows else None

    def get_active(self, source: str) -> Lease | None:
        """The source's lease, unless it is forsaken."""
        found = self.get(source)
        return None if found is None or _is_forsaken(found, self._now()) else found

    def _now(self) -> datetime:
        if self._database.engine.dialect.name == "sqlite":
            return datetime.now(UTC)
        found: datetime = self._database.fetch_all(select(func.clock_timestamp()))[0][0]
        return found.astimezone(UTC)


def _is_forsaken(lease: Lease, now: datetime) -> bool:
    return (is_observable(lease.process) and has_ended(lease.process)) or now - lease.heartbeat_at > LEASE_TIMEOUT
