"""Import everything that a crawl imports, and load its word lists. Only the fork server imports this module, once.

A module is safe here if its import installs no Twisted reactor, starts no thread and opens no file: none of these
survive a fork. Spiders are small, and a broken one must not end the server, so they are not here either.
"""

from __future__ import annotations

import gc
import pkgutil
from contextlib import suppress
from importlib import import_module

from crawler import GC_THRESHOLD

UNSAFE_MODULES = ("scrapy.extensions.telnet", "crawler.store.migrations")
PRELOADED_MODULES = """
    scrapy.crawler scrapy.core.downloader.handlers.file scrapy.core.downloader.handlers.datauri
    scrapy.core.downloader.handlers.http11 scrapy.dupefilters scrapy.exporters scrapy.logformatter scrapy.pqueues
    scrapy.resolver scrapy.robotstxt scrapy.spiderloader scrapy.squeues scrapy.statscollectors
    twisted.internet.asyncioreactor twisted.internet.endpoints
    alembic.autogenerate alembic.command sqlalchemy.dialects.postgresql.psycopg sqlalchemy.dialects.sqlite
    ahocorasick_rs feedparser holidays.countries platformdirs protego pydantic_settings
    warcio.archiveiterator warcio.warcwriter
    crawler.config crawler.service.run crawler.settings crawler.context crawler.middlewares crawler.pipelines
    crawler.extensions crawler.spiders.base crawler.spiders.listing_coverage crawler.archive crawler.store
    crawler.pages crawler.keywords crawler.similarity crawler.revisions crawler.monitoring crawler.text
""".split()
"""Our packages come with the modules in them."""
COMPONENT_SETTINGS = ("EXTENSIONS_BASE", "DOWNLOADER_MIDDLEWARES_BASE", "SPIDER_MIDDLEWARES_BASE")


def preload(name: str) -> None:
    """Import a module, and the modules in a package of ours. If one fails, the run that needs it reports that."""
    with suppress(Exception):  # An error here must not end the server that every run comes from.
        path = getattr(import_module(name), "__path__", ()) if name not in UNSAFE_MODULES else ()
        for found in pkgutil.iter_modules(path if name.startswith("crawler.") else (), f"{name}."):
            preload(found.name)


def load_word_lists() -> None:
    """Read and judge a short text as a run does: word lists and patterns are loaded at their first use."""
    from crawler.keywords import Matcher, load_rules
    from crawler.pages.boilerplate import is_boilerplate
    from crawler.pages.refusal import raise_if_refused
    from crawler.pages.snapshot import Snapshot
    from crawler.revisions.changes import diff_texts
    from crawler.similarity.documents import make_document
    from crawler.similarity.preparation import make_fingerprint
    from crawler.text.language import detect_language

    for text in ("IHL: ICRC visits 40 people in Oslo.", "МГП: МККК посетил 40 человек в Осло."):
        raise_if_refused(Snapshot(url="", body=text.encode()))
        is_boilerplate(text)
        detect_language(text)
        Matcher(load_rules()).find_matches({"body": text})
        diff_texts(text, text.replace("40", "45"))
        make_fingerprint(make_document(text))


default_settings = import_module("scrapy.settings.default_settings")
components = [path for setting in COMPONENT_SETTINGS for path in getattr(default_settings, setting, {})]
for module_name in (*PRELOADED_MODULES, *(path.rpartition(".")[0] for path in components)):
    preload(module_name)
with suppress(Exception):
    load_word_lists()
gc.collect()
gc.freeze()  # Keeps these objects in memory that the children share.
gc.set_threshold(GC_THRESHOLD)
