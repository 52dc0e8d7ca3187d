"""The public addresses of a site, and those that are requested where an owner configured a copy (`base_url`)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.errors import UsageError
from crawler.text.urls import resolve_url

MAX_SHOWN_LENGTH = 200
"""Characters of an unusable address that an error message shows."""


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


def parse_url_argument(text: str) -> str:
    """Return the http(s) URL that a person gave to a command. Raise UsageError for anything else."""
    address = text.strip()
    url = resolve_url(address, "")
    if url is None or "://" not in address:
        shown = repr(address if len(address) <= MAX_SHOWN_LENGTH else address[:MAX_SHOWN_LENGTH] + "…")
        raise UsageError(
            f"{shown} is no address of a page: write it whole, such as https://www.kt.kz/rus/press-materialy/."
        )
    if "@" in urlsplit(address).netloc:
        raise UsageError("The address of a page must have no user name or password (the address is not shown).")
    return url
