"""Scrapy's settings: every component and pipeline, in order.

What an owner may change is in crawler.toml; the add-on `ConfigAddon` sets it. A setting in this file or in a spider's
`custom_settings` takes precedence over it, because Scrapy's priorities are addon 15, project 20, spider 30, cmdline 40.
So a setting that crawler.toml has must be in neither.
"""

from __future__ import annotations

from typing import Self

from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings

from crawler.config import Config
from crawler.context.run_context import RunContext
from crawler.items import ARTICLE_FIELDS

BOT_NAME = "crawler"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"
SPIDER_LOADER_CLASS = "crawler.spiders.spider_loader.SourceSpiderLoader"
ADDONS = {"crawler.settings.ConfigAddon": 0}

ITEM_PIPELINES = {
    "crawler.pipelines.validate.ValidatePipeline": 100,
    "crawler.pipelines.dedupe.DedupePipeline": 200,
    "crawler.pipelines.keywords.KeywordsPipeline": 300,
    "crawler.pipelines.store.StorePipeline": 400,
}

# The lower the number, the nearer to the spider. None switches one of Scrapy's middlewares off that ours replaces.
DOWNLOADER_MIDDLEWARES = {
    "crawler.middlewares.request_limit.RequestLimitMiddleware": 50,
    # Before robots.txt: a request that is skipped needs no permission.
    "crawler.middlewares.conditional.ConditionalRequestMiddleware": 60,
    # Each source decides by its `identify` what is its own, also on a copy of the site at another host.
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "crawler.middlewares.robots.StrictRobotsTxtMiddleware": 100,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,  # no source has a password
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    "crawler.middlewares.proxy.SourceProxyMiddleware": 540,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "crawler.middlewares.retry.BackoffRetryMiddleware": 550,
    "crawler.middlewares.guard.GuardMiddleware": 560,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "crawler.middlewares.decompress.DecompressMiddleware": 590,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "crawler.middlewares.redirect.BoundedRedirectMiddleware": 600,
    "crawler.middlewares.archive.ArchiveMiddleware": 880,
}
SPIDER_MIDDLEWARES: dict[str, int | None] = {
    # It warns of every retry that a spider yields, because Scrapy's own `get_retry_request` copies the request.
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
    # The spider must see every status, because `pages.refusal` recognises refusals. Nothing limits the depth.
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
}
EXTENSIONS = {
    "crawler.extensions.lease.LeaseExtension": 50,  # before the run's record, and before the first request
    "crawler.extensions.monitoring.MonitoringExtension": 100,
    "crawler.extensions.backfill.BackfillExtension": 150,
    "crawler.extensions.clustering.ClusteringExtension": 200,
    "crawler.extensions.archive_upload.ArchiveUploadExtension": 250,
    "crawler.extensions.search_index.SearchIndexExtension": 300,
}

# Made by `RunContext`, which hands them to spiders and middlewares.
CRAWLER_RECRAWL_POLICY = "crawler.middlewares.recrawl.RecrawlPolicy"
CRAWLER_DELETION_POLICY = "crawler.middlewares.deletions.DeletionPolicy"

# Politeness.
COOKIES_ENABLED = False  # no site needs them, and the middleware's first cookie downloads a list with a blocking call
METAREFRESH_ENABLED = False
REDIRECT_MAX_TIMES = 5
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "ru,kk;q=0.9,en;q=0.8",
}

# Speed.
CONCURRENT_ITEMS = 1  # most pages have one item, and Scrapy makes that many tasks for every page: 100 are 1.5 ms of CPU
DOWNLOADER_STATS = False  # nothing reads these counts, for which every request and response is measured
WARN_ON_GENERATOR_RETURN_VALUE = False  # parses the callback's source again at every page, 0.15 ms of CPU

# Safety.
REMOTE_CONTROL_ENABLED = False  # executes code for anyone who reaches its port
TELNETCONSOLE_ENABLED = False
DOWNLOAD_VERIFY_CERTIFICATES = True
TWISTED_DNS_RESOLVER = "crawler.middlewares.resolver.GuardedResolver"
DNS_TIMEOUT = 8
CRAWLER_REACH_SECONDS = 20  # a host that has not answered by then is unreachable: the whole run ends within 30 s

