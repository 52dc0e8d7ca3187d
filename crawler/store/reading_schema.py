"""The tables of what readers see in lists and what they do, in the metadata of `schema.py`.

| tables | content |
|---|---|
| `article_cards`, `unwritten_cards` | what lists show of matched articles, articles whose card is still to be written |
| `reader_actions` | what readers did: seen, important, false alarm, assignment, note, with who, when and undo |
| `seen_marks`, `article_marks` | the result of the actions that are not undone |
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
    # The first two columns order a list. By the others, cards that a filter does not select are passed over.
    Index(
        "ix_article_cards_listed", "active_at", "article_id", "is_strong", "source", "language", "verdict", "version"
    ),
)

unwritten_cards = Table(
    "unwritten_cards",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
)

reader_actions = Table(
    "reader_actions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("batch", Integer, nullable=False),
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("note", CleanText),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("undone_at", UtcDateTime),
    Index("ix_reader_actions_article_id", "article_id"),
    Index("ix_reader_actions_batch", "batch"),
    sqlite_autoincrement=True,
)

seen_marks = Table(
    "seen_marks",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("reader", Text, primary_key=True),
    Column("version", Integer, nullable=False),
)

article_marks = Table(
    "article_marks",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("is_important", Boolean, nullable=False),
    Column("is_false_alarm", Boolean, nullable=False),
    Column("assigned_to", Text),
)
