"""Other language versions of a site: by `hreflang`, by the words of links and by the beginning of addresses."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from crawler.config.address_pattern import read_language_code
from crawler.config.source_definition import get_host
from crawler.discovery.site_words import load_site_words
from crawler.generic.page import GenericPage
from crawler.pages.blocks import read_line
from crawler.text.urls import resolve_url

CODES = frozenset("ru kk en ky uz tg".split())
"""Languages whose versions are looked for."""
PARAMETERS = ("lang", "language", "l", "locale")
MAX_LINK_LENGTH = 14


def find_language_versions(page: GenericPage) -> dict[str, str]:
    """Return the address of each language version that a page names, by its ISO 639-1 code."""
    found: dict[str, str] = {}
    for node in page.root.iter("link"):
        if node.get("hreflang") and "alternate" in (node.get("rel") or "").lower():
            _add_version(found, node.get("hreflang").split("-")[0], node.get("href"), page)
    for node in page.root.iter("a"):
        text = read_line("".join(node.itertext())).lower().strip("[]()| ") if len(node) < 4 else ""
        word = load_site_words().languages.get(text) if len(text) <= MAX_LINK_LENGTH else None
        if word or node.get("hreflang"):
            _add_version(found, word or node.get("hreflang").split("-")[0], node.get("href"), page)
    if page.html_language and found:
        found.setdefault(read_language_code(page.html_language), page.url)
    return found


def find_address_language(url: str) -> str | None:
    """Return the language that an address names in its path, its host or a parameter, or None."""
    parts = urlsplit(url)
    first = next((part for part in parts.path.split("/") if part), "")
    host = (parts.hostname or "").split(".")[0]
    given = [values[0] for name, values in parse_qs(parts.query).items() if name.lower() in PARAMETERS]
    for written in (*given, first, host):
        if re.fullmatch(r"[A-Za-z]{2,3}", written) and (code := read_language_code(written)) in CODES:
            return code
    return None


def _add_version(found: dict[str, str], written: str, href: str | None, page: GenericPage) -> None:
    code, url = read_language_code(written), resolve_url(href, page.url)
    if code in CODES and url and get_host(url) == get_host(page.url):
        found.setdefault(code, url.partition("#")[0])
