"""KnownArticles: what the store has of the articles that a run meets."""

from __future__ import annotations

from collections.abc import Iterable

from crawler.store import ArticleState
from crawler.store.articles import ArticleRepository


class KnownArticles:
    """The stored states of articles by source and native id, each read at most once.

    Only the run itself writes articles of its source, because it has the lease. So it reads the states of all articles
    of a list in one query (`load`), and after it wrote one it calls `forget`.
    """

    def __init__(self, articles: ArticleRepository) -> None:
        self._articles = articles
        self._states: dict[tuple[str, str], list[ArticleState]] = {}

    def load(self, source: str, native_ids: Iterable[str]) -> None:
        """Read the states of these articles, except those that were read before."""
        missing = [native_id for native_id in native_ids if (source, native_id) not in self._states]
        found = self._articles.get_states(source, missing) if missing else {}
        self._states |= {(source, native_id): found.get(native_id, []) for native_id in missing}

    def list_states(self, source: str, native_id: str) -> list[ArticleState]:
        """Return the states of an article, one per language. Empty for an unknown one."""
        self.load(source, (native_id,))
        return self._states[source, native_id]

    def forget(self, source: str, native_id: str) -> None:
        """Read the article's states again at the next call, because the run changed them."""
        self._states.pop((source, native_id), None)
