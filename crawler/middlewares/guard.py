"""GuardMiddleware: where the house does not go, whatever a page or a redirect says.

Only http and https; no address that is not on the open internet unless CRAWLER_ALLOW_PRIVATE is true. Hosts that
spell out an address are refused before anything is sent, names by `resolver.GuardedResolver` when they are looked up.
A redirect is a request like any other and passes here again. Off in a replay, which opens no connection.
"""

from __future__ import annotations

import logging
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, DownloadCancelledError, NotConfigured
from scrapy.utils.httpobj import urlparse_cached

from crawler.middlewares.network_addresses import is_public, parse_host_address
from crawler.middlewares.outcomes import Refused
from crawler.middlewares.resolver import allow_private, refused_hosts

logger = logging.getLogger(__name__)


class GuardMiddleware:
    """Raises Refused, one sentence, for every request that must not leave the house."""

    def __init__(self, *, allow_private: bool, body_limit: int, allow_files: bool = False) -> None:
        self._allow_private, self._body_limit, self._allow_files = allow_private, body_limit, allow_files
        self._downgraded: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Built by Scrapy; NotConfigured in a replay."""
        settings = crawler.settings
        in_shell = crawler.spider is None  # `scrapy shell page.html`: a person names what to look at
        allow_private = in_shell or settings.getbool("CRAWLER_ALLOW_PRIVATE")
        (allow_private.set if allow_private else allow_private.clear)()
        if settings.getbool("CRAWLER_REPLAY"):
            raise NotConfigured
        return cls(allow_private=allow_private, body_limit=settings.getint("DOWNLOAD_MAXSIZE"), allow_files=in_shell)

    def process_request(self, request: Request) -> None:
        """Refused for another scheme or a private address spelled out."""
        parts = urlparse_cached(request)
        if self._allow_files and parts.scheme == "file":
            return
        if parts.scheme not in ("http", "https"):
            raise Refused(f"{request.url}: only http and https are read, not {parts.scheme or 'an address without'}:.")
        if not parts.hostname:
            raise Refused(f"{request.url}: the address names no host.")
        address = parse_host_address(parts.hostname)
        if address is not None and not self._allow_private and not is_public(address):
            raise Refused(_format_private_address(request.url, parts.hostname, address))
        self._log_downgrade(request)

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Refused for a name that led to a private address, and for a body past the cap."""
        if isinstance(exception, CannotResolveHostError):
            host = urlparse_cached(request).hostname or ""
            if host in refused_hosts:
                raise Refused(_format_private_address(request.url, host, refused_hosts[host])) from exception
        if isinstance(exception, DownloadCancelledError):
            raise Refused(format_too_large(request.url, self._body_limit)) from exception

    def _log_downgrade(self, request: Request) -> None:
        """A redirect from https to http is followed, but a person should know of it."""
        before = request.meta.get("redirect_urls") or [""]
        host = urlparse_cached(request).netloc
        if request.url.startswith("http:") and before[-1].startswith("https:") and host not in self._downgraded:
            self._downgraded.add(host)
            logger.warning(
                "%s redirects from https to %s: what comes from there is not vouched for.", before[-1], request.url
            )


def format_too_large(url: str, limit: int) -> str:
    """The sentence about a body past the cap of `limit` bytes."""
    return (
        f"{url}: the body is larger than {limit / 1_000_000:g} MB and was not read. "
        "Raise limits.body_mb if this site's pages are rightly so large."
    )


def _format_private_address(url: str, host: str, address: str) -> str:
    which = host if host == address else f"{host} ({address})"
    return (
        f"{url}: {which} is no address of the open internet and was not opened. "
        "If this source may be there, set allow_private = true for it."
    )
