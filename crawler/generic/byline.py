"""The author whom a page names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crawler.generic.page import GenericPage
from crawler.generic.page_lines import list_words
from crawler.pages.blocks import join_lines, parse_html, read_line
from crawler.pages.metadata import find_author
from crawler.text.cleaning import clean_line

META_FIELDS = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "byl", "dcterms.creator")
BYLINE_PREFIX = re.compile(r"^(?:by|von|par|por|di|автор|авторы|муаллиф|автору)\s*:?\s+", re.IGNORECASE)
AUTHOR_NAME = re.compile(r"\b(?:author|byline|autor)(?:[_-]?name)?\b", re.IGNORECASE)
MAX_NAME_LENGTH = 80
MAX_BYLINE_WORDS, MAX_NAME_WORDS = 14, 4
NAME_END = re.compile(r"\s*[|·•–—,/]|\s+(?:and|und|et|и|&)\s|\s+\d")
"""What is after a name in a line: a date, a place, or another name."""
ARTICLES = frozenset(("a", "an", "the"))
PARTICLES = frozenset("al bin de del der di dos du el la le van von".split())


@dataclass(frozen=True, slots=True)
class NamedAuthor:
    """One or more names, joined by commas, and where they were."""

    name: str
    origin: str


def find_byline(page: GenericPage) -> NamedAuthor | None:
    """Return the authors that JSON-LD, metadata or a marked element name, or None."""
    for article in page.articles:
        if name := _clean_name(find_author(article) or ""):
            return NamedAuthor(name, "JSON-LD author")
    for field in META_FIELDS:
        if name := _clean_name(page.metadata.get(field, "")):
            return NamedAuthor(name, f"meta {field}")
    for node in page.root.iter("a", "span", "div", "p", "address"):
        is_marked = node.get("rel") == "author" or node.get("itemprop") == "author"
        is_marked = is_marked or AUTHOR_NAME.fullmatch((node.get("class") or "").split(" ")[0]) is not None
        if is_marked and (name := _clean_name(join_lines(parse_html(node)))):
            return NamedAuthor(name, f"{node.tag} element")
    return None


def is_byline(text: str) -> bool:
    """Return whether a line names its author after a word such as "By", and has at most a date and a place beside."""
    rest = BYLINE_PREFIX.sub("", text)
    if rest == text or text.endswith((".", "!", "?", "…", ":")) or len(list_words(text)) > MAX_BYLINE_WORDS:
        return False
    name, *beside = (part.split() for part in NAME_END.split(rest, 1))
    if any(part[0] in ARTICLES for part in beside if part):  # "By Train Through Kazakhstan, a photo story"
        return False
    return 2 <= len(name) <= MAX_NAME_WORDS and all(word[0].isupper() or word in PARTICLES for word in name)


def _clean_name(text: str) -> str | None:
    name = BYLINE_PREFIX.sub("", clean_line(read_line(text)))
    has_address = "://" in name or "@" in name
    return name if name and not has_address and len(name) <= MAX_NAME_LENGTH else None
