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

from crawler.similarity.comparison import MIN_OWN_WORD_SHARE, Document, KnownPassages, Similarity, compare_documents
from crawler.similarity.documents import make_article_document
from crawler.similarity.fingerprint import Fingerprint, make_fingerprint
from crawler.similarity.semantic import Embedding
from crawler.similarity.shingles import SegmentedText
from crawler.store import candidate_index as kindred
from crawler.store.grouping import rebuild_stories
from crawler.store.schema import articles, links, signatures, unclustered, versions
from crawler.store.serialization import parse_article
from crawler.store.statements import make_insert_if_absent

MAX_CACHED_DOCUMENTS = 400
"""Documents kept in memory while many articles are judged."""
TEXT, STORY, APART, QUOTE = "text", "story", "apart", "quote"
"""Kinds of links: one text; one story; enough in common for a story, but the judge found two events; in common only
a passage that stands everywhere."""

_CURRENT = (select(versions.c.article, articles.c.current_version, articles.c.dated_at)
    .join_from(
        articles,
        versions,
        (versions.c.article_id == articles.c.id) & (versions.c.version == articles.c.current_version),
    )
    .where(articles.c.id == bindparam("at")))
_OF_VERSION = (select(versions.c.article).where(
        versions.c.article_id == bindparam("at"), versions.c.version == bindparam("version")
    ))
_IDS = select(signatures.c.number, signatures.c.article_id)
_DONE = (delete(unclustered).where(unclustered.c.article_id == bindparam("at")))
_AGAIN = make_insert_if_absent(unclustered)
_TOUCHING = select(links.c.a, links.c.b, links.c.kind, links.c.raw)


class CurrentText(NamedTuple):
    """An article's current text, ready to be judged."""

    document: Document
    version: int
    dated_at: datetime


class Clusterer:
    """Judges articles, one after the other; keeps the texts it read last. `zone` says which day a moment is on;
    `embedding` reads the meaning of matched articles, None where that is switched off."""

    def __init__(self, zone: tzinfo, embedding: Embedding | None = None) -> None:
        self.zone = zone
        self.embedding = embedding
        self._read: OrderedDict[str, CurrentText] = OrderedDict()

    def assign_article(self, connection: Connection, article_id: str) -> None:
        """Judge one article in the caller's transaction."""
        read = self.read_text(connection, article_id, fresh=True)
        if read is None:
            return
        new = make_fingerprint(read.document)
        mine, parted = self._traced(connection, article_id, read, new)
        found = kindred.list_candidates(connection, mine, new)
        touched = parted | self._link(connection, mine.number, read.document, found)
        again: set[int] = set()
        if touched:
            touched.add(mine.number)
            again = self._recluster(connection, mine.number, touched if parted else set())
            rebuild_stories(connection, touched)
        again |= self._recount(connection, new.passages)
        connection.execute(_DONE, {"at": article_id})
        for other in _ids(connection, again).values():
            connection.execute(_AGAIN[connection.dialect.name], {"article_id": other})

    def read_text(self, connection: Connection, article_id: str, *, fresh: bool = False) -> CurrentText | None:
        """The current text of an article, from memory where it was read before."""
        if not fresh and article_id in self._read:
            self._read.move_to_end(article_id)
            return self._read[article_id]
        rows = connection.execute(_CURRENT, {"at": article_id}).all()
        if not rows:
            return None
        document = make_article_document(parse_article(rows[0][0]), self.zone, self.embedding)
        self._read[article_id] = CurrentText(document, rows[0][1], rows[0][2])
        if len(self._read) > MAX_CACHED_DOCUMENTS:
            self._read.popitem(last=False)
        return self._read[article_id]

    def _traced(
        self, connection: Connection, article_id: str, read: CurrentText, new: Fingerprint
    ) -> tuple[kindred.ArticleSignature, set[int]]:
        """The article's row, written anew where its text is new; and whoever lost a link to it."""
        known = kindred.get_signature(connection, article_id)
        touched: set[int] = set()
        if known is None or known.version != read.version:
            day = read.document.published or read.dated_at.astimezone(self.zone).date()
            old = None
            if known is not None:
                kept = connection.execute(_OF_VERSION, {"at": article_id, "version": known.version}).all()
                old = make_fingerprint(make_article_document(parse_article(kept[0][0]), self.zone)) if kept else None
            kindred.save_signature(
                connection, article_id, read.version, day.toordinal(), read.document.release_id, new, old
            )
        mine = kindred.get_signature(connection, article_id)
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
        others = {other: read.document for other in found if (read := self.read_text(connection, names.get(other, "")))}
        standing = set(document.text.passages).union(*(other.text.passages for other in others.values()))
        known = KnownPassages(boilerplate=kindred.get_boilerplate(connection, standing))
        rows: list[dict[str, Any]] = []
        for other, its in sorted(others.items()):
            row = make_link_row(document, its, known)
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
            read = self.read_text(connection, other)
            keys |= read.document.text.passages if read else set()
        return self._recount(connection, keys)

    def _recount(self, connection: Connection, keys: Collection[int]) -> set[int]:
        """See which passages stand everywhere now; the numbers of the articles with one for which that changed."""

        def hollow(numbers: set[int]) -> set[int]:
            read = {number: self.read_text(connection, name) for number, name in _ids(connection, numbers).items()}
            texts = {number: its.document.text for number, its in read.items() if its}
            standing = kindred.get_frequent_passages(
                connection, {key for its in texts.values() for key in its.passages}
            )
            return {number for number, its in texts.items() if is_mostly_boilerplate(its, standing)}

        return kindred.update_boilerplate(connection, keys, hollow)


def _move(connection: Connection, column: Any, cluster: int, which: Any) -> set[int]:
    """Put these into a cluster; the numbers of those that were in another."""
    stale = select(signatures.c.number).where(which, column != cluster)
    numbers = {row[0] for row in connection.execute(stale)}
    if numbers:
        connection.execute(update(signatures).where(which, column != cluster).values({column.name: cluster}))
    return numbers


def is_mostly_boilerplate(text: SegmentedText, standing: frozenset[int]) -> bool:
    """Whether a text has next to nothing of its own beside these passages."""
    own = sum(len(sentence.words) for sentence in text.sentences if sentence.passage_key not in standing)
    return own < MIN_OWN_WORD_SHARE * len(text.words)


def make_link_row(one: Document, other: Document, known: KnownPassages) -> dict[str, Any] | None:
    """The values of a link between two articles, None where nothing connects them."""
    raw = settled = compare_documents(one, other)
    if not (one.text.passages | other.text.passages).isdisjoint(known.boilerplate):
        settled = compare_documents(one, other, known)
    kind = get_link_kind(settled)
    if kind is None and not raw.verdict.is_one_text:
        return None
    score = settled.scores.get("event", 0.0)
    return {"kind": kind or QUOTE, "raw": raw.verdict.is_one_text, "score": score}


def get_link_kind(found: Similarity) -> str | None:
    """The kind of link a verdict makes, None for none."""
    if found.verdict.is_one_text:
        return TEXT
    if found.verdict == "same_story":
        return STORY
    return APART if found.contradiction and found.scores.get("event", 0.0) >= found.scores["event_needed"] else None


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
