"""Public addresses, and those actually asked where an owner named a copy of the site (`base_url`)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class UrlMapping:
    """Maps addresses between a site's public origins (the canonical one first) and a copy's `base` (None: no copy)."""

    origins: tuple[str, ...]
    base: str | None

    def to_fetch_url(self, url: str) -> str:
        """The address to ask: on the copy where there is one."""
        if self.base is None:
            return url
        for origin in self.origins:
            if url == origin or url.startswith((origin + "/", origin + "?")):
                return self.base + url.removeprefix(origin)
        return url

    def to_public_url(self, url: str) -> str:
        """The public address of what was asked."""
        if self.base is not None and (url == self.base or url.startswith((self.base + "/", self.base + "?"))):
            return self.origins[0] + url.removeprefix(self.base)
        return url


def is_robots_txt(url: str) -> bool:
    """Whether an address is a site's robots.txt, which Scrapy fetches like any page."""
    return urlsplit(url).path == "/robots.txt"
