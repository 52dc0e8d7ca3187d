"""Names of the months in English, Russian and Kazakh (`defaults/months.toml`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from crawler.defaults import load_default_toml


@cache
def get_month_numbers() -> Mapping[str, int]:
    """Return the number of each whole name ("march", "марта", "наурыз"), in small letters."""
    return _number_words("names")


@cache
def get_month_numbers_of_dates() -> Mapping[str, int]:
    """Return the number of each name and of each abbreviation that only a line which is a date has ("қар")."""
    return MappingProxyType({**get_month_numbers(), **_number_words("abbreviations")})


@cache
def get_month_stems() -> Mapping[str, int]:
    """Return the number of each stem ("mar", "мар", "наурыз") with which every form of a name begins."""
    return _number_words("stems")


@cache
def get_weekdays() -> frozenset[str]:
    """Return the names of weekdays and their abbreviations, in small letters."""
    return frozenset(load_default_toml("months.toml")["weekdays"])


@cache
def list_english_abbreviations() -> tuple[str, ...]:
    """Return "jan" to "dec" in order."""
    return tuple(stem for stem in get_month_stems() if stem.isascii())


def _number_words(key: str) -> Mapping[str, int]:
    months = load_default_toml("months.toml")["month"]
    return MappingProxyType({word: number for number, month in enumerate(months, start=1) for word in month[key]})
