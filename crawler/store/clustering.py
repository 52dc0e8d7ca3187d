"""Clustering: compares an article with its candidates and updates links, clusters, boilerplate and stories.

Every two articles worth comparing are linked, so the links do not depend on which article came first. A cluster is
what links of one text connect. Stories are built from all links (`similarity.stories.group_stories`), again for
everything that an article's links touch. If a passage turns out to be boilerplate, all articles with it are clustered
again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from crawler.similarity.comparison import MIN_OWN_WORD_SHARE, Similarity, SimilarityType, compare_documents
from crawler.similarity.documents import Document, make_article_document
from crawler.similarity.fingerprint import Fingerprint, make_fingerprint
from crawler.similarity.semantic import Embedding
from crawler.similarity.shingles import SegmentedText
from crawler.similarity.stories import find_connected
from crawler.store import candidate_index
from crawler.store.candidate_index import ArticleSignature
from crawler.store.schema import articles, links, signatures, unclustered, versions
from crawler.store.serialization import parse_article
from crawler.store.statements import make_insert_if_absent
from crawler.store.story_groups import LinkKind, rebuild_stories

MAX_CACHED_DOCUMENTS = 400

_GET_TEXT = (
    select(versions.c.article, articles.c.current_version, articles.c.dated_at)
    .join_from(
        articles,
        versions,
        (versions.c.article_id == articles.c.id) & (versions.c.version == articles.c.current_version),
    )
    .where(articles.c.id == bindparam("of_article"))
)
_GET_VERSION = select(versions.c.article).where(
    versions.c.article_id == bindparam("of_article"), versions.c.version == bindparam("of_version")
)
_DELETE_PENDING = delete(unclustered).where(unclustered.c.article_id == bindparam("of_article"))
_ADD_PENDING = make_insert_if_absent(unclustered)
_SELECT_ENDS = select(links.c.a, links.c.b)


class CurrentText(NamedTuple):
    """An article's current text, prepared for comparison."""

    document: Document
    version: int
    dated_at: datetime


