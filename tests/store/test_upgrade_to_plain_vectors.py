"""The upgrade to revision 0018: PostgreSQL stores new vectors without compression, and old ones stay readable."""

from __future__ import annotations

from store.conftest import NOON
from support.factories import make_article
from support.releases import make_former_store
from support.vectors import list_compressions

from crawler.keywords.index_query import IndexPhrase
from crawler.store import Store, open_store

LONG_VECTOR = "SELECT string_agg(repeat('word', 10) || n || ':' || n, ' ')::tsvector FROM generate_series(1, 200) AS n"
PHRASE = ("word" * 10 + "7", "word" * 10 + "8")
OLD_NUMBER = 1


def list_articles(store: Store, *words: str) -> list[str]:
    return [entry.article.id for entry in store.search.iter_newest(IndexPhrase(words))]


def test_only_new_vectors_are_plain_until_the_index_is_made_again(postgres_url: str) -> None:
    article = make_article(body=" ".join(f"{'word' * 10}{number}" for number in range(200)))
    with make_former_store(postgres_url, "0017") as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # the vector has no entry
        connection.exec_driver_sql(
            f"INSERT INTO search_vectors (number, vector) VALUES ({OLD_NUMBER}, ({LONG_VECTOR}))"
        )
    with open_store(postgres_url) as store:
        store.articles.save(article, content_hash="h", run_id=None, seen_at=NOON)
        compressions = list_compressions(store)
        assert compressions.pop(OLD_NUMBER) == "pglz"
        assert list(compressions.values()) == [None]
        assert list_articles(store, *PHRASE) == [article.id]
        store.search.reset()
        store.search.index_pending()
        assert list(list_compressions(store).values()) == [None]
        assert list_articles(store, *PHRASE) == [article.id]
