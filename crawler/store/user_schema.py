"""The tables of users and of what they sign in with, in the metadata of `schema.py`.

| table | content |
|---|---|
| `users` | name, role, hash of the password, hash of the secret in feed addresses |
| `sessions`, `api_keys` | hashes of what browsers and programs send, until when they are valid |
| `sign_in_attempts` | attempts to sign in that failed or are in progress, kept for a day |
| `audit_log` | who did what and when, without what readers do with articles (`reader_actions`) |
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from crawler.store.column_types import CleanText, UtcDateTime
from crawler.store.schema import metadata

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("feed_secret_hash", Text),
    Column("subject", CleanText),
    Column("is_disabled", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("feed_secret_hash", name="uq_users_feed_secret_hash"),
    UniqueConstraint("subject", name="uq_users_subject"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", Text, primary_key=True),
    Column("user_name", Text, ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_sessions_user_name", "user_name"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_name", Text, ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("title", CleanText, nullable=False),
    Column("key_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    Index("ix_api_keys_user_name", "user_name"),
    sqlite_autoincrement=True,
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_name", CleanText, nullable=False),
    Column("address", CleanText, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Index("ix_sign_in_attempts_made_at", "made_at"),
    sqlite_autoincrement=True,
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", CleanText, nullable=False),
    Column("action", Text, nullable=False),
    Column("about", CleanText, nullable=False),
    Column("address", CleanText),
    Index("ix_audit_log_made_by", "made_by"),
    sqlite_autoincrement=True,
)
