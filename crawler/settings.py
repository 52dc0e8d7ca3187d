"""WIRING: Scrapy's settings. What an owner may change is in crawler.toml; the add-on `FromConfig` carries it here."""

from __future__ import annotations

from pathlib import Path

from scrapy.settings import BaseSettings

from crawler.config import Config, load_config

BOT_NAME = "crawler"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"
ADDONS = {"crawler.settings.FromConfig": 0}

# The stream, in order.
ITEM_PIPELINES = {
    "crawler.pipelines.validate.ValidatePipeline": 100,
    "crawler.pipelines.dedupe.DedupePipeline": 200,
    "crawler.pipelines.keywords.KeywordsPipeline": 300,
    "crawler.pipelines.store.StorePipeline": 400,
}

# Around the download; the lower the number, the nearer to the spider.
DOWNLOADER_MIDDLEWARES = {
    "crawler.middlewares.conditional.KnownMiddleware": 60,  # before robots.txt: what is turned away needs no permission
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "crawler.middlewares.robots.RobotsMiddleware": 100,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "crawler.middlewares.retry.PatienceMiddleware": 550,
    "crawler.middlewares.guard.GuardMiddleware": 560,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "crawler.middlewares.decompress.DecompressMiddleware": 590,
    "crawler.middlewares.archive.ArchiveMiddleware": 880,
}
SPIDER_MIDDLEWARES: dict[str, int] = {}
EXTENSIONS = {
    "crawler.extensions.lease.LeaseExtension": 50,  # before the record of the run, and before anything is asked
    "crawler.extensions.monitoring.HealthExtension": 100,
    "crawler.extensions.clustering.SamenessExtension": 200,
}

# Manners.
COOKIES_ENABLED = False  # no site needs them, and the middleware's first cookie fetches a list with a blocking call
METAREFRESH_ENABLED = False
REDIRECT_MAX_TIMES = 5
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "ru,kk;q=0.9,en;q=0.8",
}

# Speed.
CONCURRENT_ITEMS = 1  # the stages wait for nothing; Scrapy's 100 makes 100 tasks for every page: 1.5 ms of CPU
WARN_ON_GENERATOR_RETURN_VALUE = False  # reads the callback's source again at every page: 0.15 ms of CPU

# Safety.
REMOTE_CONTROL_ENABLED = False  # executes code for whoever reaches its port
TELNETCONSOLE_ENABLED = False
DOWNLOAD_VERIFY_CERTIFICATES = True
TWISTED_DNS_RESOLVER = "crawler.middlewares.resolver.GuardedResolver"
DNS_TIMEOUT = 8
CRAWLER_REACH_SECONDS = 20  # a host that has not answered by then is unreachable: the whole run ends within 30 s
HTTPERROR_ALLOW_ALL = True  # a refusal is read and named by `extract.refusal`, not passed over

# Output.
FEED_EXPORT_ENCODING = "utf-8"
FEED_EXPORTERS = {
    "csv": "crawler.publish.item_exporters.FlatCsvExporter",
    "xml": "crawler.publish.item_exporters.FlatXmlExporter",
}
LOG_LEVEL = "INFO"
LOG_VERSIONS: list[str] = []
STATS_DUMP = False
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"


class ConfigAddon:
    """The add-on that sets what crawler.toml says. What is set on the command line (`-s`) outranks it."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Read the configuration (once; a caller may have put one in) and derive Scrapy's settings from it."""
        config = settings.get("CRAWLER_CONFIG")
        if not isinstance(config, Config):
            config = load_config(Path(settings["CRAWLER_CONFIG_FILE"]) if settings.get("CRAWLER_CONFIG_FILE") else None)
        name = settings.get("CRAWLER_SOURCE", "")
        replay = settings.getbool("CRAWLER_REPLAY")
        settings.set("CRAWLER_CONFIG", config, priority="cmdline")
        for key, value in derive_settings(config, name).items():
            settings.set(key, value, priority="addon")
        if replay or settings.getbool("CRAWLER_DRY_RUN"):
            settings.set("CRAWLER_ARCHIVE_DIR", "", priority="cmdline")
        if replay:
            for key, value in REPLAY_SETTINGS.items():
                settings.set(key, value, priority="cmdline")
            settings["SPIDER_MIDDLEWARES"]["crawler.middlewares.replay.StoredStarts"] = 10


# A replay answers from disk: no waiting, no permission to ask, one page after the other.
REPLAY_SETTINGS = {
    "DOWNLOAD_HANDLERS": {
        **dict.fromkeys(("data", "file", "s3", "ftp")),
        **dict.fromkeys(("http", "https", "stored"), "crawler.middlewares.replay.StoredPages"),
    },
    "AUTOTHROTTLE_ENABLED": False,
    "CONCURRENT_REQUESTS": 1,
    "DOWNLOAD_DELAY": 0,
    "ROBOTSTXT_OBEY": False,
    "CRAWLER_ALLOW_PRIVATE": True,
}


def derive_settings(config: Config, source: str) -> dict[str, object]:
    """Scrapy's settings, and ours (`CRAWLER_*`), for one source under this configuration."""
    limits, manners = config.limits, config.politeness
    return {
        "USER_AGENT": config.user_agent,
        "ROBOTSTXT_OBEY": manners.robots,
        "ROBOTSTXT_USER_AGENT": "crawler",
        "DOWNLOAD_DELAY": manners.delay,
        "CONCURRENT_REQUESTS": 8,
        "CONCURRENT_REQUESTS_PER_DOMAIN": manners.concurrency,
        "AUTOTHROTTLE_ENABLED": manners.autothrottle,
        "AUTOTHROTTLE_START_DELAY": manners.delay,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(manners.concurrency),
        "RETRY_TIMES": manners.retries,
        "DOWNLOAD_TIMEOUT": limits.page_seconds,
        "DOWNLOAD_MAXSIZE": int(limits.body_mb * 1_000_000),
        "DOWNLOAD_WARNSIZE": 0,
        "CLOSESPIDER_TIMEOUT": limits.run_seconds,
        "MEMUSAGE_LIMIT_MB": limits.memory_mb,
        "CRAWLER_DATABASE": config.database_url,
        "CRAWLER_ARCHIVE_DIR": str(config.archive_dir) if config.archive else "",
        "CRAWLER_ALLOW_PRIVATE": config.allows_private_address(source),
        "CRAWLER_RETRY_WAIT": manners.retry_wait,
        "CRAWLER_LONGEST_WAIT": manners.longest_wait,
    }
