"""What is doubtful about an article: an answer that ends early, letters from a wrong encoding, times that cannot be.

The article is stored all the same, with flags. One whose text is not as the site publishes it (`Article.is_damaged`)
never becomes a revision or a notification.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from crawler.items import Article, ArticleFlag
from crawler.text.decoding import find_damaged_spans, is_damaged_as_a_whole

MIN_YEAR = 1991
MAX_CLOCK_SKEW = timedelta(hours=1)
"""How far a site's clock may be ahead of ours."""
DOCUMENT_START = re.compile(rb"<!doctype\s+html|<html\b|<body\b", re.IGNORECASE)
DOCUMENT_END = re.compile(rb"</(?:html|body)\s*>", re.IGNORECASE)
ROOT_ELEMENT = re.compile(rb"<([A-Za-z_][\w:.-]*)")
JSON_ENDS = (b"}", b"]", b"-->", b"*/")
"""Last characters of JSON, and of the comments that caches add."""


def lacks_end(body: bytes, kind: str) -> bool:
    """Return whether a document of this kind (see `Snapshot.kind`) ends before its closing tag or bracket.

    Only of use where nothing else tells how long the body is: some sites never write a closing tag.
    """
    if kind == "json":
        return not body.rstrip().endswith(JSON_ENDS)
    if kind == "xml":
        root = ROOT_ELEMENT.search(body)
        return root is not None and b"</" + root[1] not in body and not body.rstrip().endswith(b"/>")
    return kind == "html" and DOCUMENT_START.search(body) is not None and DOCUMENT_END.search(body) is None


def flag_doubts(article: Article, seen_at: datetime | None) -> Article:
    """Return the article with a flag for damaged characters and for a time that cannot be.

    A time that cannot be is removed. `published_raw` keeps it as the page writes it. Without `seen_at` no time is known
    to be in the future.
    """
    flags = list(article.flags)
    if is_damaged_as_a_whole(article.body):
        flags.append(ArticleFlag.WRONG_ENCODING)
    if find_damaged_spans(article.body) or find_damaged_spans(article.title or ""):
        flags.append(ArticleFlag.UNDECODABLE_CHARACTERS)
    published = article.published_at
    date_flag = None
    if published and seen_at and published > seen_at + MAX_CLOCK_SKEW:
        date_flag = ArticleFlag.FUTURE_DATE
    elif published and published.year < MIN_YEAR:
        date_flag = ArticleFlag.IMPOSSIBLE_DATE
    if date_flag:
        article = replace(article, published_at=None, published_precision=None)
        flags.append(date_flag)
    return replace(article, flags=tuple(dict.fromkeys(flags))) if flags else article
