"""The public addresses of a site, and those that are requested where an owner configured a copy (`base_url`)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class UrlMapping:
    """Maps addresses between a site's public origins (the canonical one first) and a copy's `base` (None: no copy)."""

    origins: tuple[str, ...]
    base: str | None

    def to_fetch_url(self, url: str) -> str:
        """Return the address to request: on the copy where there is one."""
        if self.base is None:
            return url
        for origin in self.origins:
            if url == origin or url.startswith((origin + "/", origin + "?")):
                return self.base + url.removeprefix(origin)
        return url

    def to_public_url(self, url: str) -> str:
        """Return the public address of a requested address."""
        if self.base is not None and (url == self.base or url.startswith((self.base + "/", self.base + "?"))):
            return self.origins[0] + url.removeprefix(self.base)
        return url


def is_robots_txt(url: str) -> bool:
    """Whether an address is a site's robots.txt, which Scrapy downloads like any page."""
    return urlsplit(url).path == "/robots.txt"