# Output.
FEED_EXPORT_ENCODING = "utf-8"
FEED_EXPORT_FIELDS = list(ARTICLE_FIELDS)
FEED_EXPORTERS = {
    "csv": "crawler.publish.item_exporters.FlatCsvExporter",
    "xml": "crawler.publish.item_exporters.FlatXmlExporter",
}
LOG_LEVEL = "INFO"
LOG_VERSIONS: list[str] = []
STATS_DUMP = False
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"

# A replay answers from disk: no delays, no robots.txt, one page after the other.
REPLAY_SETTINGS = {
    "DOWNLOAD_HANDLERS": {
        **dict.fromkeys(("data", "file", "s3", "ftp")),
        **dict.fromkeys(("http", "https", "stored"), "crawler.middlewares.replay.ReplayDownloadHandler"),
    },
    "AUTOTHROTTLE_ENABLED": False,
    "CONCURRENT_REQUESTS": 1,
    "DOWNLOAD_DELAY": 0,
    "ROBOTSTXT_OBEY": False,
    "CRAWLER_ALLOW_PRIVATE": True,
}


class ConfigAddon:
    """The add-on that sets what crawler.toml says. Settings from the command line (`-s`) take precedence."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the add-on."""
        return cls(RunContext.from_crawler(crawler))

    def update_settings(self, settings: BaseSettings) -> None:
        """Derive Scrapy's settings from the configuration, and from how the run works."""
        context = self._context
        for key, value in derive_settings(context.config, context.source).items():
            settings.set(key, value, priority="addon")
        if context.backfill_window is not None:
            delay = max(context.config.politeness.delay, context.backfill_window.delay)
            for key in ("DOWNLOAD_DELAY", "AUTOTHROTTLE_START_DELAY"):
                settings.set(key, delay, priority="addon")
            settings.set("CLOSESPIDER_TIMEOUT", context.backfill_window.max_run_seconds, priority="addon")
            settings.set("CONCURRENT_REQUESTS_PER_DOMAIN", 1, priority="addon")
            settings.set("AUTOTHROTTLE_TARGET_CONCURRENCY", 1.0, priority="addon")
        if context.mode.is_replay or not context.can_write:
            settings.set("CRAWLER_ARCHIVE_DIR", "", priority="cmdline")
        if context.mode.is_replay:
            for key, value in REPLAY_SETTINGS.items():
                settings.set(key, value, priority="cmdline")
            settings["SPIDER_MIDDLEWARES"]["crawler.middlewares.replay.ReplayStartMiddleware"] = 10


def derive_settings(config: Config, source: str) -> dict[str, object]:
    """Return the settings, Scrapy's and ours (`CRAWLER_*`), of one source under this configuration."""
    limits, politeness = config.limits, config.politeness
    return {
        "USER_AGENT": config.user_agent,
        "ROBOTSTXT_OBEY": politeness.robots,
        "ROBOTSTXT_USER_AGENT": "crawler",
        "DOWNLOAD_DELAY": politeness.delay,
        "CONCURRENT_REQUESTS": 8,
        "CONCURRENT_REQUESTS_PER_DOMAIN": politeness.concurrency,
        "AUTOTHROTTLE_ENABLED": politeness.autothrottle,
        "AUTOTHROTTLE_START_DELAY": politeness.delay,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(politeness.concurrency),
        "RETRY_TIMES": politeness.retries,
        "DOWNLOAD_TIMEOUT": limits.page_seconds,
        "DOWNLOAD_MAXSIZE": int(limits.body_mb * 1_000_000),
        "DOWNLOAD_WARNSIZE": 0,
        "CLOSESPIDER_TIMEOUT": limits.run_seconds,
        "MEMUSAGE_LIMIT_MB": limits.memory_mb,
        "CRAWLER_DATABASE": config.database_url,
        "CRAWLER_ARCHIVE_DIR": str(config.archive_dir) if config.archive else "",
        "CRAWLER_ALLOW_PRIVATE": config.allows_private_address(source),
        "CRAWLER_RETRY_WAIT": politeness.retry_wait,
        "CRAWLER_LONGEST_WAIT": politeness.longest_wait,
    }
