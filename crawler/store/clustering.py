"""Clustering: compares an article with its candidates and updates links, clusters, boilerplate and stories.

Every two articles worth comparing are linked, so the links do not depend on which article came first. A cluster is
what links of one text connect. Stories are built from all links (`similarity.stories.group_stories`), again for
everything that an article's links touch. If a passage turns out to be boilerplate, all articles with it are clustered
again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from crawler.similarity.comparison import (
    MIN_OWN_WORD_SHARE,
    PairDecision,
    SimilarityType,
    are_one_text,
    decide_relation,
)
from crawler.similarity.documents import Document, DocumentCache, make_article_document
from crawler.similarity.preparation import make_fingerprint
from crawler.similarity.semantic import Embedding
from crawler.similarity.shingles import SegmentedText
from crawler.similarity.stories import find_connected
from crawler.store import candidate_index
from crawler.store.candidate_index import ArticleSignature, BoilerplateIndex
from crawler.store.pending_articles import PendingArticle, add_again, delete_pending
from crawler.store.schema import links, signatures, versions
from crawler.store.serialization import parse_article
from crawler.store.statements import PreparedStatement, make_in_query
from crawler.store.story_groups import LinkKind, rebuild_stories

_SELECT_ENDS = select(links.c.a, links.c.b)
_ADD_LINKS = PreparedStatement(insert(links))
_GET_VERSION = select(versions.c.article).where(
    versions.c.article_id == bindparam("of_article"), versions.c.version == bindparam("of_version")
)
_FETCH_ARTICLES = make_in_query(
    "SELECT signatures.number, signatures.article_id, articles.current_version FROM signatures "
    "JOIN articles ON articles.id = signatures.article_id WHERE signatures.number IN ({keys})"
)
_FETCH_TEXTS = make_in_query(
    "SELECT versions.article_id, versions.version, versions.article FROM articles "
    "JOIN versions ON versions.article_id = articles.id AND versions.version = articles.current_version "
    "WHERE articles.id IN ({keys})"
)


LinkRow = Mapping[str, Any]
"""The values of a row in `links`, by column."""


class ClusteredArticle(NamedTuple):
    """An article that was clustered, and whether anything links it with others."""

    article: PendingArticle
    has_links: bool

    @property
    def article_id(self) -> str:
        """The article's id."""
        return self.article.article_id


