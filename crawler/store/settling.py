"""How one article is judged against those it may be the same as, in one transaction, and what follows for others.

Links are made between every two articles worth comparing, so they do not depend on which came first. Clusters are what
links of one text connect; stories are made of all links (`dedupe.stories.group`), anew for everything that an
article's links touch. Where a passage turns out to stand everywhere, all articles with it are to be judged again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from crawler.dedupe.judge import OWN, Document, Judgement, Known, judge
from crawler.dedupe.meaning import Embedding
from crawler.dedupe.sameness import document_of
from crawler.dedupe.shingles import Text
from crawler.dedupe.trace import Trace, trace
from crawler.store import kindred
from crawler.store.document import as_article
from crawler.store.grouping import regroup
from crawler.store.schema import articles, links, signatures, unjudged, versions
from crawler.store.statements import Prepared, insert_or_leave

KEPT = 400
"""Documents kept in memory while many articles are judged."""
TEXT, STORY, APART, QUOTE = "text", "story", "apart", "quote"
"""Kinds of links: one text; one story; enough in common for a story, but the judge found two events; in common only
a passage that stands everywhere."""

_CURRENT = Prepared(
    select(versions.c.article, articles.c.current_version, articles.c.dated_at)
    .join_from(
        articles,
        versions,
        (versions.c.article_id == articles.c.id) & (versions.c.version == articles.c.current_version),
    )
    .where(articles.c.id == bindparam("at"))
)
_OF_VERSION = Prepared(
    select(versions.c.article).where(
        versions.c.article_id == bindparam("at"), versions.c.version == bindparam("version")
    )
)
_IDS = select(signatures.c.number, signatures.c.article_id)
_DONE = Prepared(delete(unjudged).where(unjudged.c.article_id == bindparam("at")))
_AGAIN = insert_or_leave(unjudged)
_TOUCHING = select(links.c.a, links.c.b, links.c.kind, links.c.raw)


class Read(NamedTuple):
    """An article's current text, ready to be judged."""

    document: Document
    version: int
    dated_at: datetime


class Settling:
    """Judges articles, one after the other; keeps the texts it read last. `zone` says which day a moment is on;
    `embedding` reads the meaning of matched articles, None where that is switched off."""

    def __init__(self, zone: tzinfo, embedding: Embedding | None = None) -> None:
        self.zone = zone
        self.embedding = embedding
        self._read: OrderedDict[str, Read] = OrderedDict()

    def settle(self, connection: Connection, article_id: str) -> None:
        """Judge one article in the caller's transaction."""
        read = self.read(connection, article_id, fresh=True)
        if read is None:
            return
        new = trace(read.document)
        mine, parted = self._traced(connection, article_id, read, new)
        found = kindred.candidates(connection, mine, new)
        touched = parted | self._link(connection, mine.number, read.document, found)
        again: set[int] = set()
        if touched:
            touched.add(mine.number)
            again = self._recluster(connection, mine.number, touched if parted else set())
            regroup(connection, touched)
        again |= self._recount(connection, new.passages)
        _DONE.run(connection, {"at": article_id})
        for other in _ids(connection, again).values():
            _AGAIN.run(connection, {"article_id": other})

    def read(self, connection: Connection, article_id: str, *, fresh: bool = False) -> Read | None:
        """The current text of an article, from memory where it was read before."""
        if not fresh and article_id in self._read:
            self._read.move_to_end(article_id)
            return self._read[article_id]
        rows = _CURRENT.rows(connection, {"at": article_id})
        if not rows:
            return None
        document = document_of(as_article(rows[0][0]), self.zone, self.embedding)
        self._read[article_id] = Read(document, rows[0][1], rows[0][2])
        if len(self._read) > KEPT:
            self._read.popitem(last=False)
        return self._read[article_id]

    def _traced(self, connection: Connection, article_id: str, read: Read, new: Trace) -> tuple[kindred.Mine, set[int]]:
        """The article's row, written anew where its text is new; and whoever lost a link to it."""
        known = kindred.find(connection, article_id)
        touched: set[int] = set()
        if known is None or known.version != read.version:
            day = read.document.published or read.dated_at.astimezone(self.zone).date()
            old = None
            if known is not None:
                kept = _OF_VERSION.rows(connection, {"at": article_id, "version": known.version})
                old = trace(document_of(as_article(kept[0][0]), self.zone)) if kept else None
            kindred.put(connection, article_id, read.version, day.toordinal(), read.document.story, new, old)
        mine = kindred.find(connection, article_id)
        assert mine is not None
        if known is not None:
            own = or_(links.c.a == mine.number, links.c.b == mine.number)
            rows = connection.execute(_TOUCHING.where(own)).all()
            touched = {number for row in rows for number in (row.a, row.b)} | {mine.number}
            connection.execute(delete(links).where(own))
        return mine, touched

    def _link(self, connection: Connection, number: int, document: Document, found: Collection[int]) -> set[int]:
        """Write the links between an article and those it may be the same as; the numbers of those it has links to."""
        names = _ids(connection, found)
        others = {other: read.document for other in found if (read := self.read(connection, names.get(other, "")))}
        standing = set(document.text.passages).union(*(other.text.passages for other in others.values()))
        known = Known(boilerplate=kindred.known_boilerplate(connection, standing))
        rows: list[dict[str, Any]] = []
        for other, its in sorted(others.items()):
            row = judged(document, its, known)
            if row:
                rows.append({"a": min(number, other), "b": max(number, other), **row})
        if rows:
            connection.execute(insert(links), rows)
        return {number for row in rows for number in (row["a"], row["b"])}

    def _recluster(self, connection: Connection, mine: int, parted: Collection[int]) -> set[int]:
        """Clusters anew of an article and of those that may have lost a link; the numbers of articles to judge again.

        Where nobody lost a link, clusters only grow together: then nothing is read of those that stay as they are,
        so that a report that comes in every day costs no more for the many before it.
        """
        changed = set()
        for column, wanted in (
            (signatures.c.raw_cluster, links.c.raw.is_(True)),
            (signatures.c.cluster, links.c.kind == TEXT),
        ):
            left = set(parted)
            while left:
                members = reach(connection, {min(left)}, wanted)
                left -= members
                changed |= _move(connection, column, min(members), signatures.c.number.in_(members))
            if not parted:
                own = or_(links.c.a == mine, links.c.b == mine)
                ends = {end for row in connection.execute(_TOUCHING.where(own, wanted)) for end in (row.a, row.b)}
                joined = select(column).where(signatures.c.number.in_(ends | {mine})).distinct()
                clusters = {row[0] for row in connection.execute(joined)}
                changed |= _move(connection, column, min(clusters), column.in_(clusters))
        keys: set[int] = set()
        for other in _ids(connection, changed).values():
            read = self.read(connection, other)
            keys |= read.document.text.passages if read else set()
        return self._recount(connection, keys)

    def _recount(self, connection: Connection, keys: Collection[int]) -> set[int]:
        """See which passages stand everywhere now; the numbers of the articles with one for which that changed."""

        def hollow(numbers: set[int]) -> set[int]:
            read = {number: self.read(connection, name) for number, name in _ids(connection, numbers).items()}
            texts = {number: its.document.text for number, its in read.items() if its}
            standing = kindred.frequent(connection, {key for its in texts.values() for key in its.passages})
            return {number for number, its in texts.items() if is_hollow(its, standing)}

        return kindred.recount(connection, keys, hollow)


