"""Decide whether a version that is new to the store is news: not in a first run, replay or backfill, nor if damaged."""

from __future__ import annotations

from crawler.context.modes import RunMode
from crawler.context.run_context import RunContext
from crawler.items import Article, Verdict
from crawler.spiders.base import SourceSpider
from crawler.spiders.history_walk import LISTING_DELAY
from crawler.store.events import BACKFILL_RUN, BASELINE_RUN, DAMAGED_TEXT, REPLAY_RUN


class AlertPolicy:
    """What one run counts as news. Made at the run's first article."""

    def __init__(self, context: RunContext, spider: SourceSpider) -> None:
        self._context, self._spider = context, spider
        store, source, is_replay = context.store, spider.name, context.mode.is_replay
        last = None if is_replay else store.runs.get_last_complete(source, mode="live")
        self._last_complete_start = last.started_at if last else None
        languages: tuple[str, ...] = getattr(spider, "languages", ())
        # A language that only an unfinished run began to read counts as unread.
        until = last.finished_at if last else None
        self._unread_languages: set[str] = set()
        if languages:
            self._unread_languages = set(languages) - store.articles.get_languages(source, until=until)

    def get_suppression_reason(self, article: Article) -> str | None:
        """Return why the article's event notifies no subscriber, None for news."""
        if self._context.mode.is_replay:
            return REPLAY_RUN
        if self._context.mode is RunMode.BACKFILL:
            return BACKFILL_RUN
        if self._last_complete_start is None or article.language in self._unread_languages:
            return BASELINE_RUN
        if article.is_damaged:
            return DAMAGED_TEXT
        if article.verdict is Verdict.NEW and article.version != 1:
            return self._get_reason_after_damage(article)
        is_first_version = (article.version or 1) == 1
        if is_first_version and article.native_id in self._context.backfilled_ids:
            return BACKFILL_RUN
        if self._spider.since is None or not is_first_version:
            return None
        published = article.published_at
        is_recent = published is not None and published >= self._last_complete_start - LISTING_DELAY
        return None if is_recent else BACKFILL_RUN

    def _get_reason_after_damage(self, article: Article) -> str | None:
        """Return the reason for the first sound version of an article that came damaged before.

        It is news like a first version, unless the article was old when it was first seen.
        """
        first_seen_at = self._context.store.articles.get_first_seen_time(article.id)
        published = article.published_at
        is_old = published is not None and first_seen_at is not None and published < first_seen_at - LISTING_DELAY
        return BACKFILL_RUN if is_old else None
