"""Send requests through the source's proxy: the setting `proxy`, else the environment's http_proxy and https_proxy.

Replaces Scrapy's HttpProxyMiddleware, which knows only the environment. It is outside of the guard, which checks the
target of a request that goes through a proxy. `request.meta["proxy"]` never has the password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self
from urllib.request import proxy_bypass

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from crawler.config.proxy import PROXIED_SCHEMES, ProxyServer, parse_proxy, read_environment_proxies
from crawler.context.run_context import RunContext
from crawler.middlewares.resolver import trusted_hosts

AUTHORIZATION_HEADER = "Proxy-Authorization"
AUTHENTICATION_REQUIRED = 407


class SourceProxyMiddleware:
    """Sets the proxy of each request, and the header with its password, which only the proxy gets."""

    def __init__(self, proxies: Mapping[str, ProxyServer | None], *, obeys_no_proxy: bool) -> None:
        self._proxies, self._obeys_no_proxy = proxies, obeys_no_proxy

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raise NotConfigured in a replay, and ConfigError for a proxy that cannot be used.

        A proxy may be at a private address.
        """
        context = RunContext.from_crawler(crawler)
        if context.mode.is_replay:
            raise NotConfigured
        address = context.config.get_proxy_address(context.source)
        if address is None:
            proxies: Mapping[str, ProxyServer | None] = read_environment_proxies()
        else:
            proxies = dict.fromkeys(PROXIED_SCHEMES, parse_proxy(address.get_secret_value()))
        trusted_hosts.clear()
        trusted_hosts.update(proxy.host for proxy in proxies.values() if proxy)
        return cls(proxies, obeys_no_proxy=address is None)

    def process_request(self, request: Request) -> None:
        """Set the request's proxy. A retry or a redirect has that of the request before."""
        proxy = self._choose_proxy(request)
        request.meta["proxy"] = proxy.url if proxy else None
        request.headers.pop(AUTHORIZATION_HEADER, None)
        if proxy and proxy.authorization:
            request.headers[AUTHORIZATION_HEADER] = proxy.authorization.get_secret_value()

    def _choose_proxy(self, request: Request) -> ProxyServer | None:
        parts = urlparse_cached(request)
        proxy = self._proxies.get(parts.scheme)
        is_bypassed = proxy and self._obeys_no_proxy and proxy_bypass(parts.hostname or "")
        return None if is_bypassed else proxy


def is_password_refusal(request: Request, response: Response) -> bool:
    """Return whether the request's proxy, not the site, answers that it wants a user name and a password."""
    return bool(request.meta.get("proxy")) and response.status == AUTHENTICATION_REQUIRED
