"""The users of the newsroom, their roles, and their attempts to sign in. Secrets are stored as hashes only."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from crawler.errors import UsageError
from crawler.roles import Role
from crawler.store.database import Database
from crawler.store.reader_actions import ActionKind
from crawler.store.reading_schema import article_marks, reader_actions, seen_marks
from crawler.store.statements import PreparedStatement, make_insert_if_absent, select_columns
from crawler.store.user_schema import api_keys, audit_log, sessions, sign_in_attempts, users

ERASED_NAME = "erased"
"""The name, in logs and notes, of a user whose own was erased."""
ATTEMPT_WINDOW = timedelta(minutes=10)
ATTEMPTS_KEPT_FOR = timedelta(days=1)
MAX_ATTEMPTS_PER_USER = 5
"""Failed attempts for one name from one address, within `ATTEMPT_WINDOW`."""
MAX_ATTEMPTS_PER_ADDRESS = 30
"""Failed attempts from one address for any names: people behind one gateway share it."""
MAX_ATTEMPTS_PER_NAME = 50
"""Failed attempts for one name from any addresses."""


class LastOwner(UsageError):
    """A change after which nobody could manage the newsroom's users any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user. `subject` identifies one who signs in with an organisation, as `ISSUER SUBJECT`."""

    name: str
    role: Role
    password_hash: str | None
    feed_secret_hash: str | None
    subject: str | None
    is_disabled: bool
    created_at: datetime


_SELECT_USERS = select(*select_columns(users, (field.name for field in fields(User))))
_SELECT_ONE = PreparedStatement(select(users.c.name).limit(1))
_ADD_USER = make_insert_if_absent(users)


