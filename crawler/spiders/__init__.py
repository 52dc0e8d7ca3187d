"""The sources, one file each: the file's stem, the spider's `name` and the folder under `snapshots/` are the same word.

Beside them:
base.py              SourceSpider: from a response to articles, requests and problems
listing_coverage.py  FullTextListingSpider: sources whose lists have the whole articles
url_mapping.py       public addresses and those of a copy of the site
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from crawler.errors import UnknownSource

if TYPE_CHECKING:
    from crawler.spiders.base import SourceSpider

SHARED_MODULES = frozenset({"base", "listing_coverage", "url_mapping"})
"""Modules of this package that are not a source."""


def list_names() -> list[str]:
    """Return every source's name, without importing one."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED_MODULES)


def load_spider(name: str) -> type[SourceSpider]:
    """Return the spider class of a source. Raise UnknownSource, which names the nearest source."""
    from crawler.spiders.base import SourceSpider

    if name not in list_names():
        raise UnknownSource(name, list_names())
    module = import_module(f"{__name__}.{name}")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, SourceSpider) and value.__module__ == module.__name__
    )


def get_title(name: str, language: str = "en") -> str:
    """Return a source's name in a language (`titles` of its class), or the bare name of a source that was removed."""
    if name not in list_names():
        return name
    spider = load_spider(name)
    titles: dict[str, str] = getattr(spider, "titles", {})
    return titles.get(language, spider.title)
