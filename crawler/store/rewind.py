"""The store as it was before a run, as far as it can tell: copied into another one, to replay that run over.

Versions, runs and what was first seen have their times, so they are as they were. What is kept once and written over
is not: of an article looked at since, when it was last looked at before; of an address asked since, its validators;
that a page was found gone once, when it healed. A copy of the database from before the run knows all that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, insert, or_, select

from crawler.items import Strength
from crawler.store.columns import address_key
from crawler.store.document import as_article
from crawler.store.schema import articles, failures, memory, runs, versions
from crawler.store.store import Store

Values = dict[str, Any]


def rewind(store: Store, into: Store, source: str, before: datetime, *, others: datetime | None = None) -> bool:
    """Copy what the store knew before a run of a source began into an empty store, of `others` what it knew before that
    time (None: the same); whether it knows of later runs of that source, so that the copy is not exactly what that run
    saw."""
    whole = before.replace(microsecond=0)  # a page's time has whole seconds, and may seem older than its run
    until = others or whole
    read = store._database.read
    begun = or_(runs.c.started_at < before, and_(runs.c.source != source, runs.c.started_at < (others or before)))
    past_runs = {row.id: row._asdict() for row in read(select(runs).where(begun))}
    later = read(select(runs.c.id).where(runs.c.source == source, runs.c.started_at >= before).limit(1))
    of_run = {row.id: row.source for row in read(select(runs.c.id, runs.c.source))}
    kept: dict[str, list[Row[Any]]] = {}
    latest = max(before, until)
    for row in read(select(versions).where(versions.c.seen_at < latest).order_by(versions.c.version)):
        mine = of_run.get(row.run_id) == source
        if row.run_id in past_runs if mine else row.seen_at < until:
            kept.setdefault(row.article_id, []).append(row)
    with into._database.writing(batch=True) as connection:
        add(connection, runs, past_runs.values())
        rows = (row._asdict() for row in read(select(articles).where(articles.c.first_seen_at < latest)))
        add(connection, articles, (_as_then(row, kept[row["id"]], past_runs) for row in rows if row["id"] in kept))
        add(connection, versions, (_of_past(row._asdict(), past_runs) for many in kept.values() for row in many))
        asked = read(select(memory).where(memory.c.checked_at < whole))
        add(connection, memory, (row._asdict() for row in asked))
        failed = read(select(failures).where(failures.c.first_at < whole))
        add(connection, failures, (_failed(row._asdict(), whole) for row in failed))
    return bool(later)


def _as_then(row: Values, many: list[Row[Any]], past_runs: Mapping[int, Any]) -> Values:
    """An article's row by the versions it had."""
    last = many[-1]
    if last.version != row["current_version"]:
        article = as_article(last.article)
        row |= {
            "language": article.language,
            "url": article.url,
            "url_key": address_key(article.url),
            "current_version": last.version,
            "content_hash": last.content_hash,
            "verdict": article.verdict,
            "copy_of": article.copy_of,
            "matched": any(match.strength is Strength.STRONG for match in article.matches),
            "published_at": article.published_at,
        }
    if row["last_run_id"] not in past_runs:
        row |= {"last_seen_at": last.seen_at, "last_run_id": last.run_id}
    row["first_run_id"] = _known(row["first_run_id"], past_runs)
    row["last_run_id"] = _known(row["last_run_id"], past_runs)
    return row


def _of_past(row: Values, past_runs: Mapping[int, Any]) -> Values:
    return row | {"run_id": _known(row["run_id"], past_runs)}


def _known(run: int | None, past_runs: Mapping[int, Any]) -> int | None:
    return run if run in past_runs else None


def _failed(row: Values, before: datetime) -> Values:
    return row if row["last_at"] < before else row | {"last_at": row["first_at"], "tries": 1}


def add(connection: Connection, table: Table, rows: Iterable[Values]) -> None:
    """Insert rows, if there are any."""
    if many := list(rows):
        connection.execute(insert(table), many)
