"""Comments of readers under an article: repeated blocks of an author, a date and a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from lxml import etree

from crawler.generic.page_lines import MIN_PARAGRAPH_WORDS, PageLine, list_page_lines, list_words
from crawler.pages.markup import remove_element

COMMENT_NAME = re.compile(r"comment|disqus|kommentar|otz[yi]v|коммент|отзыв|пікір|pikir|izoh")
"""Class names and ids of comments. One author's line is enough beside them."""
POST_NAME = re.compile(r"(?<!p)review|forum|discuss|diskus|(?:^|[\s_-])repl(?:y|ies)")
"""Names that articles have too. MIN_POSTS authors' lines must be beside them."""
STATE_NAME = re.compile(r"comments?[_-]?(?:open|closed|enabled|disabled|on|off|status)|(?:no|has|with)[_-]comments?")
"""Names that say whether an article may have comments: its own element has them."""
FIND_NAMED = etree.XPath("descendant-or-self::*[@class or @id]")
MAX_REMEMBERED_ELEMENT_NAMES = 2_000
"""Names of elements whose meaning is remembered: a site's pages have the same few hundred."""
MIN_POSTS = 2
MAX_AUTHOR_WORDS = 12
"""Words of a line with an author and the date of a comment."""
MAX_PARAGRAPHS_PER_POST = 4
"""Paragraphs for each author's line: an article has one author's line and more of them."""
MIN_ARTICLE_SHARE = 0.9
"""Share of the words in an element's paragraphs that are one post's, from which it is an article."""
MIN_TITLE_WORDS, MAX_LINK_SHARE = 3, 0.5
DAY_OR_TIME = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2}|[012]?\d:[0-5]\d)(?!\d)"
    r"|(?<!\d)[0-3]?\d(?:\s+[^\W\d_]{3,12},?\s+|-[^\W\d_]{3,12},?\s+)(?:19|20)\d{2}(?!\d)"
    r"|(?<!\d)\d+\s+[^\W\d_]+\s+(?:ago|назад|бұрын|мурун|мурда|oldin|олдин|avval|аввал|пеш)(?![^\W\d_])"
)


def remove_comments(root: Any) -> bool:
    """Remove the comments from a page, and the names of comments from an article. Return whether there were any.

    Their element has a name of comments, comes after a paragraph, has not the title, and has lines with an author and a
    date.
    """
    named = [node for node in FIND_NAMED(root) if _find_name(node)]
    known = set(named)
    outermost = (node for node in named if known.isdisjoint(node.iterancestors()))
    if not any(DAY_OR_TIME.search(" ".join(node.itertext())) for node in outermost):  # it spares most pages the lines
        return False
    lines = list_page_lines(root)
    title = frozenset(list_words(next(root.iter("title"), root).text or ""))
    comments: list[Any] = []
    articles: list[Any] = []
    for node, first, last in _list_spans(lines, named):
        before, inside = _count_words(_list_paragraphs(lines[:first])), lines[first : last + 1]
        posts = _split_posts(inside)
        if before and not any(_is_title(line, title) for line in inside) and _has_posts(node, posts):
            (articles if _is_article(posts, before) else comments).append(node)
    for node in articles:  # the extractors judge by the names
        node.attrib.pop("class", None)
        node.attrib.pop("id", None)
    for node in comments:
        if node.getparent() is not None:
            remove_element(node)
    return bool(comments or articles)


def _find_name(node: Any) -> re.Match[str] | None:
    return _match_name(node.get("class") or "", node.get("id") or "")


@lru_cache(MAX_REMEMBERED_ELEMENT_NAMES)
def _match_name(class_names: str, identifier: str) -> re.Match[str] | None:
    words = f"{class_names} {identifier}".lower().split()
    names = " ".join(word for word in words if not STATE_NAME.search(word))
    return COMMENT_NAME.search(names) or POST_NAME.search(names)


def _list_spans(lines: Sequence[PageLine], named: Sequence[Any]) -> Iterator[tuple[Any, int, int]]:
    """Yield each named element that has lines, with its first and its last line, outer elements first."""
    spans: dict[Any, tuple[int, int]] = {}
    wanted = set(named)
    for place, line in enumerate(lines):
        node = line.node
        while node is not None:
            if node in wanted:
                spans[node] = (spans.get(node, (place,))[0], place)
            node = node.getparent()
    yield from ((node, *spans[node]) for node in named if node in spans)


def _split_posts(lines: Sequence[PageLine]) -> list[list[PageLine]]:
    """Return the paragraphs under each line with an author and a day. The first list has those before any such line."""
    posts: list[list[PageLine]] = [[]]
    for line in lines:
        if len(line.words) <= MAX_AUTHOR_WORDS and DAY_OR_TIME.search(line.text):
            posts.append([])
        elif _is_paragraph(line):
            posts[-1].append(line)
    return posts


def _has_posts(node: Any, posts: Sequence[Sequence[PageLine]]) -> bool:
    """Return whether an element has enough authors' lines for its name and its paragraphs."""
    name, count = _find_name(node), len(posts) - 1
    needed = 1 if name and COMMENT_NAME.fullmatch(name[0]) else MIN_POSTS
    return count >= needed and sum(map(len, posts)) <= MAX_PARAGRAPHS_PER_POST * count


def _is_article(posts: Sequence[Sequence[PageLine]], before: int) -> bool:
    """Return whether one post has nearly all paragraphs of its element, and more words than those `before` it.

    Then menus and teasers are before an article, in an element such as `comments_page_wrapper`.
    """
    counts = [_count_words(post) for post in posts]
    longest = max(posts, key=_count_words)
    return len(longest) > 1 and max(counts) > before and max(counts) >= MIN_ARTICLE_SHARE * sum(counts)


def _list_paragraphs(lines: Sequence[PageLine]) -> list[PageLine]:
    return [line for line in lines if _is_paragraph(line)]


def _count_words(lines: Sequence[PageLine]) -> int:
    return sum(len(line.words) for line in lines)


def _is_paragraph(line: PageLine) -> bool:
    return len(line.words) >= MIN_PARAGRAPH_WORDS and line.link_share <= MAX_LINK_SHARE


def _is_title(line: PageLine, title: frozenset[str]) -> bool:
    """Return whether a line is a first heading, or a heading with words of the document's title alone."""
    if line.tag == "h1":
        return True
    return line.tag in ("h2", "h3") and len(line.words) >= MIN_TITLE_WORDS and title.issuperset(line.words)