class Clusterer:
    """Clusters articles in batches, with a cache of the texts it read last.

    `zone` determines the day of a time. `embedding` compares the meaning of matched articles; None switches that off.
    """

    _boilerplate: BoilerplateIndex

    def __init__(
        self, zone: tzinfo, embedding: Embedding | None = None, documents: DocumentCache | None = None
    ) -> None:
        self.zone = zone
        self.embedding = embedding
        self._documents = documents or DocumentCache()

    def assign_batch(self, connection: Connection, batch: Collection[PendingArticle]) -> list[ClusteredArticle]:
        """Cluster articles in the caller's transaction. Return them with their fingerprints.

        Stories are built once for all of them. An article that has to be clustered again, because a passage became
        boilerplate, waits again.
        """
        self._boilerplate = BoilerplateIndex(connection)
        clustered: list[ClusteredArticle] = []
        changed: set[int] = set()
        again: set[int] = set()
        for each in batch:
            pending = each if each.fingerprint else self._prepare(connection, each)
            number, linked, repeated = self._assign_article(connection, pending)
            clustered.append(ClusteredArticle(pending, has_links=bool(linked)))
            changed |= linked
            again = again - {number} | repeated
        if changed:
            rebuild_stories(connection, changed)
        delete_pending(connection, [pending.article_id for pending in batch])
        urgent_ids = {pending.article_id for pending in batch if pending.is_urgent}
        add_again(connection, _fetch_ids(connection, again).values(), urgent_ids)
        return clustered

    def _assign_article(self, connection: Connection, pending: PendingArticle) -> tuple[int, set[int], set[int]]:
        """Cluster one article. Return its number, the articles whose links changed, and those to cluster again."""
        fingerprint = pending.fingerprint
        assert fingerprint is not None
        former = candidate_index.get_signature(connection, pending.article_id)
        own = self._update_signature(connection, pending, former)
        lost = _delete_links(connection, own.number) if former else []
        candidates = candidate_index.list_candidates(connection, own, fingerprint)
        rows = self._add_links(connection, own.number, pending, candidates) if candidates else []
        changed = {end for row in (*lost, *rows) for end in (row["a"], row["b"])}
        if former:
            changed.add(own.number)
        again = self._update_clusters(connection, rows, lost)
        again |= self._update_boilerplate(connection, fingerprint.passages)
        return own.number, changed, again

    def _prepare(self, connection: Connection, pending: PendingArticle) -> PendingArticle:
        """Return a pending article with the fingerprint of its stored text."""
        document = self._read_documents(connection, {pending.article_id: pending.version})[pending.article_id]
        return pending._replace(
            day=document.published.toordinal() if document.published else None,
            release_id=document.release_id,
            fingerprint=make_fingerprint(document),
        )

    def _read_documents(self, connection: Connection, wanted: Mapping[str, int]) -> dict[str, Document]:
        """Return articles' current texts (id → version), from the cache or the store."""
        cached = {name: self._documents.get(name, version) for name, version in wanted.items()}
        found = {name: document for name, document in cached.items() if document}
        for article_id, version, text in _FETCH_TEXTS.fetch(connection, wanted.keys() - found.keys()):
            document = make_article_document(parse_article(text), self.zone, self.embedding)
            self._documents.add(article_id, version, document)
            found[article_id] = document
        return found

    def _read_numbered(self, connection: Connection, numbers: Collection[int]) -> dict[int, Document]:
        """Return the current texts of articles by their numbers, in ascending order."""
        rows = sorted(_FETCH_ARTICLES.fetch(connection, numbers))
        documents = self._read_documents(connection, {row[1]: row[2] for row in rows})
        return {row[0]: documents[row[1]] for row in rows}

    def _update_signature(
        self, connection: Connection, pending: PendingArticle, former: ArticleSignature | None
    ) -> ArticleSignature:
        """Write the article's signature if its text is new, and return it."""
        if former is not None and former.version == pending.version:
            return former
        assert pending.fingerprint is not None
        old = None
        if former is not None:
            values = {"of_article": pending.article_id, "of_version": former.version}
            row = connection.execute(_GET_VERSION, values).first()
            old = make_fingerprint(make_article_document(parse_article(row.article), self.zone)) if row else None
        for fingerprint in filter(None, (pending.fingerprint, old)):
            self._boilerplate.forget_frequent(fingerprint)
        return candidate_index.save_signature(
            connection,
            pending.article_id,
            pending.version,
            pending.get_day(self.zone),
            pending.release_id,
            pending.fingerprint,
            former,
            old,
        )

    def _add_links(
        self, connection: Connection, number: int, pending: PendingArticle, candidates: Collection[int]
    ) -> list[dict[str, Any]]:
        """Add the links between an article and its candidates. Return their rows."""
        document = self._read_documents(connection, {pending.article_id: pending.version})[pending.article_id]
        others = self._read_numbered(connection, candidates)
        texts = [document.text, *(other.text for other in others.values())]
        boilerplate = self._boilerplate.list_known(text.passages for text in texts)
        rows: list[dict[str, Any]] = []
        for other, other_document in others.items():
            row = make_link_row(document, other_document, boilerplate)
            if row:
                rows.append({"a": min(number, other), "b": max(number, other), **row})
        _ADD_LINKS.execute_many(connection, rows)
        return rows

    def _update_clusters(
        self, connection: Connection, rows: Collection[LinkRow], lost: Collection[LinkRow]
    ) -> set[int]:
        """Write the clusters of the ends of new links and of lost ones. Return those to repeat.

        If no link of a cluster was lost, clusters only grow together. Then nothing is read of the members that stay as
        they are, so that a daily report costs no more because of the many before it.
        """
        if not (rows or lost):
            return set()
        changed = set()
        for column, name, value in (
            (signatures.c.raw_cluster, "raw", True),
            (signatures.c.cluster, "kind", LinkKind.SAME_TEXT),
        ):
            is_joining = links.c[name] == value
            ends, unlinked = _list_ends(rows, name, value), _list_ends(lost, name, value)
            left = unlinked and unlinked | ends
            while left:
                members = _find_cluster(connection, min(left), is_joining)
                left -= members
                changed |= _move_to_cluster(connection, column, min(members), signatures.c.number.in_(members))
            if ends and not unlinked:
                joined = select(column).where(signatures.c.number.in_(ends)).distinct()
                clusters = {row[0] for row in connection.execute(joined)}
                changed |= _move_to_cluster(connection, column, min(clusters), column.in_(clusters))
        if not changed:
            return set()
        texts = self._read_numbered(connection, changed).values()
        return self._update_boilerplate(connection, set().union(*(document.text.passages for document in texts)))

    def _update_boilerplate(self, connection: Connection, keys: Collection[int]) -> set[int]:
        """Write which of these passages are boilerplate now. Return the articles for which that has changed."""

        def find_boilerplate_only(numbers: set[int]) -> set[int]:
            texts = {number: document.text for number, document in self._read_numbered(connection, numbers).items()}
            frequent = self._boilerplate.list_frequent(set().union(*(text.passages for text in texts.values())))
            return {number for number, text in texts.items() if is_mostly_boilerplate(text, frequent)}

        return self._boilerplate.update(keys, find_boilerplate_only)


