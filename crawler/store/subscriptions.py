"""The state of each subscription: when it started, and how far its digests reach."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import select, update

from crawler.store.database import Database
from crawler.store.schema import subscriptions
from crawler.store.statements import make_insert_if_absent, select_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionState:
    """A subscription's start, the end of its last digest's period (or None), and its latest empty digests in a row."""

    name: str
    started_at: datetime
    digest_until: datetime | None
    empty_digests: int


_SELECT = select(*select_columns(subscriptions, (field.name for field in fields(SubscriptionState))))
_ADD = make_insert_if_absent(subscriptions)


class SubscriptionRepository:
    """`store.subscriptions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_or_start(self, names: Collection[str], now: datetime) -> dict[str, SubscriptionState]:
        """Return the subscriptions by name. A new one starts now."""
        rows = self._database.fetch_all(_SELECT.where(subscriptions.c.name.in_(names))) if names else []
        found = {row.name: SubscriptionState(**row._mapping) for row in rows}
        started_at = now.replace(microsecond=0)  # pages have whole seconds: an article read from now on is not older
        new = [
            SubscriptionState(name=name, started_at=started_at, digest_until=None, empty_digests=0)
            for name in names
            if name not in found
        ]
        if new:
            with self._database.transaction() as connection:
                connection.execute(_ADD[connection.dialect.name], [asdict(each) for each in new])
        return found | {each.name: each for each in new}

    def record_digest(self, name: str, until: datetime, empty_digests: int) -> None:
        """Write the end of a digest's period, and how many digests in a row were empty."""
        with self._database.transaction() as connection:
            chosen = update(subscriptions).where(subscriptions.c.name == name)
            connection.execute(chosen.values(digest_until=until, empty_digests=empty_digests))
