"""What subscribers made of a run's news, and what they had been told before: copied, to ask them once more.

Like `rewind` this goes by the times that rows have. Who overruled a story, and whose subscription began, is as it was;
what was decided about the run itself, or later, is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Table, select

from crawler.items import Run
from crawler.store.news import Outcome
from crawler.store.rewind import Values, add
from crawler.store.schema import articles, overrules, unjudged
from crawler.store.store import Store
from crawler.store.telling_schema import messages, news, notices, subscriptions

RELATED = timedelta(days=30)
"""How old another article may be, against the run, to be judged once more for what it has in common with the run's."""
Told = tuple[str, int, str]
"""An article's id, the version, a subscription."""
Answer = tuple[Outcome, str | None]
"""What a subscription made of news, and why."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a run's news: when, for each subscription its outcome and why, and the versions in the order of the
    news."""

    at: datetime
    answers: dict[Told, Answer]
    order: dict[tuple[str, int], int]


def decided(store: Store, run: Run) -> Decided | None:
    """What subscribers made of a stored run's news, None while nobody was asked about it; where it brought no news, its
    end is when they would have been asked."""
    read = store._database.read
    noted = read(select(news).where(news.c.run_id == run.id).order_by(news.c.id))
    ends = [row.sorted_at for row in noted if row.sorted_at] if noted else [run.finished_at or run.started_at]
    if not ends:
        return None
    query = select(news.c.version, *(notices.c[name] for name in ("article_id", "subscription", "outcome", "why")))
    query = query.join_from(news, notices, notices.c.news_id == news.c.id).where(news.c.run_id == run.id)
    rows = read(query)
    answers = {(row.article_id, row.version, row.subscription): (Outcome(row.outcome), row.why) for row in rows}
    return Decided(max(ends), answers, {(row.article_id, row.version): row.id for row in noted})


def retell(store: Store, into: Store, run_id: int, at: datetime) -> None:
    """Copy what had been told when a run's news was sorted at that time into a rewound store; what was sorted together
    with it is still to be sorted there, and who is alike still to be judged."""
    read = store._database.read
    there = {row.id: row.dated_at for row in into._database.read(select(articles.c.id, articles.c.dated_at))}
    made = [row._asdict() for row in read(select(messages).where(messages.c.made_at < at))]
    others = select(news).where(news.c.sorted_at <= at, news.c.run_id.is_distinct_from(run_id)).order_by(news.c.id)
    kept = [row._asdict() for row in read(others) if row.article_id in there]
    before = {row["id"] for row in kept if row["sorted_at"] < at}
    heard = read(select(notices).where(notices.c.decided_at < at).order_by(notices.c.id))
    said = read(select(overrules).where(overrules.c.made_at < at).order_by(overrules.c.id))
    tables: dict[Table, Iterable[Values]] = {
        subscriptions: (row._asdict() for row in read(select(subscriptions).where(subscriptions.c.begun_at <= at))),
        messages: made,
        news: (row | {"sorted_at": row["sorted_at"] if row["id"] in before else None} for row in kept),
        notices: _heard([row._asdict() for row in heard if row.news_id in before], {row["id"] for row in made}),
        overrules: (_said(row._asdict(), at) for row in said if row.a in there and row.b in there),
        unjudged: ({"article_id": name} for name, dated in there.items() if dated >= at - RELATED),
    }
    with into._database.writing(batch=True) as connection:
        for table, rows in tables.items():
            add(connection, table, rows)


def _heard(rows: Iterable[Values], made: Collection[int]) -> Iterator[Values]:
    """Notices without the messages that were made later: a digest was not due yet."""
    return (row | {"message_id": row["message_id"] if row["message_id"] in made else None} for row in rows)


def _said(row: Values, at: datetime) -> Values:
    """A person's word, which was not taken back yet if that came later."""
    return row | {"undone_at": None} if row["undone_at"] and row["undone_at"] >= at else row
