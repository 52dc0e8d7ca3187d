"""The upgrade to revision 0016: the words that are indexed already are listed."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import Connection, make_url

from crawler.store import open_store
from crawler.store.database import make_engine
from crawler.store.store import DRIVERS_BY_SCHEME
from crawler.store.upgrade import make_alembic_config

FORMER = "0015"
ADD_TEXT = "INSERT INTO search_texts (rowid, title, body, facets) VALUES (1, 'визит . мккк', 'visit', 'any: lang:ru')"
ADD_WORDS = "INSERT INTO search_words (word) VALUES ('visit'), ('визит'), ('мккк')"


def fill_former_store(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
    config = make_alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, FORMER)
    connection.exec_driver_sql(ADD_TEXT if connection.dialect.name == "sqlite" else ADD_WORDS)
    connection.commit()


def test_indexed_words_are_listed(url: str) -> None:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        Path(str(address.database)).parent.mkdir(exist_ok=True)
    engine = make_engine(address.set(drivername=DRIVERS_BY_SCHEME[address.drivername]))
    with engine.connect() as connection:
        fill_former_store(connection)
    engine.dispose()
    with open_store(url, backup=False) as store:
        assert store.search.list_words([("a", "я")]) == ["visit", "визит", "мккк"]
        assert list(store.integrity.check_index()) == []
        store.search.reset()
        assert store.search.list_words([("a", "я")]) == []
