"""Load the words for numbers in English, Russian and Kazakh (`defaults/number_words.toml`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from crawler.defaults import load_default_toml


@cache
def load_fingerprinted_words() -> Mapping[str, float]:
    """Return the words that similarity reads. Stored fingerprints depend on them."""
    return _load_values("fingerprinted")


@cache
def load_cardinal_words() -> Mapping[str, float]:
    """Return every word for a number from two on that has no other frequent meaning."""
    return _load_values("fingerprinted", "cardinal")


@cache
def load_all_words() -> Mapping[str, float]:
    """Return cardinals, English ordinals, and words that may mean something else, such as "one"."""
    return _load_values("fingerprinted", "cardinal", "ambiguous", "ordinal")


@cache
def load_ordinal_stems() -> Mapping[str, float]:
    """Return Russian ordinals without their endings, and Kazakh ordinals."""
    return _load_values("ordinal_stem")


@cache
def load_scale_words() -> Mapping[str, float]:
    """Return words that multiply the digits before them: "2 млн"."""
    return _load_values("scale")


@cache
def load_share_words() -> Mapping[str, str]:
    """Return words for "half" and "%"."""
    shares = load_default_toml("number_words.toml")["share"]
    return {word: share for share, words in shares.items() for word in words.split()}


def _load_values(*tables: str) -> Mapping[str, float]:
    file = load_default_toml("number_words.toml")
    return {word: float(value) for name in tables for value, words in file[name].items() for word in words.split()}
