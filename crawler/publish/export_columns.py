"""The columns of an export: one row an article version. docs/exports.md says what each means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import Any

from crawler.items import Strength, Verdict
from crawler.publish.entries import Entry
from crawler.publish.xml_text import sanitize_text


class ColumnType(StrEnum):
    """The type of a column's values."""

    TEXT = "text"
    NUMBER = "number"
    SHARE = "share"
    FLAG = "yes or no"
    TIME = "time"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type, and how to get its value from an entry."""

    name: str
    type: ColumnType
    get_value: Callable[[Entry], Any]


COLUMNS = (
    Column("id", ColumnType.TEXT, lambda entry: entry.id),
    Column("version", ColumnType.NUMBER, lambda entry: entry.version),
    Column("verdict", ColumnType.TEXT, lambda entry: str(_get_version_verdict(entry))),
    Column("source", ColumnType.TEXT, lambda entry: entry.source),
    Column("source_title", ColumnType.TEXT, lambda entry: entry.source_title),
    Column("url", ColumnType.TEXT, lambda entry: entry.url),
    Column("language", ColumnType.TEXT, lambda entry: entry.language),
    Column("published_at", ColumnType.TIME, lambda entry: entry.published_at),
    Column("published_precision", ColumnType.TEXT, lambda entry: str(entry.precision) if entry.precision else None),
    Column("first_seen_at", ColumnType.TIME, lambda entry: entry.seen_at),
    Column("changed_at", ColumnType.TIME, lambda entry: entry.changed_at),
    Column("severity", ColumnType.TEXT, lambda entry: str(entry.severity) if entry.severity else None),
    Column("change_kinds", ColumnType.TEXTS, lambda entry: [str(kind) for kind in entry.kinds]),
    Column("headline", ColumnType.TEXT, lambda entry: entry.headline),
    Column("headline_derived", ColumnType.FLAG, lambda entry: entry.is_derived),
    Column("lead", ColumnType.TEXT, lambda entry: entry.lead),
    Column("excerpt", ColumnType.TEXT, lambda entry: "\n".join(piece.quoted for piece in entry.excerpt.pieces) or None),
    Column("excerpt_whole", ColumnType.FLAG, lambda entry: entry.excerpt.whole),
    Column("rules", ColumnType.TEXTS, lambda entry: entry.rules),
    Column("words", ColumnType.TEXTS, lambda entry: _list_words(entry, Strength.STRONG)),
    Column("weak_words", ColumnType.TEXTS, lambda entry: _list_words(entry, Strength.WEAK)),
    Column("story", ColumnType.NUMBER, lambda entry: entry.story),
    Column("copy_of", ColumnType.TEXT, lambda entry: entry.copy_of),
    Column("section", ColumnType.TEXT, lambda entry: entry.section),
    Column("place", ColumnType.TEXT, lambda entry: entry.place),
    Column("author", ColumnType.TEXT, lambda entry: entry.author),
    Column("attribution", ColumnType.TEXT, lambda entry: entry.credit.attribution),
    Column("reference", ColumnType.TEXT, lambda entry: entry.credit.reference),
    Column("allowed_share", ColumnType.SHARE, lambda entry: entry.credit.share),
    Column("link_required", ColumnType.FLAG, lambda entry: entry.credit.link_required),
    Column("flags", ColumnType.TEXTS, lambda entry: entry.flags),
    Column("site_verdict", ColumnType.TEXT, lambda entry: str(entry.verdict) if entry.is_reprocessed else None),
)


def make_row(entry: Entry) -> dict[str, Any]:
    """Return an entry's values by column: texts without characters that XML forbids, times in UTC."""
    return {column.name: _convert_value(column.get_value(entry), column.type) for column in COLUMNS}


def _convert_value(value: Any, column_type: ColumnType) -> Any:
    if value is None:
        return None
    if column_type is ColumnType.TEXT:
        return sanitize_text(value)
    if column_type is ColumnType.TEXTS:
        return [sanitize_text(each) for each in value]
    return value.astimezone(UTC) if column_type is ColumnType.TIME else value


def _get_version_verdict(entry: Entry) -> Verdict:
    return Verdict.REPROCESSED if entry.is_reprocessed else entry.verdict


def _list_words(entry: Entry, strength: Strength) -> tuple[str, ...]:
    """Return the matched words as written, each once, as far as they may be shown."""
    words = (match.surface for match in entry.matches if match.surface and match.strength is strength)
    return tuple(dict.fromkeys(words))
