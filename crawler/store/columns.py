"""Column types that read the same from SQLite and from PostgreSQL, and the key an address is found by."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator


class NaiveTimeError(ValueError, DontWrapMixin):
    """A time without an offset was given to the store: a mistake of the caller's code."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC to the microsecond; a naive one is refused.

    SQLite has no time zones: there the same moment is kept without its offset and given it back when read.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveTimeError(f"The store keeps aware times only, not {value!r}.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC, aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CleanText(TypeDecorator[str]):
    """Text from outside (addresses, headers, messages) that every database takes.

    PostgreSQL refuses NUL, both refuse a lone surrogate; each becomes U+FFFD. An article's own text does not pass
    here: it is kept as JSON, which can escape both.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text without what a database refuses."""
        if value is None:
            return None
        text = value.replace("\0", "\ufffd")
        return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def make_url_key(url: str) -> str:
    """32 hex digits that stand for an address in keys, where PostgreSQL takes no more than 2,704 bytes."""
    return blake2b(url.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
