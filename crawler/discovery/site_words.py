"""The words of `defaults/site_words.toml`: by them links and lines of a site show what they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from crawler.defaults import load_default_toml


@dataclass(frozen=True, slots=True)
class SiteWords:
    """Texts of links in small letters, and patterns of links and lines."""

    news: frozenset[str]
    next_page: frozenset[str]
    terms: re.Pattern[str]
    rights: re.Pattern[str]
    languages: Mapping[str, str]
    """ISO 639-1 codes by the texts of links."""


@cache
def load_site_words() -> SiteWords:
    """Return the shipped words."""
    data = load_default_toml("site_words.toml")
    return SiteWords(
        frozenset(data["news"]),
        frozenset(data["next"]),
        re.compile("|".join(data["terms"]), re.IGNORECASE),
        re.compile("|".join(data["rights"]), re.IGNORECASE),
        {word: code for code, words in data["languages"].items() for word in words},
    )
