"""The words around articles, and times, in the reader's language: our own phrases, CLDR's dates and plurals (Babel)."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from typing import Any

from babel import Locale
from babel.dates import format_datetime, get_timezone_location
from babel.numbers import format_percent

from crawler.errors import UsageError

OUTPUT_LANGUAGES = ("en", "ru", "kk")
TIME_FORMATS = {"en": "d MMM y, HH:mm", "ru": "d MMM y, HH:mm", "kk": "y 'ж.' d MMMM, HH:mm"}
"""A day and a time of day, in the order that the language has."""
DAY_FORMATS = {"en": "d MMM y", "ru": "d MMM y", "kk": "y 'ж.' d MMMM"}


@cache
def load_phrases() -> dict[str, dict[str, Any]]:
    text = resources.files("crawler.defaults").joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class Translations:
    """`phrases["new"]`, and what needs a number, a time or a language. `zone` is the reader's."""

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.language, self.zone = language, zone
        if language not in OUTPUT_LANGUAGES:
            raise UsageError(f"There are no phrases in {language!r}; there are {', '.join(OUTPUT_LANGUAGES)}.")
        self._words = load_phrases()[language]
        self._locale = Locale.parse(language)

    def __getitem__(self, key: str) -> str:
        return str(self._words[key])

    def fill(self, key: str, **values: str) -> str:
        """A phrase with its gaps filled."""
        return self[key].format(**values)

    def count(self, key: str, number: int) -> str:
        """A phrase in the form that the number asks for."""
        forms: dict[str, str] = self._words[key]
        form = self._locale.plural_form(number)
        return forms.get(form, forms["other"]).format(n=number)

    def time(self, moment: datetime) -> str:
        """A day and a time of day in the reader's zone."""
        return str(format_datetime(self._convert_zone(moment), TIME_FORMATS[self.language], locale=self._locale))

    def moment(self, moment: datetime) -> str:
        """A day, a time and which time that is, so that it can be read in another country."""
        return f"{self.time(moment)} ({self.offset(moment)})"

    def day(self, moment: datetime) -> str:
        """A day in the reader's zone."""
        return str(format_datetime(self._convert_zone(moment), DAY_FORMATS[self.language], locale=self._locale))

    def _convert_zone(self, moment: datetime) -> datetime:
        """A time in the reader's zone; as it is at the end of all times, which a page may name by mistake."""
        try:
            return moment.astimezone(self.zone)
        except OverflowError:
            return moment

    @property
    def city(self) -> str:
        """The city that the reader's zone is named after."""
        return str(get_timezone_location(self.zone, locale=self._locale, return_city=True))

    def offset(self, moment: datetime) -> str:
        """How far the reader's zone is from UTC: `UTC+5`."""
        minutes = int((self._convert_zone(moment).utcoffset() or timedelta()).total_seconds() // 60)
        hours, rest = divmod(abs(minutes), 60)
        return "UTC" + (f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "") if minutes else "")

    def tongue(self, language: str | None) -> str:
        """A language's name."""
        return str(self._locale.languages.get(language or "", language)) if language else self["unknown_language"]

    def percent(self, share: float) -> str:
        """A share as a person writes it."""
        return str(format_percent(share, locale=self._locale))
