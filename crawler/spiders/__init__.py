"""The sources, one file each: the file's stem, the spider's `name` and the folder under `snapshots/` are one word."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from crawler.errors import UnknownSource

if TYPE_CHECKING:
    from crawler.source import SourceSpider


def list_names() -> list[str]:
    """Every source's name, without importing one."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load_spider(name: str) -> type[SourceSpider]:
    """The spider class of a source; UnknownSource names the nearest valid word."""
    from crawler.source import SourceSpider

    if name not in list_names():
        raise UnknownSource(name, list_names())
    module = import_module(f"{__name__}.{name}")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, SourceSpider) and value.__module__ == module.__name__
    )


def get_title(name: str, language: str = "en") -> str:
    """A source's name for people who read that language (`titles` of its class); the bare name of one that is gone."""
    if name not in list_names():
        return name
    spider = load_spider(name)
    titles: dict[str, str] = getattr(spider, "titles", {})
    return titles.get(language, spider.title)
