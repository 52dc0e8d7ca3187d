"""dedupe: whether an article is new, revised, unchanged, back again, or a copy of one that stands elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from crawler.items import Article, Verdict
from crawler.pages.base import get_missing_translation
from crawler.similarity.content_hashes import UNPUBLISHED_PREFIX, hash_body, hash_revision
from crawler.source import need_run
from crawler.store import ArticleState, Store, get_store


class DedupePipeline:
    """The second stage: identity first, then content."""

    def __init__(self, store: Store) -> None:
        self.store = store
        # What this run has judged already: its articles may still be on their way to the store.
        self.judged: dict[str, Article] = {}
        self.hashes: dict[str, tuple[str, int]] = {}
        self.originals: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        need_run(crawler)
        return cls(get_store(crawler))

    def process_item(self, item: Article) -> Article:
        """The article with its verdict, version and, for a copy, the article it is a copy of."""
        stored = None if item.id in self.hashes else self._find_stored(item)
        item = replace(item, id=stored.id) if stored else item
        if self._is_from_other_record(item):
            raise DropItem(f"{item.id} stands in the store as another record has it", log_level="DEBUG")
        text, body = hash_revision(item), hash_body(item)
        judged = self._decide_verdict(item, text, body, stored)
        self.hashes[item.id] = (text, judged.version or 1)
        self.originals.setdefault(body, judged.copy_of or item.id)
        return judged

    def _find_stored(self, item: Article) -> ArticleState | None:
        """What is stored of the article. An id ends with the language its text was read in first; a later version may
        be read in another (a few words are of no known language), and is the same page all the same."""
        found = self.store.articles.get_state(item.id)
        if found is not None:
            return found
        mine = (item.source, item.native_id)
        same = [each.id for each in self.store.articles.list_by_url(item.url) if (each.source, each.native_id) == mine]
        return self.store.articles.get_state(min(same)) if same else None

    def _is_from_other_record(self, item: Article) -> bool:
        """Whether an untranslated article would overwrite what its source's own record in that language said, or what
        the record in a third one did."""
        asked = get_missing_translation(item)
        stored = self.store.articles.get(item.id) if asked else None
        return stored is not None and get_missing_translation(stored) != asked

    def _decide_verdict(self, item: Article, text: str, body: str, stored: ArticleState | None) -> Article:
        """By what the run and the store know of the same id, then of the same text."""
        if item.verdict is Verdict.UNPUBLISHED:
            return item
        known = self.hashes.get(item.id)
        if known is None and stored is not None:
            known = (stored.content_hash, stored.version)
        if known is not None:
            if known[0] == text:
                return replace(item, verdict=Verdict.UNCHANGED, version=known[1])
            verdict = Verdict.REPUBLISHED if known[0].startswith(UNPUBLISHED_PREFIX) else Verdict.REVISED
            return replace(item, verdict=verdict, version=known[1] + 1)
        original = self.originals.get(body) or self.store.articles.find_original(body, excluded_id=item.id)
        if original and original != item.id:
            return replace(item, verdict=Verdict.COPY, version=1, copy_of=original)
        return replace(item, verdict=Verdict.NEW, version=1)