def _move(connection: Connection, column: Any, cluster: int, which: Any) -> set[int]:
    """Put these into a cluster; the numbers of those that were in another."""
    stale = select(signatures.c.number).where(which, column != cluster)
    numbers = {row[0] for row in connection.execute(stale)}
    if numbers:
        connection.execute(update(signatures).where(which, column != cluster).values({column.name: cluster}))
    return numbers


def is_hollow(text: Text, standing: frozenset[int]) -> bool:
    """Whether a text has next to nothing of its own beside these passages."""
    own = sum(len(sentence.words) for sentence in text.sentences if sentence.key not in standing)
    return own < OWN * len(text.words)


def judged(one: Document, other: Document, known: Known) -> dict[str, Any] | None:
    """The values of a link between two articles, None where nothing connects them."""
    raw = settled = judge(one, other)
    if not (one.text.passages | other.text.passages).isdisjoint(known.boilerplate):
        settled = judge(one, other, known)
    kind = kind_of(settled)
    if kind is None and not raw.verdict.is_one_text:
        return None
    score = settled.scores.get("event", 0.0)
    return {"kind": kind or QUOTE, "raw": raw.verdict.is_one_text, "score": score}


def kind_of(found: Judgement) -> str | None:
    """The kind of link a verdict makes, None for none."""
    if found.verdict.is_one_text:
        return TEXT
    if found.verdict == "same_story":
        return STORY
    return APART if found.against and found.scores.get("event", 0.0) >= found.scores["event_needed"] else None


def reach(connection: Connection, start: set[int], wanted: Any) -> set[int]:
    """Everything that links of a kind connect with the start."""
    reached, edge = set(start), set(start)
    while edge:
        rows = connection.execute(_TOUCHING.where(or_(links.c.a.in_(edge), links.c.b.in_(edge)), wanted)).all()
        edge = {number for row in rows for number in (row.a, row.b)} - reached
        reached |= edge
    return reached


def _ids(connection: Connection, numbers: Collection[int]) -> dict[int, str]:
    if not numbers:
        return {}
    rows = connection.execute(_IDS.where(signatures.c.number.in_(numbers)).order_by(signatures.c.number))
    return {row.number: row.article_id for row in rows}