def is_mostly_boilerplate(text: SegmentedText, passages: frozenset[int]) -> bool:
    """Return whether a text has almost no words beside these passages."""
    own = len(text.words) - sum(len(sentence.words) for sentence in text.list_passages(passages))
    return own < MIN_OWN_WORD_SHARE * len(text.words)


def make_link_row(one: Document, other: Document, boilerplate: frozenset[int]) -> dict[str, Any] | None:
    """Return the values of a link between two articles, or None if nothing connects them.

    `raw` is whether they are one text before boilerplate is ignored.
    """
    decision = decide_relation(one, other, boilerplate)
    is_raw = decision.relation.is_one_text
    if not (one.text.passages.isdisjoint(boilerplate) and other.text.passages.isdisjoint(boilerplate)):
        is_raw = are_one_text(one, other)
    kind = get_link_kind(decision)
    if kind is None and not is_raw:
        return None
    # A plain string, because the driver looks for an adapter of each value of another type.
    return {"kind": (kind or LinkKind.QUOTE).value, "raw": is_raw, "score": decision.score}


def get_link_kind(decision: PairDecision) -> LinkKind | None:
    """Return the kind of link for a comparison's result, or None for no link."""
    if decision.relation.is_one_text:
        return LinkKind.SAME_TEXT
    if decision.relation is SimilarityType.SAME_STORY:
        return LinkKind.SAME_STORY if decision.is_certain_story else LinkKind.POSSIBLE_STORY
    return LinkKind.SEPARATE if decision.contradiction and decision.is_near_event else None


def _delete_links(connection: Connection, number: int) -> list[LinkRow]:
    """Delete the links of an article. Return them."""
    has_own_end = or_(links.c.a == number, links.c.b == number)
    rows: list[LinkRow] = [row._asdict() for row in connection.execute(select(links).where(has_own_end))]
    connection.execute(delete(links).where(has_own_end))
    return rows


def _list_ends(rows: Iterable[LinkRow], name: str, value: object) -> set[int]:
    """Return the ends of the links with this value."""
    return {end for row in rows if row[name] == value for end in (row["a"], row["b"])}


def _find_cluster(connection: Connection, number: int, is_joining: Any) -> set[int]:
    """Return everything that links of a kind connect with an article."""
    return find_connected(
        {number}, lambda new: _fetch_ends(connection, or_(links.c.a.in_(new), links.c.b.in_(new)), is_joining)
    )


def _fetch_ends(connection: Connection, *conditions: Any) -> set[int]:
    """Return the numbers of both articles of these links."""
    return {end for row in connection.execute(_SELECT_ENDS.where(*conditions)) for end in (row.a, row.b)}


def _move_to_cluster(connection: Connection, column: Any, cluster: int, condition: Any) -> set[int]:
    """Write the cluster of these articles. Return the numbers of those that were in another."""
    query = select(signatures.c.number).where(condition, column != cluster)
    numbers = {row.number for row in connection.execute(query)}
    if numbers:
        moved = update(signatures).where(condition, column != cluster)
        connection.execute(moved.values({column.key: cluster}))
    return numbers


def _fetch_ids(connection: Connection, numbers: Collection[int]) -> dict[int, str]:
    """Return article ids by number, in ascending order of the numbers."""
    rows = sorted(_FETCH_ARTICLES.fetch(connection, numbers))
    return {row[0]: row[1] for row in rows}
