"""URLs that could not be read and have not been read since."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from crawler.store.column_types import make_url_key
from crawler.store.database import Database
from crawler.store.schema import failures
from crawler.store.statements import make_insert_if_absent, select_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailure:
    """A URL that has not been read since `first_at`, after `tries` attempts. `kind` is the name of an error class."""

    source: str
    url: str
    kind: str
    message: str
    tries: int
    first_at: datetime
    last_at: datetime


_OF_URL = (failures.c.source == bindparam("of_source"), failures.c.url_key == bindparam("of_key"))
_ADD = make_insert_if_absent(failures)
_ADD_ATTEMPT = update(failures).where(*_OF_URL).values(tries=failures.c.tries + 1)
_COUNT = select(func.count()).select_from(failures).where(*_OF_URL)
_DELETE = delete(failures).where(*_OF_URL)
_LIST = (
    select(*select_columns(failures, (field.name for field in fields(FetchFailure))))
    .where(failures.c.source == bindparam("of_source"))
    .order_by(failures.c.first_at, failures.c.url)
)


class FailureRepository:
    """`store.failures`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, source: str, url: str, kind: str, message: str, at: datetime) -> None:
        """Add a failure, or one more attempt to the URL's existing failure."""
        key = make_url_key(url)
        latest = {"kind": kind, "message": message, "last_at": at}
        first = {"source": source, "url_key": key, "url": url, "tries": 1, "first_at": at, **latest}
        with self._database.transaction() as connection:
            if connection.execute(_ADD[connection.dialect.name], first).rowcount != 1:
                connection.execute(_ADD_ATTEMPT, {"of_source": source, "of_key": key, **latest})

    def delete(self, source: str, url: str) -> bool:
        """Delete the failure of a URL that was read. Return False if there is none."""
        key = {"of_source": source, "of_key": make_url_key(url)}
        if not self._database.fetch_all(_COUNT, key)[0][0]:
            return False  # the usual case: it takes no lock
        with self._database.transaction() as connection:
            return connection.execute(_DELETE, key).rowcount == 1

    def list_by_source(self, source: str) -> list[FetchFailure]:
        """Return the source's failures, the oldest first."""
        rows = self._database.fetch_all(_LIST, {"of_source": source})
        return [FetchFailure(**row._mapping) for row in rows]
