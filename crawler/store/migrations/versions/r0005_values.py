"""Values instead of text to parse: the verdict of a version, and the language that an article was requested in.

Until now a version of a removed page had `unpublished:` before its content hash, and the requested language was only
in the provenance note of `language`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

HASH_PREFIX = "unpublished:"
NOTE = "letters of the text, asked for as "
"""Text in the provenance of `language`, followed by the requested language."""
VERSIONS_PER_READ = 500

versions = sa.table(
    "versions",
    sa.column("article_id", sa.Text),
    sa.column("version", sa.Integer),
    sa.column("verdict", sa.Text),
    sa.column("content_hash", sa.Text),
    sa.column("article", sa.Text),
)
articles = sa.table("articles", sa.column("content_hash", sa.Text))


def upgrade() -> None:
    """Add `versions.verdict`, remove the prefix of the hashes, and add `requested_language` to stored articles."""
    # The default lets SQLite add the column without copying the table, and most versions are new.
    op.add_column("versions", sa.Column("verdict", sa.Text(), nullable=False, server_default="new"))
    connection = op.get_bind()
    for article_id, version, text in _read_versions(connection):
        article = json.loads(text)
        changed: dict[str, object] = {}
        if (article.get("verdict") or "new") != "new":
            changed["verdict"] = article["verdict"]
        _, _, language = (article.get("provenance") or {}).get("language", "").partition(NOTE)
        if language:
            changed["article"] = _dump({**article, "requested_language": language})
        if changed:
            key = (versions.c.article_id == article_id, versions.c.version == version)
            connection.execute(sa.update(versions).where(*key).values(**changed))
    for table in (versions, articles):
        has_prefix = table.c.content_hash.like(f"{HASH_PREFIX}%")
        bare = sa.func.substr(table.c.content_hash, len(HASH_PREFIX) + 1)
        connection.execute(sa.update(table).where(has_prefix).values(content_hash=bare))


def _read_versions(connection: sa.Connection) -> Iterator[tuple[str, int, str]]:
    """Return the versions, a page at a time. A cursor would be disturbed by the updates."""
    columns = (versions.c.article_id, versions.c.version, versions.c.article)
    key = sa.tuple_(versions.c.article_id, versions.c.version)
    query = sa.select(*columns).order_by(*columns[:2]).limit(VERSIONS_PER_READ)
    page = query
    while rows := connection.execute(page).all():
        for row in rows:
            yield row.article_id, row.version, row.article
        last = sa.tuple_(sa.literal(rows[-1].article_id), sa.literal(rows[-1].version))
        page = query.where(key > last)


def _dump(article: dict[str, object]) -> str:
    """Return the JSON line as the store writes it: readable, or escaped where the databases need that."""
    line = json.dumps(article, ensure_ascii=False, separators=(",", ":"))
    try:
        line.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(article, separators=(",", ":"))
    return line
