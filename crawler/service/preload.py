"""Imported by the fork server and by no one else: everything a crawl imports, imported once for all runs.

Safe here is what, on import, installs no Twisted reactor, starts no thread and opens no file, since all three do not
survive a fork. `scrapy.extensions.telnet` is left out: it imports the reactor. So are the spiders: they are small, and
a broken one must not reach the process that all runs come from.
"""

from __future__ import annotations

import gc
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module

UNSAFE_MODULES = ("scrapy.extensions.telnet",)

PRELOADED_LIBRARIES = (
    "scrapy.crawler",
    "scrapy.core.downloader.handlers.file",
    "scrapy.core.downloader.handlers.datauri",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.dupefilters",
    "scrapy.exporters",
    "scrapy.logformatter",
    "scrapy.pqueues",
    "scrapy.resolver",
    "scrapy.robotstxt",
    "scrapy.spiderloader",
    "scrapy.squeues",
    "scrapy.statscollectors",
    "twisted.internet.asyncioreactor",
    "twisted.internet.endpoints",
    "alembic.autogenerate",
    "alembic.command",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "ahocorasick_rs",
    "feedparser",
    "holidays.countries",
    "platformdirs",
    "protego",
    "pydantic_settings",
    "warcio.archiveiterator",
    "warcio.warcwriter",
)

PRELOADED_PACKAGES = (
    "config",
    "service.run",
    "settings",
    "context",
    "middlewares",
    "pipelines",
    "extensions",
    "spiders.base",
    "spiders.listing_coverage",
    "archive",
    "store",
    "pages",
    "keywords",
    "similarity",
    "monitoring",
    "text",
)


def list_scrapy_modules() -> Iterator[str]:
    """Modules of the extensions and middlewares that Scrapy switches on by itself."""
    defaults = import_module("scrapy.settings.default_settings")
    for name in ("EXTENSIONS_BASE", "DOWNLOADER_MIDDLEWARES_BASE", "SPIDER_MIDDLEWARES_BASE"):
        for path in getattr(defaults, name, {}):
            yield path.rpartition(".")[0]


def list_own_modules() -> Iterator[str]:
    """Our rooms below `process` and the modules in them, migrations left out."""
    for room in PRELOADED_PACKAGES:
        yield f"crawler.{room}"
        with suppress(Exception):  # a room that does not import is told about by the run that needs it
            found = import_module(f"crawler.{room}")
            for module in pkgutil.walk_packages(getattr(found, "__path__", ()), f"crawler.{room}."):
                if ".migrations." not in module.name:
                    yield module.name


def import_modules() -> None:
    """Import all of it; what fails is left to the run that needs it, which can say so."""
    for name in (*PRELOADED_LIBRARIES, *list_scrapy_modules(), *list_own_modules()):
        if name not in UNSAFE_MODULES:
            with suppress(Exception):  # see above: never end the server that every run comes from
                import_module(name)
    gc.collect()
    gc.freeze()  # the children's collections then leave these pages shared


import_modules()
