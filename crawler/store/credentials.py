"""Sessions of browsers and API keys of programs. The store has hashes: a person who reads it can use none of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from crawler.roles import Role
from crawler.store.database import Database
from crawler.store.user_schema import api_keys, sessions, users

SESSION_LIFETIME = timedelta(days=14)
SESSION_IDLE_LIMIT = timedelta(days=3)
"""A session ends after this time without a request."""
USE_INTERVAL = timedelta(minutes=10)
"""How often the time of the last use is written: not with each request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser. `role` is that of the user now."""

    id_hash: str
    user_name: str
    role: Role
    created_at: datetime
    used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A program's key. `role` is what the key may do: at most what its user may do now."""

    id: int
    user_name: str
    title: str
    role: Role
    scopes: frozenset[str]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


_IS_ENABLED = users.c.is_disabled.is_(False)
_SELECT_SESSIONS = select(sessions, users.c.role).join(users)
# These two are made once: each request of a browser or a program executes one.
_FIND_SESSION = _SELECT_SESSIONS.where(
    sessions.c.id_hash == bindparam("id_hash"),
    sessions.c.expires_at > bindparam("at"),
    sessions.c.used_at > bindparam("idle_since"),
    _IS_ENABLED,
)
_KEY_COLUMNS = [column for column in api_keys.c if column.key != "key_hash"]
_SELECT_KEYS = select(*_KEY_COLUMNS, users.c.role.label("user_role")).join(users)
_FIND_KEY = _SELECT_KEYS.where(api_keys.c.key_hash == bindparam("key_hash"), _IS_ENABLED)


class SessionRepository:
    """`store.sessions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, id_hash: str, user_name: str, *, at: datetime, lifetime: timedelta = SESSION_LIFETIME) -> None:
        """Add a session of a user, and delete the sessions of all users that have ended."""
        row = {"id_hash": id_hash, "user_name": user_name, "created_at": at, "used_at": at}
        with self._database.transaction(exclusive=True) as connection:
            is_over = (sessions.c.expires_at <= at) | (sessions.c.used_at <= at - SESSION_IDLE_LIMIT)
            connection.execute(delete(sessions).where(is_over))
            connection.execute(insert(sessions), {**row, "expires_at": at + lifetime})

    def find(self, id_hash: str, *, at: datetime) -> Session | None:
        """Return a session of an enabled user that has not ended, and note its use."""
        values = {"id_hash": id_hash, "at": at, "idle_since": at - SESSION_IDLE_LIMIT}
        rows = self._database.fetch_all(_FIND_SESSION, values)
        if not rows:
            return None
        found = _make_session(rows[0])
        if at - found.used_at >= USE_INTERVAL:
            with self._database.transaction(exclusive=True) as connection:
                connection.execute(update(sessions).where(sessions.c.id_hash == id_hash).values(used_at=at))
        return found

    def list_by_user(self, user_name: str, *, at: datetime) -> list[Session]:
        """Return the sessions of a user that have not ended, the last used first."""
        is_own = (sessions.c.user_name == user_name, sessions.c.expires_at > at)
        is_open = sessions.c.used_at > at - SESSION_IDLE_LIMIT
        query = _SELECT_SESSIONS.where(*is_own, is_open).order_by(sessions.c.used_at.desc(), sessions.c.id_hash)
        return [_make_session(row) for row in self._database.fetch_all(query)]

    def delete(self, id_hash: str) -> None:
        """End a session."""
        with self._database.transaction(exclusive=True) as connection:
            connection.execute(delete(sessions).where(sessions.c.id_hash == id_hash))

    def delete_by_user(self, user_name: str, *, but: str | None = None) -> int:
        """End the sessions of a user except one. Return how many there were."""
        is_own = (sessions.c.user_name == user_name, sessions.c.id_hash != (but or ""))
        with self._database.transaction(exclusive=True) as connection:
            return connection.execute(delete(sessions).where(*is_own)).rowcount


class ApiKeyRepository:
    """`store.api_keys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        user_name: str,
        key_hash: str,
        *,
        title: str,
        role: Role,
        scopes: Collection[str],
        at: datetime,
        expires_at: datetime | None = None,
    ) -> int:
        """Add a key of a user. Return its id."""
        row = {"user_name": user_name, "key_hash": key_hash, "title": title, "role": role, "created_at": at}
        values = {**row, "scopes": " ".join(sorted(scopes)), "used_at": None, "expires_at": expires_at}
        with self._database.transaction(exclusive=True) as connection:
            return int(connection.execute(insert(api_keys).returning(api_keys.c.id), values).scalar_one())

    def find(self, key_hash: str, *, at: datetime) -> ApiKey | None:
        """Return a key of an enabled user that is valid, and note its use."""
        rows = self._database.fetch_all(_FIND_KEY, {"key_hash": key_hash})
        found = _make_key(rows[0]) if rows else None
        if found is None or (found.expires_at is not None and found.expires_at <= at):
            return None
        if found.used_at is None or at - found.used_at >= USE_INTERVAL:
            with self._database.transaction(exclusive=True) as connection:
                connection.execute(update(api_keys).where(api_keys.c.id == found.id).values(used_at=at))
        return found

    def list_by_user(self, user_name: str) -> list[ApiKey]:
        """Return the keys of a user, the oldest first."""
        query = _SELECT_KEYS.where(api_keys.c.user_name == user_name).order_by(api_keys.c.id)
        return [_make_key(row) for row in self._database.fetch_all(query)]

    def delete_by_user(self, user_name: str) -> int:
        """Delete all keys of a user. Return how many there were."""
        with self._database.transaction(exclusive=True) as connection:
            return connection.execute(delete(api_keys).where(api_keys.c.user_name == user_name)).rowcount

    def delete(self, key_id: int, user_name: str) -> bool:
        """Delete a key of a user. Return whether there was one."""
        is_own = (api_keys.c.id == key_id, api_keys.c.user_name == user_name)
        with self._database.transaction(exclusive=True) as connection:
            return connection.execute(delete(api_keys).where(*is_own)).rowcount == 1


def _make_session(row: Row[Any]) -> Session:
    return Session(**{**row._mapping, "role": Role(row.role)})


def _make_key(row: Row[Any]) -> ApiKey:
    values = dict(row._mapping)
    user_role, role = Role(values.pop("user_role")), Role(row.role)
    least = role if user_role.covers(role) else user_role
    return ApiKey(**{**values, "role": least, "scopes": frozenset(row.scopes.split())})
