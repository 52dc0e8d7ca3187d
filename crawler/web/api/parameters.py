"""Types of parameters, and the cursor that continues a list.

A text is short and has no control characters: PostgreSQL refuses NUL. A number fits the columns of both databases.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.web.errors import BadAddress
from crawler.web.forms import MAX_ROW_NUMBER

MAX_PER_PAGE = 200
DEFAULT_PER_PAGE = 50
CURSOR_PROBLEM = "`cursor` is not one that this list has written. Take the `next` of a page."
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"


def parse_time(value: object) -> datetime:
    """Return an aware time in UTC. Raise ValueError for a text without an offset."""
    if not isinstance(value, str):
        raise ValueError("write a time as 2026-01-31T09:00:00+05:00")
    # A form writes the + of an offset as a blank.
    at = datetime.fromisoformat(value.strip().replace(" ", "+") if "T" in value else value)
    if at.tzinfo is None:
        raise ValueError("the time needs an offset: 2026-01-31T09:00:00+05:00")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("the year is out of range") from None


Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
ArticleId = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=PRINTABLE)]
RowNumber = Annotated[int, Field(ge=1, le=MAX_ROW_NUMBER)]
LanguageName = Annotated[str, StringConstraints(pattern="^[a-z]{2,3}$")]
ReaderLanguage = Annotated[str, StringConstraints(pattern=f"^({'|'.join(OUTPUT_LANGUAGES)})$")]
CursorText = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern="^[A-Za-z0-9_-]+$")]
PageSize = Annotated[int, Field(ge=1, le=MAX_PER_PAGE)]
MomentText = Annotated[datetime, BeforeValidator(parse_time), WithJsonSchema({"type": "string", "format": "date-time"})]


class ListParameters(BaseModel):
    """The parameters of every list. An unknown parameter is an error: it may be a misspelt filter."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cursor: CursorText | None = None
    """The `next` of an earlier page. Without it the list starts at its newest item."""
    limit: PageSize = DEFAULT_PER_PAGE
    """Items on a page."""


def format_cursor(*place: object) -> str:
    """Return a place of a list as an opaque text. `parse_cursor` returns the place again."""
    values = [value.isoformat() if isinstance(value, datetime) else value for value in place]
    text = json.dumps(values, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def parse_cursor(cursor: str, *kinds: type) -> Sequence[Any]:
    """Return the values of a cursor, of these types. Raise BadAddress for a text that no list has written."""
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(found, list) or len(found) != len(kinds):
            raise ValueError
        return [_convert(value, kind) for value, kind in zip(found, kinds, strict=True)]
    except (ValueError, binascii.Error, RecursionError):
        raise BadAddress(CURSOR_PROBLEM) from None


def parse_row_cursor(cursor: str | None) -> int | None:
    """Return the number of a row in a cursor, None without one. Raise BadAddress for a number that no row has."""
    if cursor is None:
        return None
    (number,) = parse_cursor(cursor, int)
    if not 0 < number <= MAX_ROW_NUMBER:
        raise BadAddress(CURSOR_PROBLEM)
    return int(number)


def _convert(value: object, kind: type) -> object:
    if kind is datetime:
        return parse_time(value)
    if type(value) is not kind or (isinstance(value, int) and abs(value) > 2**62):
        raise ValueError
    if isinstance(value, str) and ("\0" in value or not value.encode()):  # a lone surrogate raises a ValueError
        raise ValueError
    return value
