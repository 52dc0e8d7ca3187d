"""The log of who changed what and when. What readers do with articles is in `reader_actions`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import insert, select

from crawler.store.database import Database
from crawler.store.statements import select_columns
from crawler.store.user_schema import audit_log


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change. `action` is a word such as `user.add`, `about` what it changed, `address` that of the sender."""

    id: int
    made_at: datetime
    made_by: str
    action: str
    about: str
    address: str | None


_SELECT_ENTRIES = select(*select_columns(audit_log, (field.name for field in fields(AuditEntry))))


class AuditRepository:
    """`store.audit`. Entries are never changed, except that the name of a user can be erased."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, made_by: str, action: str, about: str, *, at: datetime, address: str | None = None) -> None:
        """Write who did what. Never pass a secret."""
        row = {"made_at": at, "made_by": made_by, "action": action, "about": about, "address": address}
        with self._database.transaction(exclusive=True) as connection:
            connection.execute(insert(audit_log), row)

    def list_newest(self, limit: int, *, made_by: str | None = None, before: int | None = None) -> list[AuditEntry]:
        """Return the newest entries, of one user or of all, before an id."""
        query = _SELECT_ENTRIES.order_by(audit_log.c.id.desc()).limit(limit)
        if made_by is not None:
            query = query.where(audit_log.c.made_by == made_by)
        if before is not None:
            query = query.where(audit_log.c.id < before)
        return [AuditEntry(**row._mapping) for row in self._database.fetch_all(query)]
