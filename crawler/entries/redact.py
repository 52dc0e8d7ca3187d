"""Names blacked out before anything leaves: each letter of what a pattern fits becomes a block, so offsets hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

from crawler.items import Article

BLOCK = "█"
KEPT = frozenset({"id", "source", "language", "published_raw", "copy_of"})
"""Texts that name no person, or that an output never shows."""


@lru_cache(maxsize=64)
def _patterns(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def blackened(text: str, patterns: Sequence[str]) -> str:
    """The text with a block for each sign that a pattern fits, spaces excepted.

    >>> blackened("Айдос Бекович сказал", ["Айдос Бекович"])
    '█████ ███████ сказал'
    """
    for pattern in _patterns(tuple(patterns)):
        text = pattern.sub(lambda found: re.sub(r"\S", BLOCK, found[0]), text)
    return text


def redacted(article: Article, patterns: Sequence[str]) -> Article:
    """The article with every text blacked out where a pattern fits; an address that a name stands in leads to the
    site's first page instead."""
    if not patterns:
        return article
    values: dict[str, Any] = {
        field.name: blackened(value, patterns)
        for field in fields(article)
        if field.name not in KEPT | {"url"} and type(value := getattr(article, field.name)) is str  # no verdict
    }
    matches = tuple(
        replace(
            match,
            term=blackened(match.term, patterns),
            surface=blackened(match.surface, patterns),
            sentence=blackened(match.sentence, patterns),
        )
        for match in article.matches
    )
    url = article.url
    if blackened(url, patterns) != url:
        url = "/".join(url.split("/", 3)[:3]) + "/"
    return replace(article, **{**values, "matches": matches, "images": (), "url": url})