class Clusterer:
    """Clusters articles one after the other, with a cache of the texts it read last.

    `zone` determines the day of a time. `embedding` compares the meaning of matched articles; None switches that off.
    """

    def __init__(self, zone: tzinfo, embedding: Embedding | None = None) -> None:
        self.zone = zone
        self.embedding = embedding
        self._cache: OrderedDict[str, CurrentText] = OrderedDict()

    def assign_article(self, connection: Connection, article_id: str) -> None:
        """Cluster one article in the caller's transaction."""
        current = self.read_text(connection, article_id, fresh=True)
        if current is None:
            return
        fingerprint = make_fingerprint(current.document)
        own, unlinked = self._update_signature(connection, article_id, current, fingerprint)
        candidates = candidate_index.list_candidates(connection, own, fingerprint)
        changed = unlinked | self._add_links(connection, own.number, current.document, candidates)
        again: set[int] = set()
        if changed:
            changed.add(own.number)
            again = self._update_clusters(connection, own.number, changed if unlinked else set())
            rebuild_stories(connection, changed)
        again |= self._update_boilerplate(connection, fingerprint.passages)
        _delete_pending(connection, article_id)
        for other_id in _fetch_ids(connection, again).values():
            connection.execute(_ADD_PENDING[connection.dialect.name], {"article_id": other_id})

    def read_text(self, connection: Connection, article_id: str, *, fresh: bool = False) -> CurrentText | None:
        """Return an article's current text, from the cache unless `fresh`. None if the article is not stored."""
        if not fresh and article_id in self._cache:
            self._cache.move_to_end(article_id)
            return self._cache[article_id]
        row = connection.execute(_GET_TEXT, {"of_article": article_id}).first()
        if row is None:
            return None
        document = make_article_document(parse_article(row.article), self.zone, self.embedding)
        self._cache[article_id] = CurrentText(document, row.current_version, row.dated_at)
        if len(self._cache) > MAX_CACHED_DOCUMENTS:
            self._cache.popitem(last=False)
        return self._cache[article_id]

    def _update_signature(
        self, connection: Connection, article_id: str, current: CurrentText, fingerprint: Fingerprint
    ) -> tuple[ArticleSignature, set[int]]:
        """Write the article's signature if its text is new, and delete its links.

        Return the signature and the articles that lost a link, the article itself included.
        """
        former = candidate_index.get_signature(connection, article_id)
        if former is None or former.version != current.version:
            day = current.document.published or current.dated_at.astimezone(self.zone).date()
            candidate_index.save_signature(
                connection,
                article_id,
                current.version,
                day.toordinal(),
                current.document.release_id,
                fingerprint,
                self._make_former_fingerprint(connection, article_id, former),
            )
        own = candidate_index.get_signature(connection, article_id)
        assert own is not None
        if former is None:
            return own, set()
        has_own_end = or_(links.c.a == own.number, links.c.b == own.number)
        ends = _fetch_ends(connection, has_own_end)
        connection.execute(delete(links).where(has_own_end))
        return own, ends | {own.number}

    def _make_former_fingerprint(
        self, connection: Connection, article_id: str, former: ArticleSignature | None
    ) -> Fingerprint | None:
        if former is None:
            return None
        values = {"of_article": article_id, "of_version": former.version}
        row = connection.execute(_GET_VERSION, values).first()
        return make_fingerprint(make_article_document(parse_article(row.article), self.zone)) if row else None

    def _add_links(
        self, connection: Connection, number: int, document: Document, candidates: Collection[int]
    ) -> set[int]:
        """Add the links between an article and its candidates. Return the numbers of all linked articles."""
        ids = _fetch_ids(connection, candidates)
        others = {
            other: text.document for other in candidates if (text := self.read_text(connection, ids.get(other, "")))
        }
        shared = set(document.text.passages).union(*(other.text.passages for other in others.values()))
        boilerplate = candidate_index.get_boilerplate(connection, shared)
        rows: list[dict[str, Any]] = []
        for other, other_document in sorted(others.items()):
            row = make_link_row(document, other_document, boilerplate)
            if row:
                rows.append({"a": min(number, other), "b": max(number, other), **row})
        if rows:
            connection.execute(insert(links), rows)
        return {end for row in rows for end in (row["a"], row["b"])}

    def _update_clusters(self, connection: Connection, number: int, unlinked: Collection[int]) -> set[int]:
        """Write the clusters of an article and of those that may have lost a link. Return the articles to repeat.

        If no article lost a link, clusters only grow together. Then nothing is read of the members that stay as they
        are, so that a daily report costs no more because of the many before it.
        """
        changed = set()
        for column, is_joining in (
            (signatures.c.raw_cluster, links.c.raw.is_(True)),
            (signatures.c.cluster, links.c.kind == LinkKind.SAME_TEXT),
        ):
            left = set(unlinked)
            while left:
                members = _find_cluster(connection, min(left), is_joining)
                left -= members
                changed |= _move_to_cluster(connection, column, min(members), signatures.c.number.in_(members))
            if not unlinked:
                ends = _fetch_ends(connection, or_(links.c.a == number, links.c.b == number), is_joining)
                joined = select(column).where(signatures.c.number.in_(ends | {number})).distinct()
                clusters = {row[0] for row in connection.execute(joined)}
                changed |= _move_to_cluster(connection, column, min(clusters), column.in_(clusters))
        keys: set[int] = set()
        for article_id in _fetch_ids(connection, changed).values():
            text = self.read_text(connection, article_id)
            keys |= text.document.text.passages if text else set()
        return self._update_boilerplate(connection, keys)

    def _update_boilerplate(self, connection: Connection, keys: Collection[int]) -> set[int]:
        """Write which of these passages are boilerplate now. Return the articles for which that has changed."""

        def find_boilerplate_only(numbers: set[int]) -> set[int]:
            read = {
                number: self.read_text(connection, name) for number, name in _fetch_ids(connection, numbers).items()
            }
            texts = {number: current.document.text for number, current in read.items() if current}
            keys = {key for text in texts.values() for key in text.passages}
            frequent = candidate_index.get_frequent_passages(connection, keys)
            return {number for number, text in texts.items() if is_mostly_boilerplate(text, frequent)}

        return candidate_index.update_boilerplate(connection, keys, find_boilerplate_only)


def is_mostly_boilerplate(text: SegmentedText, passages: frozenset[int]) -> bool:
    """Return whether a text has almost no words beside these passages."""
    own = sum(len(sentence.words) for sentence in text.sentences if sentence.passage_key not in passages)
    return own < MIN_OWN_WORD_SHARE * len(text.words)


def make_link_row(one: Document, other: Document, boilerplate: frozenset[int]) -> dict[str, Any] | None:
    """Return the values of a link between two articles, or None if nothing connects them.

    `raw` is whether they are one text before boilerplate is ignored.
    """
    raw = final = compare_documents(one, other)
    if not (one.text.passages | other.text.passages).isdisjoint(boilerplate):
        final = compare_documents(one, other, boilerplate)
    kind = get_link_kind(final)
    if kind is None and not raw.relation.is_one_text:
        return None
    score = final.scores.get("event", 0.0)
    return {"kind": kind or LinkKind.QUOTE, "raw": raw.relation.is_one_text, "score": score}


def get_link_kind(similarity: Similarity) -> LinkKind | None:
    """Return the kind of link for a comparison's result, or None for no link."""
    if similarity.relation.is_one_text:
        return LinkKind.SAME_TEXT
    if similarity.relation is SimilarityType.SAME_STORY:
        return LinkKind.SAME_STORY if similarity.is_certain_story else LinkKind.POSSIBLE_STORY
    if not similarity.contradiction:
        return None
    is_near = similarity.scores.get("event", 0.0) >= similarity.scores["event_needed"]
    return LinkKind.SEPARATE if is_near else None


def _delete_pending(connection: Connection, article_id: str) -> None:
    connection.execute(_DELETE_PENDING, {"of_article": article_id})


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
    if not numbers:
        return {}
    query = select(signatures.c.number, signatures.c.article_id).where(signatures.c.number.in_(numbers))
    return {row.number: row.article_id for row in connection.execute(query.order_by(signatures.c.number))}
