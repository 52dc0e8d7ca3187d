"""Types of columns that both databases need, and the key of a URL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator


class NaiveTimeError(ValueError, DontWrapMixin):
    """A caller passed a time without an offset to the store. This is a programming error."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC with microseconds. A naive time raises NaiveTimeError.

    SQLite has no time zones, so its column holds the UTC time without an offset; reading adds the offset again.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC, without its offset for SQLite."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveTimeError(f"The store accepts only times with an offset, not {value!r}.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Return what reads a value. That of SQLite is a text: to read it in one step takes half the time."""
        return _parse_utc_time if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _parse_utc_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


class CleanText(TypeDecorator[str]):
    """Text from outside (URLs, headers, messages), made acceptable to both databases.

    PostgreSQL refuses NUL, and both refuse a lone surrogate; each becomes U+FFFD. An article's own text does not need
    this type: it is stored as JSON, which can escape both.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text without the characters that a database refuses."""
        if value is None:
            return None
        text = value.replace("\0", "\ufffd")
        return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def make_url_key(url: str) -> str:
    """Return a hash of the URL, 32 hex digits, for keys and indexes. PostgreSQL indexes at most 2,704 bytes."""
    return blake2b(url.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
