"""One store a crawl: Scrapy makes the crawl's parts one by one, and all of them must see the same transactions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import make_url

from crawler.store.store import Store, open_store


class HasSettings(Protocol):
    """What of Scrapy's Crawler is needed here."""

    settings: Any


_open: WeakKeyDictionary[HasSettings, Store] = WeakKeyDictionary()


def get_store(crawl: HasSettings) -> Store:
    """The crawl's store (setting CRAWLER_DATABASE), opened when first asked for.

    A dry run reads the store that is there, but makes none: without one it sees an empty store in memory.
    """
    if crawl not in _open:
        url = crawl.settings["CRAWLER_DATABASE"]
        if crawl.settings.getbool("CRAWLER_DRY_RUN") and not store_exists(url):
            url = "sqlite://"
        _open[crawl] = open_store(url)
    return _open[crawl]


def close_store(crawl: HasSettings) -> None:
    """Close the crawl's store, if it was ever opened."""
    store = _open.pop(crawl, None)
    if store is not None:
        store.close()


def store_exists(url: str) -> bool:
    """Whether there is a store at an address, without making one; of a server that is not known."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return True
    return bool(address.database) and Path(str(address.database)).is_file()
