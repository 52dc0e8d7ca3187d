"""Leases: one run per source at a time, over all processes and hosts. A heartbeat renews a lease.

Times are the database's own: `clock_timestamp()` of PostgreSQL, and for SQLite the clock of the one machine that has
the file. Clocks of two hosts may differ by minutes. With each host's own clock, one that is ahead would take every
lease as expired.

If the holder has ended on this host, its lease can be acquired at once, any other one after `LEASE_TIMEOUT`. That
includes a holder that hangs. When it continues, each of its transactions finds another holder in the row and writes
nothing (`fence_writes`): a new holder and a write exclude each other, because acquiring is exclusive.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import Connection, bindparam, delete, func, select, update

from crawler.errors import LeaseLost
from crawler.store.database import Database
from crawler.store.process_identity import ProcessIdentity, get_current_process, has_ended, is_observable
from crawler.store.runs import close_unfinished_runs
from crawler.store.schema import leases
from crawler.store.statements import execute_by_driver, make_upsert, select_columns

HEARTBEAT_SECONDS = 10.0
LEASE_TIMEOUT = timedelta(seconds=45)
"""A lease without a heartbeat for this long has expired: more than one wait of 30 s for a lock, less than a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who runs a source. `holder` is unique; host, process id and start mark identify the holder's process."""

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
        """Whether this process can see the holder's process, and it lives."""
        return is_observable(self.process) and not has_ended(self.process)

    def format_conflict(self, zone: tzinfo) -> str:
        """Return who runs the source and what to do, with times in this zone."""
        taken_at = self.taken_at.astimezone(zone)
        is_today = taken_at.date() == datetime.now(zone).date()
        since = f"{taken_at:%H:%M}" if is_today else f"{taken_at:%Y-%m-%d %H:%M}"
        return (
            f"{self.source} is being crawled by process {self.pid} on host {self.host} since {since}. Only one run per "
            "source is allowed at a time. Wait until it ends, or stop it there."
        )


_SAVE = make_upsert(leases, key=("source",))
_SELECT = select(*select_columns(leases, (field.name for field in fields(Lease)))).order_by(leases.c.source)
_GET = _SELECT.where(leases.c.source == bindparam("of_source"))
# The driver's own SQL, because each save of a run executes it.
_HAS_LEASE = {
    dialect: f"SELECT 1 FROM leases WHERE source = {mark} AND holder = {mark}"
    for dialect, mark in (("sqlite", "?"), ("postgresql", "%s"))
}


class LeaseRepository:
    """`store.leases`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, source: str, holder: str) -> Lease:
        """Return the lease that is now in force: this holder's, unless another holder has one that has not expired.

        A new holder closes the unfinished live runs of the source, of any host.
        """
        with self._database.transaction(exclusive=True, is_fenced=False) as connection:
            now = self._get_database_time()
            former = self.get(source)
            if former is not None and former.holder != holder and not _has_expired(former, now):
                return former
            own = Lease(source=source, holder=holder, **get_current_process()._asdict(), taken_at=now, heartbeat_at=now)
            if former is not None and former.holder == holder:
                own = replace(own, taken_at=former.taken_at)
            else:
                close_unfinished_runs(connection, source, now)
            connection.execute(_SAVE[connection.dialect.name], asdict(own))
            return own

    def renew(self, source: str, holder: str) -> bool:
        """Write a heartbeat. Return False if this holder has lost the lease."""
        with self._database.transaction(is_fenced=False) as connection:
            own = update(leases).where(leases.c.source == source, leases.c.holder == holder)
            return connection.execute(own.values(heartbeat_at=self._get_database_time())).rowcount == 1

    def release(self, source: str, holder: str) -> None:
        """Delete this holder's lease. Another holder's lease stays."""
        with self._database.transaction(is_fenced=False) as connection:
            connection.execute(delete(leases).where(leases.c.source == source, leases.c.holder == holder))

    def fence_writes(self, source: str, holder: str) -> None:
        """From now on, write nothing to this store unless this holder has the lease: raise LeaseLost instead."""

        def raise_if_not_held(connection: Connection) -> None:
            has_lease = execute_by_driver(connection, _HAS_LEASE[connection.dialect.name], (source, holder))
            if has_lease.fetchone() is None:
                self.raise_if_lost(source, holder)

        self._database.fence = raise_if_not_held

    def raise_if_lost(self, source: str, holder: str) -> None:
        """Raise LeaseLost if another holder, or none, has the lease. Within a transaction, this stays so to its end."""
        lease = self.get(source)
        if lease is None or lease.holder != holder:
            who = f"process {lease.pid} on host {lease.host} has it" if lease else "its holder released it"
            raise LeaseLost(
                f"The run of {source} sent no heartbeat for too long and lost its lease ({who}). It ends, and leaves "
                "what it has not stored to the other run. Was the machine asleep, or the database unreachable?"
            )

    def get(self, source: str) -> Lease | None:
        """Return the source's lease, also an expired one."""
        rows = self._database.fetch_all(_GET, {"of_source": source})
        return Lease(**rows[0]._mapping) if rows else None

    def get_active(self, source: str) -> Lease | None:
        """Return the source's lease, or None if it has expired."""
        found = self.get(source)
        return None if found is None or _has_expired(found, self._get_database_time()) else found

    def list_active(self) -> list[Lease]:
        """Return all leases that have not expired, by source."""
        now = self._get_database_time()
        found = [Lease(**row._mapping) for row in self._database.fetch_all(_SELECT)]
        return [lease for lease in found if not _has_expired(lease, now)]

    def _get_database_time(self) -> datetime:
        if self._database.engine.dialect.name == "sqlite":
            return datetime.now(UTC)
        found: datetime = self._database.fetch_all(select(func.clock_timestamp()))[0][0]
        return found.astimezone(UTC)


def _has_expired(lease: Lease, now: datetime) -> bool:
    """Return whether the holder has ended or is silent. A heartbeat in the future is from before a clock was set back.

    A living holder renews it within `HEARTBEAT_SECONDS`. One that has ended with the machine would keep the source
    until that time.
    """
    if is_observable(lease.process):
        if has_ended(lease.process):
            return True
        return now - lease.heartbeat_at > LEASE_TIMEOUT
    return abs(now - lease.heartbeat_at) > LEASE_TIMEOUT
