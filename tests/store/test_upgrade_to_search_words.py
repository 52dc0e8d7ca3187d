"""The upgrade to revision 0016: the words that are indexed already are listed."""

from __future__ import annotations

from support.releases import make_former_store

from crawler.store import open_store

ADD_TEXT = "INSERT INTO search_texts (rowid, title, body, facets) VALUES (1, 'визит . мккк', 'visit', 'any: lang:ru')"
ADD_WORDS = "INSERT INTO search_words (word) VALUES ('visit'), ('визит'), ('мккк')"


def test_indexed_words_are_listed(url: str) -> None:
    with make_former_store(url, "0015") as connection:
        connection.exec_driver_sql(ADD_TEXT if connection.dialect.name == "sqlite" else ADD_WORDS)
    with open_store(url, backup=False) as store:
        assert store.search.list_words([("a", "я")]) == ["visit", "визит", "мккк"]
        assert list(store.integrity.check_index()) == []
        store.search.reset()
        assert store.search.list_words([("a", "я")]) == []
