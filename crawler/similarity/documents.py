"""A text prepared for comparison: its sentences, its day, and what identifies the release that it is a version of."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from functools import cached_property

from crawler.items import Article
from crawler.similarity.features import EventFeatures
from crawler.similarity.semantic import Embedding, Vector
from crawler.similarity.shingles import SegmentedText, segment_text
from crawler.similarity.url_identity import find_release_id

MAX_CACHED_DOCUMENTS = 400


@dataclass(frozen=True, kw_only=True)
class Document:
    """A text to compare.

    `published` is a day; both documents of a pair have it in one time zone. The language versions of one release have
    the same `release_id`. `embedding`, if given, computes the meaning. `whole` has the features of a document with the
    same passages and more, if they are known.
    """

    text: SegmentedText
    published: date | None = None
    release_id: str | None = None
    title: str | None = None
    embedding: Embedding | None = None
    whole: EventFeatures | None = field(default=None, repr=False, compare=False)
    _shortened: dict[frozenset[int], Document] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def features(self) -> EventFeatures:
        """The features of title and text."""
        return EventFeatures(prepend_title(self.title, self.text), self.whole)

    @cached_property
    def vector(self) -> Vector | None:
        """The meaning of title and text, None without an embedding."""
        if self.embedding is None:
            return None
        return self.embedding("\n".join(sentence.text for sentence in prepend_title(self.title, self.text).sentences))

    def remove_passages(self, keys: Collection[int]) -> Document:
        """Return the document without these passages: itself if it has none of them.

        The last result is kept, because a document is compared with many others while the same passages are ignored.
        """
        own = self.text.passages.intersection(keys)
        if not own:
            return self
        shortened = self._shortened.get(own)
        if shortened is None:
            known = self.features if "features" in self.__dict__ else None
            shortened = replace(self, text=self.text.remove_passages(own), whole=known)
            self._shortened.clear()
            self._shortened[own] = shortened
        return shortened


def make_document(
    text: str,
    *,
    published: date | None = None,
    release_id: str | None = None,
    title: str | None = None,
    embedding: Embedding | None = None,
) -> Document:
    """Return a plain text prepared for comparison."""
    return Document(
        text=segment_text(text), published=published, release_id=release_id, title=title, embedding=embedding
    )


def make_article_document(article: Article, zone: tzinfo, embedding: Embedding | None = None) -> Document:
    """Return an article prepared for comparison. Its day is the one in `zone`. Only a matched article has a meaning."""
    return make_document(
        f"{article.lead}\n{article.body}" if article.lead else article.body,
        published=article.published_at.astimezone(zone).date() if article.published_at else None,
        title=article.title,
        release_id=find_release_id(article.url),
        embedding=embedding if article.is_matched else None,
    )


class DocumentCache:
    """The documents that were used last, by article and version."""

    def __init__(self, size: int = MAX_CACHED_DOCUMENTS) -> None:
        self._size = size
        self._documents: OrderedDict[tuple[str, int], Document] = OrderedDict()

    def get(self, article_id: str, version: int) -> Document | None:
        """Return the document of a version, or None."""
        key = (article_id, version)
        if key in self._documents:
            self._documents.move_to_end(key)
        return self._documents.get(key)

    def add(self, article_id: str, version: int, document: Document) -> None:
        """Keep a document, and drop the one that was not used for the longest time."""
        self._documents[article_id, version] = document
        if len(self._documents) > self._size:
            self._documents.popitem(last=False)


def prepend_title(title: str | None, text: SegmentedText) -> SegmentedText:
    """Return the text with its title as first sentence, unless it already begins with it."""
    heading = segment_text(title).sentences if title else ()
    if not heading or (text.sentences and text.sentences[0].words == heading[0].words):
        return text
    return SegmentedText((*heading, *text.sentences))
