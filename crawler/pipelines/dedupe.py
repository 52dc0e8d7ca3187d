"""Decide whether an article is new, revised, unchanged, republished, or a copy of another one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Self

from scrapy.crawler import Crawler

from crawler.context.drops import ArticleDamaged, ArticleFromOtherRecord
from crawler.context.known_articles import KnownArticles
from crawler.context.run_context import RunContext
from crawler.items import Article, Extraction, Verdict
from crawler.monitoring.run_counts import RunCount
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.store import ArticleState, Store
from crawler.text.cleaning import remove_unseen_characters


class SeenVersion(NamedTuple):
    """The newest version of an article, from the store or from earlier in this run, and when it was last seen."""

    content_hash: str
    number: int
    is_unpublished: bool
    is_damaged: bool
    seen_at: datetime | None
    extraction: Extraction | None = None
    site_verdict: Verdict | None = None


class DedupePipeline:
    """Second stage. Compares each article with the store and with the articles before it in the run.

    The run's own articles are kept here, because the store stage may not have written them yet. A damaged text is
    stored only where the store has nothing of the article. It is no revision, and the first sound version after it is
    new. A text that another reader read (`Article.extraction`) is no revision. In a replay, a page that is older than
    what the store knows of its article makes no version.
    """

    def __init__(
        self,
        store: Store,
        known_articles: KnownArticles,
        increment_stat: Callable[[str], None] = lambda name: None,
        *,
        is_replay: bool = False,
        guard: Callable[[Article], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """`guard` makes the block in which the store is read for an article (`RunContext.drop_without_store`)."""
        self._store, self._known_articles, self._increment_stat = store, known_articles, increment_stat
        self._is_replay, self._guard = is_replay, guard
        self._seen: dict[str, SeenVersion] = {}
        self._originals: dict[str, str] = {}
        """Id of the first article with each body hash."""
        self._requested_languages: dict[str, str | None] = {}
        """`Article.requested_language` of the articles of which this run has a version."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the stage for a source's run."""
        context = RunContext.from_source_run(crawler)
        return cls(
            context.store,
            context.known_articles,
            context.increment_stat,
            is_replay=context.mode.is_replay,
            guard=context.drop_without_store,
        )

    def process_item(self, item: Article) -> Article:
        """Return the article with its verdict, its version and, for a copy, the id of the original."""
        with self._guard(item):
            return self._compare_article(item)

    def _compare_article(self, item: Article) -> Article:
        stored = None if item.id in self._seen else self._find_stored(item)
        if stored:
            item = replace(item, id=stored.id)
        if self._is_from_other_record(item):
            raise ArticleFromOtherRecord(f"{item.id} is already stored from another record")
        content_hash, body_hash = hash_revision(item), hash_body(item)
        previous = self._seen.get(item.id) or (self._make_seen_version(stored, item, content_hash) if stored else None)
        if previous is not None and self._is_outdated(item, previous):
            self._seen[item.id] = previous
            return replace(item, verdict=Verdict.UNCHANGED, version=previous.number)
        result = self._decide_verdict(item, content_hash, body_hash, previous)
        if result.verdict is not Verdict.UNCHANGED:
            self._requested_languages[item.id] = item.requested_language
        is_unpublished, number = result.verdict is Verdict.UNPUBLISHED, result.version or 1
        self._seen[item.id] = SeenVersion(
            content_hash, number, is_unpublished, item.is_damaged, item.fetched_at, item.extraction, result.edit_verdict
        )
        self._originals.setdefault(body_hash, result.copy_of or item.id)
        return result

    def _make_seen_version(self, state: ArticleState, item: Article, content_hash: str) -> SeenVersion:
        """Return the version that the store has. Its flags do not matter for a sound article with the same text."""
        has_flags = state.content_hash != content_hash or item.is_damaged
        stored = self._store.articles.get(state.id) if has_flags else None
        is_unpublished = state.verdict is Verdict.UNPUBLISHED
        is_damaged = stored is not None and stored.is_damaged
        extraction = stored.extraction if stored else item.extraction
        return SeenVersion(
            state.content_hash,
            state.version,
            is_unpublished,
            is_damaged,
            state.last_seen_at,
            extraction,
            stored.edit_verdict if stored else state.verdict,
        )

    def _is_outdated(self, item: Article, newest: SeenVersion) -> bool:
        """Whether a replayed page is older than the article's newest version."""
        return bool(self._is_replay and item.fetched_at and newest.seen_at and item.fetched_at < newest.seen_at)

    def _find_stored(self, item: Article) -> ArticleState | None:
        """Return the stored state of the article, by its id or by its address.

        An id ends with the language in which the text was first read. A later version may be read in another language
        (a few words are of no known language) and is still the same page.
        """
        states = self._known_articles.list_states(item.source, item.native_id)
        same_id = [state for state in states if state.id == item.id]
        same_page = [state for state in states if state.url == item.url]
        return next(iter(same_id or sorted(same_page, key=lambda state: state.id)), None)

    def _is_from_other_record(self, item: Article) -> bool:
        """Whether an untranslated article would overwrite the text of another record of its source."""
        requested_language = item.requested_language
        if requested_language is None:
            return False
        if item.id in self._requested_languages:  # the store may not have it yet
            return self._requested_languages[item.id] != requested_language
        stored = self._store.articles.get(item.id)
        return stored is not None and stored.requested_language != requested_language

    def _was_stored_uncleaned(self, item: Article, content_hash: str) -> bool:
        """Return whether the stored text differs only in unseen characters, which earlier versions kept."""
        stored = self._store.articles.get(item.id)
        if stored is None:
            return False
        cleaned = replace(
            stored,
            title=remove_unseen_characters(stored.title or "") or None,
            lead=remove_unseen_characters(stored.lead or "") or None,
            body=remove_unseen_characters(stored.body),
        )
        return cleaned != stored and hash_revision(cleaned) == content_hash

    def _decide_verdict(
        self, item: Article, content_hash: str, body_hash: str, previous: SeenVersion | None
    ) -> Article:
        if item.verdict is Verdict.UNPUBLISHED:
            return item
        if previous is None:
            return self._decide_first_verdict(item, body_hash)
        is_same = previous.content_hash == content_hash or self._was_stored_uncleaned(item, content_hash)
        if item.is_damaged and not (is_same and not previous.is_damaged):
            self._increment_stat(RunCount.DAMAGED)
            if not is_same:
                reason = ", ".join(item.flags)
                raise ArticleDamaged(f"{item.id} came damaged ({reason}): version {previous.number} is kept")
        if previous.is_unpublished:
            return replace(item, verdict=Verdict.REPUBLISHED, version=previous.number + 1)
        if is_same:
            return replace(item, verdict=Verdict.UNCHANGED, version=previous.number)
        if previous.extraction is not item.extraction and not previous.is_damaged:
            return self._decide_other_reader(item, previous)
        return replace(
            item, verdict=Verdict.NEW if previous.is_damaged else Verdict.REVISED, version=previous.number + 1
        )

    def _decide_other_reader(self, item: Article, previous: SeenVersion) -> Article:
        """Return the verdict on a text that another reader read: the difference may be the reader's, not the site's.

        The source's own page class replaces the generic reader's text, and nobody is notified. Not the other way round.
        """
        if item.extraction is not None:
            return replace(item, verdict=Verdict.UNCHANGED, version=previous.number)
        return replace(
            item, verdict=Verdict.REPROCESSED, site_verdict=previous.site_verdict, version=previous.number + 1
        )

    def _decide_first_verdict(self, item: Article, body_hash: str) -> Article:
        if item.is_damaged:
            self._increment_stat(RunCount.DAMAGED)
        original = self._originals.get(body_hash) or self._store.articles.find_original(body_hash, excluded_id=item.id)
        if original and original != item.id:
            return replace(item, verdict=Verdict.COPY, version=1, copy_of=original)
        return replace(item, verdict=Verdict.NEW, version=1)
