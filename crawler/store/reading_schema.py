"""The tables of what readers see in lists, in the metadata of `schema.py`.

| tables | content |
|---|---|
| `article_cards`, `unwritten_cards` | what lists show of matched articles, articles whose card is still to be written |
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from crawler.store.column_types import CleanText, UtcDateTime
from crawler.store.schema import metadata

article_cards = Table(
    "article_cards",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("source", Text, nullable=False),
    Column("language", Text),
    Column("version", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("severity", Text),
    Column("active_at", UtcDateTime, nullable=False),
    Column("time_kind", Text, nullable=False),
    Column("is_strong", Boolean, nullable=False),
    Column("headline", CleanText, nullable=False),
    Column("rules", Text, nullable=False),
    Column("excerpts", Text, nullable=False),
    Column("change", Text, nullable=False),
    Index("ix_article_cards_active_at_article_id", "active_at", "article_id"),
)

unwritten_cards = Table(
    "unwritten_cards",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
)