class UserRepository:
    """`store.users`. Lists are in the order of names."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, name: str, role: Role, *, at: datetime, password_hash: str | None, subject: str | None = None
    ) -> bool:
        """Add a user. Return False, and change nothing, if there is one with this name or subject."""
        values = {
            "name": name,
            "role": role,
            "password_hash": password_hash,
            "feed_secret_hash": None,
            "subject": subject,
            "is_disabled": False,
            "created_at": at,
        }
        with self._database.transaction(exclusive=True) as connection:
            return connection.execute(_ADD_USER[connection.dialect.name], values).rowcount == 1

    def exist(self) -> bool:
        """Return whether there are users, also disabled ones."""
        return bool(self._database.fetch_all(_SELECT_ONE))

    def get(self, name: str) -> User | None:
        """Return a user by name."""
        return self._get(users.c.name == name)

    def get_by_subject(self, subject: str) -> User | None:
        """Return the user whom an organisation knows by a subject."""
        return self._get(users.c.subject == subject)

    def get_by_feed_secret(self, secret_hash: str) -> User | None:
        """Return the user in whose feed addresses a secret is."""
        return self._get(users.c.feed_secret_hash == secret_hash)

    def list_all(self) -> list[User]:
        """Return all users."""
        return [_make_user(row) for row in self._database.fetch_all(_SELECT_USERS.order_by(users.c.name))]

    def set_password(self, name: str, password_hash: str | None) -> bool:
        """Set or remove the hash of a password, and end the user's sessions. Return whether there is such a user."""
        with self._database.transaction(exclusive=True) as connection:
            connection.execute(delete(sessions).where(sessions.c.user_name == name))
            change = update(users).where(users.c.name == name).values(password_hash=password_hash)
            return connection.execute(change).rowcount == 1

    def set_role(self, name: str, role: Role, *, must_keep_owner: bool = True) -> bool:
        """Set a role. Return whether there is such a user.

        Raise LastOwner if no owner would be left, unless `must_keep_owner` is False: an organisation gives the roles.
        """
        with self._database.transaction(exclusive=True) as connection:
            if must_keep_owner and role is not Role.OWNER:
                _raise_if_last_owner(connection, name)
            return connection.execute(update(users).where(users.c.name == name).values(role=role)).rowcount == 1

    def set_disabled(self, name: str, is_disabled: bool) -> bool:
        """Disable a user and end the sessions, or enable the user again. Return whether there is such a user.

        Keys and feed addresses of a disabled user do not work. Raise LastOwner if no owner would be left.
        """
        with self._database.transaction(exclusive=True) as connection:
            if is_disabled:
                _raise_if_last_owner(connection, name)
                connection.execute(delete(sessions).where(sessions.c.user_name == name))
            change = update(users).where(users.c.name == name).values(is_disabled=is_disabled)
            return connection.execute(change).rowcount == 1

    def set_feed_secret(self, name: str, secret_hash: str | None) -> bool:
        """Set or remove the hash of the secret in a user's feed addresses. Return whether there is such a user."""
        change = update(users).where(users.c.name == name).values(feed_secret_hash=secret_hash)
        with self._database.transaction(exclusive=True) as connection:
            return connection.execute(change).rowcount == 1

    def erase(self, name: str) -> bool:
        """Delete a user with sessions, keys, seen marks and attempts. Return whether there was such a user.

        Notes, marks and the log stay, under the name `ERASED_NAME`. Raise LastOwner if no owner would be left while
        there are other users.
        """
        with self._database.transaction(exclusive=True) as connection:
            if connection.execute(select(users.c.name).where(users.c.name != name).limit(1)).first():
                _raise_if_last_owner(connection, name)
            for table in (sessions, api_keys, sign_in_attempts):
                connection.execute(delete(table).where(table.c.user_name == name))
            connection.execute(delete(seen_marks).where(seen_marks.c.reader == name))
            for column in (reader_actions.c.made_by, audit_log.c.made_by, audit_log.c.about):
                # What an entry is about begins with the name: `timur analyst`.
                rest, is_own = (
                    func.substr(column, len(name) + 1),
                    func.substr(column + " ", 1, len(name) + 1) == f"{name} ",
                )
                connection.execute(update(column.table).where(is_own).values({column.key: ERASED_NAME + rest}))
            is_assigned = (reader_actions.c.kind == ActionKind.ASSIGNED, reader_actions.c.note == name)
            connection.execute(update(reader_actions).where(*is_assigned).values(note=ERASED_NAME))
            own_marks = article_marks.c.assigned_to == name
            connection.execute(update(article_marks).where(own_marks).values(assigned_to=ERASED_NAME))
            return connection.execute(delete(users).where(users.c.name == name)).rowcount == 1

    def begin_attempt(self, name: str, address: str, *, at: datetime) -> int | None:
        """Record an attempt to sign in, before the password is looked at. Return its id, or None after too many."""
        since = sign_in_attempts.c.made_at > at - ATTEMPT_WINDOW
        is_name, is_address = sign_in_attempts.c.user_name == name, sign_in_attempts.c.address == address
        limits = (
            (MAX_ATTEMPTS_PER_USER, (is_name, is_address)),
            (MAX_ATTEMPTS_PER_ADDRESS, (is_address,)),
            (MAX_ATTEMPTS_PER_NAME, (is_name,)),
        )
        with self._database.transaction(exclusive=True) as connection:
            connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.made_at <= at - ATTEMPTS_KEPT_FOR))
            for limit, conditions in limits:
                query = select(func.count()).select_from(sign_in_attempts).where(since, *conditions)
                if connection.execute(query).scalar_one() >= limit:
                    return None
            row = {"user_name": name, "address": address, "made_at": at}
            result = connection.execute(insert(sign_in_attempts).returning(sign_in_attempts.c.id), row)
            return int(result.scalar_one())

    def forget_attempts(self, name: str, address: str) -> None:
        """Forget the attempts of a user who has signed in."""
        is_own = (sign_in_attempts.c.user_name == name, sign_in_attempts.c.address == address)
        with self._database.transaction(exclusive=True) as connection:
            connection.execute(delete(sign_in_attempts).where(*is_own))

    def _get(self, condition: Any) -> User | None:
        rows = self._database.fetch_all(_SELECT_USERS.where(condition))
        return _make_user(rows[0]) if rows else None


def _make_user(row: Row[Any]) -> User:
    return User(**{**row._mapping, "role": Role(row.role)})


def _raise_if_last_owner(connection: Connection, name: str) -> None:
    """Raise LastOwner if a user is the only enabled owner."""
    is_owner = (users.c.role == Role.OWNER, users.c.is_disabled.is_(False))
    owners = [row.name for row in connection.execute(select(users.c.name).where(*is_owner).limit(2))]
    if owners == [name]:
        raise LastOwner(f"{name} is the only owner. Make another user an owner first.")
