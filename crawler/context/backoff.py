"""Retries with growing delays, for spiders and middlewares."""

from __future__ import annotations

import logging
import time

from scrapy import Request, Spider
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.settings import BaseSettings

from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import RunContext

logger = logging.getLogger(__name__)


def make_retry_request(
    request: Request, reason: str | Exception, spider: Spider, *, max_retries: int | None = None
) -> Request | None:
    """Return a copy of the request to send after a backoff, or None when its retries are used up.

    The backoff is CRAWLER_RETRY_WAIT seconds and doubles with each retry, up to CRAWLER_LONGEST_WAIT. `max_retries`
    replaces RETRY_TIMES. Scrapy counts retries by `reason`, those of an exception by its type. Spiders use this for a
    response with status 200 whose content is broken. A replay does not wait.
    """
    settings = spider.crawler.settings
    retry = get_retry_request(
        request, spider=spider, reason=reason, max_retry_times=max_retries, logger=logger, give_up_log_level="INFO"
    )
    if retry is not None and not RunContext.from_crawler(spider.crawler).mode.is_replay:
        delay = compute_backoff(settings, retry.meta["retry_times"])
        RequestMeta.update(retry, not_before=time.monotonic() + delay)
    return retry


def compute_backoff(settings: BaseSettings, retry_number: int) -> float:
    """Return the seconds to wait before a retry; the first has number 1."""
    delay = settings.getfloat("CRAWLER_RETRY_WAIT", 2.0) * 2.0 ** (retry_number - 1)
    return min(delay, settings.getfloat("CRAWLER_LONGEST_WAIT", 60.0))
