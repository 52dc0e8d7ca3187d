"""Import everything that a crawl imports. Only the fork server imports this module, once for all runs.

A module is safe here if its import installs no Twisted reactor, starts no thread and opens no file: none of these
survive a fork. `scrapy.extensions.telnet` imports the reactor. Spiders are small, and a broken one must not reach the
process that all runs come from, so their modules are not here either.
"""

from __future__ import annotations

import gc
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module

UNSAFE_MODULES = ("scrapy.extensions.telnet",)
PRELOADED_LIBRARIES = """
    scrapy.crawler scrapy.core.downloader.handlers.file scrapy.core.downloader.handlers.datauri
    scrapy.core.downloader.handlers.http11 scrapy.dupefilters scrapy.exporters scrapy.logformatter scrapy.pqueues
    scrapy.resolver scrapy.robotstxt scrapy.spiderloader scrapy.squeues scrapy.statscollectors
    twisted.internet.asyncioreactor twisted.internet.endpoints
    alembic.autogenerate alembic.command sqlalchemy.dialects.postgresql.psycopg sqlalchemy.dialects.sqlite
    ahocorasick_rs feedparser holidays.countries platformdirs protego pydantic_settings
    warcio.archiveiterator warcio.warcwriter
""".split()
PRELOADED_PACKAGES = """
    config service.run settings context middlewares pipelines extensions spiders.base spiders.listing_coverage archive
    store pages keywords similarity revisions monitoring text
""".split()
"""Our packages and modules, with the modules in them."""


def list_scrapy_modules() -> Iterator[str]:
    """Yield the modules of the extensions and middlewares that Scrapy enables by default."""
    defaults = import_module("scrapy.settings.default_settings")
    for name in ("EXTENSIONS_BASE", "DOWNLOADER_MIDDLEWARES_BASE", "SPIDER_MIDDLEWARES_BASE"):
        yield from (path.rpartition(".")[0] for path in getattr(defaults, name, {}))


def list_own_modules() -> Iterator[str]:
    """Yield our modules that a crawl uses, except migrations."""
    for name in (f"crawler.{package}" for package in PRELOADED_PACKAGES):
        yield name
        with suppress(Exception):  # The run that needs a broken package reports it.
            path = getattr(import_module(name), "__path__", ())
            yield from (
                found.name for found in pkgutil.walk_packages(path, f"{name}.") if "migrations" not in found.name
            )


def import_modules() -> None:
    """Import all of them. The run that needs a module that fails reports it."""
    for name in (*PRELOADED_LIBRARIES, *list_scrapy_modules(), *list_own_modules()):
        if name not in UNSAFE_MODULES:
            with suppress(Exception):  # An error here must not end the server that every run comes from.
                import_module(name)
    gc.collect()
    gc.freeze()  # Keeps these objects in memory that the children share.


import_modules()
