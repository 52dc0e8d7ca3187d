"""Whether an article that is new to the store is news to people: not in a first run, a replay or a backfill."""

from __future__ import annotations

from datetime import timedelta

from crawler.items import Article
from crawler.source import SourceSpider
from crawler.store import Store

BASELINE_RUN, BACKFILL_RUN, REPLAY_RUN = "baseline", "backfill", "replay"
"""Why nobody is told: the source (or this language of it) is read for the first time; a person asked for old articles
(`--since`), or a look back at known ones came to such; pages are read from a folder or archive."""
LISTING_DELAY = timedelta(days=1)
"""What was published this long before the last complete run may still be news to a backfill: it was not listed yet."""


class AlertPolicy:
    """What one run of one source takes for news; asked from its first article on."""

    def __init__(self, store: Store, spider: SourceSpider, *, replay: bool) -> None:
        self._spider, self._replay = spider, replay
        last = None if replay else store.runs.get_last_complete(spider.name, mode="live")
        self._last_complete_start = last.started_at if last else None
        versions: tuple[str, ...] = getattr(spider, "languages", ())
        until = last.finished_at if last else None  # what an unfinished run began to read is not read yet
        self._unread_languages = (
            set(versions) - store.articles.get_languages(spider.name, until=until) if versions else set[str]()
        )

    def get_suppression_reason(self, article: Article) -> str | None:
        """Why nobody is to be told of the article, None for news."""
        if self._replay:
            return REPLAY_RUN
        if self._last_complete_start is None or article.language in self._unread_languages:
            return BASELINE_RUN
        if (article.version or 1) == 1 and article.native_id in getattr(self._spider, "unknown_before", ()):
            return BACKFILL_RUN  # a look back that went further than any run before
        if self._spider.since is None:
            return None
        is_recent = (
            article.published_at is not None and article.published_at >= self._last_complete_start - LISTING_DELAY
        )
        return None if is_recent or (article.version or 1) > 1 else BACKFILL_RUN
