"""Names blacked out before anything leaves: each letter of what a pattern fits becomes a block, so offsets hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from crawler.items import Article, Match

BLOCK_CHARACTER = "█"
PATTERN_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]| ", re.DOTALL)
"""What is read at once in a pattern, so that only a space that stands for itself is taken for one."""
UNREDACTED_FIELDS = frozenset({"id", "source", "language", "published_raw", "copy_of"})
"""Texts that name no person, or that an output never shows."""


@lru_cache(maxsize=64)
def _compile_patterns(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Each pattern, and where it has letters that may be written as two signs (`й`), the pattern with these."""
    written = dict.fromkeys(
        unicodedata.normalize(form, _allow_line_breaks(pattern)) for pattern in patterns for form in ("NFC", "NFD")
    )
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in written)


def _allow_line_breaks(pattern: str) -> str:
    """A pattern whose spaces fit the end of a line too.

    >>> _over_lines("Айдос Бекович[ -]улы")
    'Айдос\\\\sБекович[ -]улы'
    """
    if re.compile(pattern).flags & re.VERBOSE:
        return pattern
    return PATTERN_TOKEN.sub(lambda found: r"\s" if found[0] in (" ", "\\ ") else found[0], pattern)


def redact_text(text: str, patterns: Sequence[str]) -> str:
    """The text with a block for each sign that a pattern fits, spaces excepted. Each pattern sees the whole text, also
    what another one fits.

    >>> blackened("Айдос Бекович сказал", ["Айдос", "Айдос Бекович"])
    '█████ ███████ сказал'
    """
    found = [match.span() for pattern in _compile_patterns(tuple(patterns)) for match in pattern.finditer(text)]
    for begin, end in found:
        text = text[:begin] + re.sub(r"\S", BLOCK_CHARACTER, text[begin:end]) + text[end:]
    return text


def _matches_url(url: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern fits an address, its words read as words too: `/%D0%90%D0%B9%D0%B4%D0%BE%D1%81-bekovich`."""
    plain = unquote(url)
    return any(redact_text(text, patterns) != text for text in (url, plain, re.sub(r"[\W_]+", " ", plain)))


def redact_article(article: Article, patterns: Sequence[str]) -> Article:
    """The article with every text blacked out where a pattern fits; an address that a name stands in leads to the
    site's first page instead."""
    if not patterns:
        return article
    values: dict[str, Any] = {
        field.name: redact_text(value, patterns)
        for field in fields(article)
        if field.name not in UNREDACTED_FIELDS | {"url"}
        and type(value := getattr(article, field.name)) is str  # no verdict
    }
    matches = tuple(
        replace(
            match,
            term=redact_text(match.term, patterns),
            surface=_redact_surface(article, match, values, patterns),
            sentence=redact_text(match.sentence, patterns),
        )
        for match in article.matches
    )
    url = article.url
    if _matches_url(url, patterns):
        url = "/".join(url.split("/", 3)[:3]) + "/"
    return replace(article, **{**values, "matches": matches, "images": (), "url": url})


def _redact_surface(article: Article, match: Match, values: Mapping[str, Any], patterns: Sequence[str]) -> str:
    """The matched word as it stands in the text that is shown: it may be a part of a name."""
    at = slice(match.start, match.end)
    is_there = (article.texts.get(match.field) or "")[at] == match.surface
    return redact_text(values[match.field][at] if is_there else match.surface, patterns)
