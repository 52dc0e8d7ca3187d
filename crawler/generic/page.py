"""A page of an unknown site, parsed once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from crawler.generic.comment_blocks import remove_comments
from crawler.generic.page_lines import PageLine, list_page_lines
from crawler.generic.page_repairs import repair_page
from crawler.pages.blocks import read_line
from crawler.pages.markup import format_markup, parse_document
from crawler.pages.metadata import iterate_nodes, list_types
from crawler.pages.tolerant_json import parse_json
from crawler.text.cleaning import clean_line

ARTICLE_TYPE_ENDINGS = ("Article", "Posting", "BlogPost", "Report", "Review")
MAX_NODES = 2_000


class GenericPage:
    """The repaired markup of a page, without comments, and its URL (may be empty), with what is read from both."""

    def __init__(self, html: str, url: str = "") -> None:
        """Parse the markup."""
        self.html, self.url = html, url
        self.root = parse_document(html)
        is_repaired = repair_page(self.root)
        if remove_comments(self.root) or is_repaired:
            self.html = format_markup(self.root)

    @property
    def host(self) -> str:
        """The host of the URL without `www.`, or ""."""
        return name_site(self.url)

    @cached_property
    def key(self) -> str:
        """What tells the page from others of its site: its URL, or a digest of its markup."""
        return self.url or hashlib.blake2b(self.html.encode("utf-8", "ignore"), digest_size=12).hexdigest()

    @cached_property
    def lines(self) -> list[PageLine]:
        """The lines that a reader sees."""
        return list_page_lines(self.root)

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The content of each `meta` by its name or property in small letters; the first one of a name.

        Some sites write it as `value`.
        """
        found: dict[str, str] = {}
        for node in self.root.iter("meta"):
            name = (node.get("property") or node.get("name") or node.get("itemprop") or "").strip().lower()
            content = read_line(node.get("content") or node.get("value") or "")
            if name and content:
                found.setdefault(name, content)
        return found

    @cached_property
    def document_title(self) -> str:
        """The `title` of the head, or ""."""
        node = self.root.find(".//title")
        return read_line(node.text or "") if node is not None else ""

    @property
    def html_language(self) -> str:
        """The language that the markup names, such as `en` or `kk`, or ""."""
        language = self.root.get("lang") or self.root.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
        return clean_line(language or self.metadata.get("og:locale", "")).replace("_", "-").split("-")[0].lower()

    @cached_property
    def articles(self) -> list[dict[str, Any]]:
        """The articles in JSON-LD. Broken JSON is skipped."""
        return [node for node in self._iterate_json_ld() if _is_article(node)]

    def _iterate_json_ld(self) -> Iterator[dict[str, Any]]:
        for script in self.root.iter("script"):
            if "ld+json" not in (script.get("type") or ""):
                continue
            try:
                data = parse_json((script.text or "").strip().removesuffix(";"))
            except ValueError:
                continue
            yield from iterate_nodes(data, ("mainEntity", "mainEntityOfPage", "@graph"), MAX_NODES)


def name_site(url: str) -> str:
    """Return the host of a URL without `www.`, or ""."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _is_article(node: dict[str, Any]) -> bool:
    return any(name.endswith(ARTICLE_TYPE_ENDINGS) for name in list_types(node))
