"""The links of a page by their place in the markup: which of them lead to articles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.config.source_definition import get_host
from crawler.generic.page import GenericPage
from crawler.generic.page_lines import list_words
from crawler.pages.blocks import read_line
from crawler.pages.structure import format_step
from crawler.text.urls import resolve_url

MIN_GROUP_SIZE = 3
MIN_TITLE_WORDS = 3
"""Words of a link's text from which it may be a title."""
MAX_DEPTH = 12
FRAME_TAGS = frozenset(("nav", "footer"))
FRAME_NAME = re.compile(
    r"(?<![a-z])(?:nav|menu|footer|breadcrumb|lang|social|share|tags?|pagination|pager)", re.IGNORECASE
)
NO_PAGE_SUFFIX = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|pdf|docx?|xlsx?|zip|mp[34]|xml|rss)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A link: its address without fragment, and its text."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class LinkGroup:
    """Links at one place of the markup, each address once, in page order. A higher score is more like articles."""

    path: str
    links: tuple[FoundLink, ...]
    score: float


def list_link_groups(page: GenericPage, *, has_pdf_files: bool = False) -> list[LinkGroup]:
    """Return the groups of links that may lead to articles, the most promising first.

    `has_pdf_files`: the articles are PDF files, and no other link counts.
    """
    host = get_host(page.url)
    places: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for node in page.root.iter("a"):
        url = (resolve_url(node.get("href"), page.url) or "").partition("#")[0]
        if not url or get_host(url) != host or _is_in_frame(node):
            continue
        suffix = NO_PAGE_SUFFIX.search(urlsplit(url).path)
        if (suffix is None or suffix[0].lower() != ".pdf") if has_pdf_files else suffix:
            continue
        parts = urlsplit(url)
        is_front = parts.path in ("", "/") and not parts.query
        if is_front or url.rstrip("/") == page.url.partition("#")[0].rstrip("/"):
            continue
        text = read_line("".join(node.itertext())) or (node.get("title") or "")
        texts = places[_make_path(node)]
        texts[url] = max(texts.get(url, ""), text, key=len)
    groups = []
    for path, texts in places.items():
        links = [FoundLink(url, text) for url, text in texts.items()]
        titles = [link for link in links if len(list_words(link.text)) >= MIN_TITLE_WORDS]
        if len(titles) >= MIN_GROUP_SIZE:  # in tables, a menu may be at the same place
            groups.append(LinkGroup(path, tuple(titles), _score_links(links)))
    return sorted((group for group in groups if group.score > 0), key=lambda group: -group.score)


def list_frame_links(page: GenericPage) -> list[str]:
    """Return the addresses of navigation and footer, which are no articles."""
    found: dict[str, None] = {}
    for node in page.root.iter("a"):
        url = (resolve_url(node.get("href"), page.url) or "").partition("#")[0]
        if url and get_host(url) == get_host(page.url) and _is_in_frame(node):
            found[url] = None
    return list(found)


def list_pdf_links(page: GenericPage) -> list[str]:
    """Return the addresses of all PDF files that a page names, each once."""
    urls = [resolve_url(node.get("href"), page.url) or "" for node in page.root.iter("a")]
    return list(dict.fromkeys(url for url in urls if urlsplit(url).path.lower().endswith(".pdf")))


def _is_in_frame(node: object) -> bool:
    each = node
    while each is not None:
        tag = each.tag  # type: ignore[attr-defined]
        if tag in FRAME_TAGS:
            return True
        names = f"{each.get('class') or ''} {each.get('id') or ''}"  # type: ignore[attr-defined]
        if tag not in ("html", "body", "main", "article") and FRAME_NAME.search(names):
            return True
        each = each.getparent()  # type: ignore[attr-defined]
    return False


def _make_path(node: object) -> str:
    steps: list[str] = []
    each = node
    while each is not None and len(steps) < MAX_DEPTH:
        steps.append(format_step(each))
        each = each.getparent()  # type: ignore[attr-defined]
    return ">".join(reversed(steps))


def _score_links(links: Sequence[FoundLink]) -> float:
    """Return how much links are like those of a list of articles: by their number, texts and addresses."""
    titles = [link for link in links if len(list_words(link.text)) >= MIN_TITLE_WORDS]
    if len(titles) < MIN_GROUP_SIZE:
        return 0.0
    depths = [urlsplit(link.url).path.rstrip("/").count("/") for link in titles]
    usual = max(set(depths), key=depths.count)
    is_article = re.compile(r"\d{2,}|[^/]+-[^/]+-[^/]+|%[0-9A-Fa-f]{2}")
    named = sum(bool(is_article.search(link.url.partition("//")[2].partition("/")[2])) for link in titles)
    words = sum(min(len(list_words(link.text)), 12) for link in titles) / len(titles)
    same = depths.count(usual) / len(depths)
    return min(len(titles), 20) * words * same * (0.2 + 0.8 * named / len(titles)) * (len(titles) / len(links))
