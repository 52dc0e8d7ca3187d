"""What a run knows of stored articles: read once a list, and again after the run wrote one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import event

from crawler.context.known_articles import KnownArticles
from crawler.items import Article, Verdict
from crawler.store import Store

SEEN_AT = datetime(2026, 6, 11, tzinfo=UTC)
ARTICLE = Article(
    id="mfa:1:ru", source="mfa", url="https://example.org/1", body="Мост открыт.", verdict=Verdict.NEW, version=1
)


def save(store: Store, article: Article) -> None:
    store.articles.save(article, content_hash=article.body, run_id=None, seen_at=SEEN_AT)


def count_queries(store: Store) -> list[str]:
    """Return a list to which each query from now on is added."""
    queries: list[str] = []
    event.listen(store.database.engine, "before_cursor_execute", lambda *given: queries.append(given[2]))
    return queries


def test_articles_of_a_list_are_read_in_one_query(store: Store) -> None:
    save(store, ARTICLE)
    save(store, replace(ARTICLE, id="mfa:1:kk", language="kk"))
    known = KnownArticles(store.articles)
    queries = count_queries(store)
    known.load("mfa", ["1", "2", "3"])
    assert [state.id for state in known.list_states("mfa", "1")] == ["mfa:1:kk", "mfa:1:ru"]
    assert known.list_states("mfa", "2") == []
    assert len(queries) == 1


def test_article_that_the_run_wrote_is_read_again(store: Store) -> None:
    known = KnownArticles(store.articles)
    assert known.list_states("mfa", "1") == []
    save(store, ARTICLE)
    assert known.list_states("mfa", "1") == []
    known.forget("mfa", "1")
    assert [state.version for state in known.list_states("mfa", "1")] == [1]


def test_sources_are_apart(store: Store) -> None:
    save(store, ARTICLE)
    known = KnownArticles(store.articles)
    assert known.list_states("ktkz", "1") == []
    assert len(known.list_states("mfa", "1")) == 1
