"""The spider loader of Scrapy's commands (setting SPIDER_LOADER_CLASS)."""

from __future__ import annotations

from scrapy.spiderloader import SpiderLoader

from crawler import spiders


class SourceSpiderLoader(SpiderLoader):
    """Loads the sources. A file that is no source or cannot be imported is logged in one sentence and left alone."""

    def _load_all_spiders(self) -> None:
        self._spiders.update(spiders.load_spiders())
