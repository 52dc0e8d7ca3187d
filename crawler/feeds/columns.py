"""The columns of an export: one row an article in one version. docs/exports.md says what each means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import Any

from crawler.entries import Entry
from crawler.feeds.signs import clean
from crawler.items import Strength


class Kind(StrEnum):
    """What stands in a column."""

    TEXT = "text"
    NUMBER = "number"
    SHARE = "share"
    FLAG = "yes or no"
    TIME = "time"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, what stands in it, and how an entry gives it."""

    name: str
    kind: Kind
    of: Callable[[Entry], Any]


COLUMNS = (
    Column("id", Kind.TEXT, lambda entry: entry.id),
    Column("version", Kind.NUMBER, lambda entry: entry.version),
    Column("verdict", Kind.TEXT, lambda entry: str(entry.verdict)),
    Column("source", Kind.TEXT, lambda entry: entry.source),
    Column("source_title", Kind.TEXT, lambda entry: entry.source_title),
    Column("url", Kind.TEXT, lambda entry: entry.url),
    Column("language", Kind.TEXT, lambda entry: entry.language),
    Column("published_at", Kind.TIME, lambda entry: entry.published_at),
    Column("published_precision", Kind.TEXT, lambda entry: str(entry.precision) if entry.precision else None),
    Column("first_seen_at", Kind.TIME, lambda entry: entry.seen_at),
    Column("changed_at", Kind.TIME, lambda entry: entry.changed_at),
    Column("headline", Kind.TEXT, lambda entry: entry.headline),
    Column("headline_derived", Kind.FLAG, lambda entry: entry.is_derived),
    Column("lead", Kind.TEXT, lambda entry: entry.lead),
    Column("excerpt", Kind.TEXT, lambda entry: "\n".join(piece.quoted for piece in entry.excerpt.pieces) or None),
    Column("excerpt_whole", Kind.FLAG, lambda entry: entry.excerpt.whole),
    Column("rules", Kind.TEXTS, lambda entry: entry.rules),
    Column("words", Kind.TEXTS, lambda entry: _words(entry, Strength.STRONG)),
    Column("weak_words", Kind.TEXTS, lambda entry: _words(entry, Strength.WEAK)),
    Column("story", Kind.NUMBER, lambda entry: entry.story),
    Column("copy_of", Kind.TEXT, lambda entry: entry.copy_of),
    Column("section", Kind.TEXT, lambda entry: entry.section),
    Column("place", Kind.TEXT, lambda entry: entry.place),
    Column("author", Kind.TEXT, lambda entry: entry.author),
    Column("attribution", Kind.TEXT, lambda entry: entry.credit.attribution),
    Column("reference", Kind.TEXT, lambda entry: entry.credit.reference),
    Column("allowed_share", Kind.SHARE, lambda entry: entry.credit.share),
    Column("link_required", Kind.FLAG, lambda entry: entry.credit.link_required),
)


def row(entry: Entry) -> dict[str, Any]:
    """An entry's values by column: texts without signs that files for others may not hold, times in UTC."""
    return {column.name: _value(column.of(entry), column.kind) for column in COLUMNS}


def _value(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind is Kind.TEXT:
        return clean(value)
    if kind is Kind.TEXTS:
        return [clean(each) for each in value]
    return value.astimezone(UTC) if kind is Kind.TIME else value


def _words(entry: Entry, strength: Strength) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found.surface for found in entry.found if found.surface and found.strength is strength))
