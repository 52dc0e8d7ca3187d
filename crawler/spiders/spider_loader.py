"""The spider loader of Scrapy's commands (setting SPIDER_LOADER_CLASS)."""

from __future__ import annotations

from contextlib import suppress

from scrapy.settings import BaseSettings
from scrapy.spiderloader import SpiderLoader

from crawler import spiders
from crawler.context.run_context import read_config
from crawler.errors import ConfigError


class SourceSpiderLoader(SpiderLoader):
    """Loads the sources. A file that is no source or cannot be imported is logged in one sentence and left alone."""

    def __init__(self, settings: BaseSettings) -> None:
        """Read the configuration first: sources without code are in the folder beside it."""
        with suppress(ConfigError):  # the crawl reports it
            read_config(settings)
        super().__init__(settings)

    def _load_all_spiders(self) -> None:
        self._spiders.update(spiders.load_spiders())
