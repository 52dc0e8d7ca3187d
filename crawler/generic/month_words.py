"""Months in the words of the region's languages, then of others by the Unicode locale data that Babel has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from crawler.defaults import load_default_toml
from crawler.text.months import get_month_numbers_of_dates

OTHER_LANGUAGES = (
    *("de", "fr", "es", "it", "pt", "nl", "pl", "cs", "uk", "be", "tr", "az", "ro", "sv", "nb", "da", "fi", "hu"),
    *("el", "bg", "id", "vi", "ca", "lt", "hy", "ka", "fa", "ar", "hi"),
)
"""In the order in which they are asked: a word such as "listopad" is October in one and November in another."""
MIN_STEM_LENGTH = 4
MAX_ENDING_LENGTH = 4


def get_month_number(word: str, language: str = "") -> int | None:
    """Return the number of a month by its name, or None. `language` is the page's, where names differ by language.

    Names of the region may have an ending: "ноябрында", "noyabrda", "ноябри".
    """
    word = word.casefold().rstrip(".")
    number = get_month_numbers_of_dates().get(word) or _get_region_names().get(word)
    if number is None and len(word) > MIN_STEM_LENGTH:
        number = _find_stem(word)
    if number is None and language:
        number = _get_names(language).get(word)
    if number is None:
        number = next((found for name in OTHER_LANGUAGES if (found := _get_names(name).get(word))), None)
    return number


@cache
def _get_region_names() -> Mapping[str, int]:
    months = load_default_toml("region_languages.toml")["month"]
    return {name: number for number, names in enumerate(months, start=1) for name in names}


@cache
def _find_stem(word: str) -> int | None:
    for name, number in _get_region_names().items():
        ending = word.removeprefix(name)
        if len(name) >= MIN_STEM_LENGTH and ending != word and len(ending) <= MAX_ENDING_LENGTH:
            return number
    return None


@cache
def _get_names(language: str) -> Mapping[str, int]:
    """Return the numbers of a language's month names and their usual abbreviations, or nothing for an unknown one."""
    from babel import Locale, UnknownLocaleError

    try:
        months = Locale(language).months
    except (UnknownLocaleError, ValueError):
        return {}
    return {
        name.casefold().rstrip("."): number
        for context in ("stand-alone", "format")
        for width in ("abbreviated", "wide")
        for number, name in months[context][width].items()
        if not name.isdigit()
    }
