"""Refuse requests that a crawler must not send, whatever a page or a redirect says.

Only http and https. No address outside the open internet, unless CRAWLER_ALLOW_PRIVATE is true. A host that is an
address is refused before anything is sent; a name is refused by `resolver.GuardedResolver` when it is resolved. A
redirect is a request like any other and passes here again. Off in a replay, which opens no connection.

A proxy resolves names itself. So a name that is requested through one is resolved here first, where that is possible.
A name that only the proxy can resolve is left to the proxy.
"""

from __future__ import annotations

import logging
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, DownloadCancelledError, NotConfigured
from scrapy.utils.httpobj import urlparse_cached

from crawler.context.exceptions import RequestFailed
from crawler.context.run_context import RunContext
from crawler.errors import ForbiddenTarget
from crawler.middlewares.network_addresses import is_public, parse_host_address
from crawler.middlewares.resolver import GuardedResolver, private_allowed, refused_hosts

logger = logging.getLogger(__name__)


class GuardMiddleware:
    """Raises ForbiddenTarget, one sentence, for every request that must not be sent."""

    def __init__(self, *, allow_private: bool, body_limit: int, allow_files: bool = False) -> None:
        self._allow_private, self._body_limit, self._allow_files = allow_private, body_limit, allow_files
        self._downgraded: set[str] = set()
        self._private_addresses: dict[str, str | None] = {}
        """A private address of each name that was requested through a proxy."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raise NotConfigured in a replay."""
        settings = crawler.settings
        # In `scrapy shell page.html` a person names the file to read.
        is_shell = crawler.spider is None
        allow_private = is_shell or settings.getbool("CRAWLER_ALLOW_PRIVATE")
        (private_allowed.set if allow_private else private_allowed.clear)()
        if RunContext.from_crawler(crawler).mode.is_replay:
            raise NotConfigured
        return cls(allow_private=allow_private, body_limit=settings.getint("DOWNLOAD_MAXSIZE"), allow_files=is_shell)

    async def process_request(self, request: Request) -> None:
        """Raise ForbiddenTarget for another scheme, or for a host that is a private address or leads a proxy to one."""
        parts = urlparse_cached(request)
        if self._allow_files and parts.scheme == "file":
            return
        if parts.scheme not in ("http", "https"):
            scheme = f"{parts.scheme}:" if parts.scheme else "an address without a scheme"
            raise _make_forbidden(f"{request.url}: only http and https are requested, not {scheme}.")
        if not parts.hostname:
            raise _make_forbidden(f"{request.url}: the address has no host.")
        address = parse_host_address(parts.hostname)
        if address is None and request.meta.get("proxy") and not self._allow_private:
            address = await self._find_private_address(parts.hostname)
        if address is not None and not self._allow_private and not is_public(address):
            raise _make_forbidden(_format_private_address(request.url, parts.hostname, address))
        self._log_downgrade(request)

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Raise ForbiddenTarget for a name that led to a private address, and for a body above the size limit."""
        if isinstance(exception, CannotResolveHostError):
            host = urlparse_cached(request).hostname or ""
            if host in refused_hosts:
                message = _format_private_address(request.url, host, refused_hosts[host])
                raise _make_forbidden(message) from exception
        if isinstance(exception, DownloadCancelledError):
            error = ForbiddenTarget(format_too_large(request.url, self._body_limit), is_too_large=True)
            raise RequestFailed(error) from exception

    async def _find_private_address(self, host: str) -> str | None:
        """Return a private address of a name. It is resolved once: without name servers each time would take long."""
        from twisted.internet import reactor

        if host not in self._private_addresses:
            resolver = reactor.nameResolver
            assert isinstance(resolver, GuardedResolver)
            self._private_addresses[host] = await resolver.find_private_address(host)
        return self._private_addresses[host]

    def _log_downgrade(self, request: Request) -> None:
        """Log, once for each host, a redirect from https to http. It is followed."""
        before = request.meta.get("redirect_urls") or [""]
        host = urlparse_cached(request).netloc
        if request.url.startswith("http:") and before[-1].startswith("https:") and host not in self._downgraded:
            self._downgraded.add(host)
            logger.warning(
                "%s redirects from https to %s: nothing proves who sends what comes from there.",
                before[-1],
                request.url,
            )


def _make_forbidden(message: str) -> RequestFailed:
    return RequestFailed(ForbiddenTarget(message))


def format_too_large(url: str, limit: int) -> str:
    """Return the sentence about a body above the limit in bytes."""
    return (
        f"{url}: the body is larger than {limit / 1_000_000:g} MB and was not read. "
        "Raise limits.body_mb if this site's pages are rightly so large."
    )


def _format_private_address(url: str, host: str, address: str) -> str:
    which = host if host == address else f"{host} ({address})"
    return (
        f"{url}: {which} is not an address of the open internet and was not opened. "
        "If this source may be there, set allow_private = true for it."
    )
