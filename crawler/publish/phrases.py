"""The words around articles, and times, in the reader's language.

The phrases are in `crawler/defaults/phrases.toml`; dates, plurals and names of languages come from CLDR (Babel).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta, tzinfo
from functools import cached_property, lru_cache

from babel import Locale
from babel.dates import format_datetime, get_timezone_location
from babel.numbers import format_percent

from crawler.defaults import load_default_toml
from crawler.errors import UsageError
from crawler.items import DATE_FLAGS, ArticleFlag

OUTPUT_LANGUAGES = ("en", "ru", "kk")
PHRASES_FILE = "phrases.toml"
ADDRESS_PART = re.compile(r"[a-z0-9]+(?:[-_]+[a-z0-9]+)*")


def get_locale(language: str | None) -> str | None:
    """Return an output language with its country (`en-GB`), or None for any other language."""
    return str(load_default_toml(PHRASES_FILE)[language]["locale"]) if language in OUTPUT_LANGUAGES else None


def describe_flags(flags: Collection[ArticleFlag], language: str = "en") -> list[str]:
    """Return what is doubtful about an article, in words. Removed lines of the page are no doubt."""
    phrases = load_default_toml(PHRASES_FILE)[language]
    hidden = {ArticleFlag.BOILERPLATE_REMOVED}
    if ArticleFlag.WRONG_ENCODING in flags:
        hidden.add(ArticleFlag.UNDECODABLE_CHARACTERS)
    return [str(phrases[f"flag_{flag}"]) for flag in flags if flag not in hidden]


class Phrases:
    """`phrases["new"]` is a phrase; methods format what depends on a number, a time or a language.

    `zone` is the reader's. Templates call this `words` or `phrases`: the names of its methods are an interface.
    """

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.language, self.zone = language, zone
        if language not in OUTPUT_LANGUAGES:
            raise UsageError(f"There are no phrases in {language!r}. Choose one of {', '.join(OUTPUT_LANGUAGES)}.")
        self._phrases = load_default_toml(PHRASES_FILE)[language]
        self._locale = Locale.parse(language)

    def __getitem__(self, key: str) -> str:
        return str(self._phrases[key])

    def fill(self, key: str, **values: str) -> str:
        """Return a phrase with its gaps filled."""
        return self[key].format(**values)

    def doubts(self, flags: Collection[ArticleFlag]) -> list[str]:
        """Return what is doubtful about a text, besides its date."""
        return describe_flags([flag for flag in flags if flag not in DATE_FLAGS], self.language)

    def no_date(self, flags: Collection[ArticleFlag]) -> str:
        """Return why no date is shown: the site's cannot be right, or the page names none."""
        doubts = describe_flags([flag for flag in flags if flag in DATE_FLAGS], self.language)
        return doubts[0] if doubts else self["no_date"]

    def count(self, key: str, number: int) -> str:
        """Return a phrase in the plural form of the number."""
        forms: dict[str, str] = self._phrases[key]
        form = self._locale.plural_form(number)
        return forms.get(form, forms["other"]).format(n=number)

    def time(self, moment: datetime) -> str:
        """Return a day and a time of day in the reader's zone."""
        return self._format(moment, "time_format")

    def moment(self, moment: datetime) -> str:
        """Return a day, a time and its offset from UTC, for readers in another country."""
        return f"{self.time(moment)} ({self.offset(moment)})"

    def day(self, moment: datetime) -> str:
        """Return a day in the reader's zone."""
        return self._format(moment, "day_format")

    def _format(self, moment: datetime, key: str) -> str:
        return _format_time(self._convert_zone(moment).replace(tzinfo=None), self[key], self.language)

    def _convert_zone(self, moment: datetime) -> datetime:
        """Return a time in the reader's zone. A page may by mistake name a time too late to convert: it stays."""
        try:
            return moment.astimezone(self.zone)
        except OverflowError:
            return moment

    @cached_property
    def city(self) -> str:
        """The city of the reader's time zone."""
        return str(get_timezone_location(self.zone, locale=self._locale, return_city=True))

    def offset(self, moment: datetime) -> str:
        """Return the offset of the reader's zone: `UTC+5`."""
        minutes = int((self._convert_zone(moment).utcoffset() or timedelta()).total_seconds() // 60)
        hours, rest = divmod(abs(minutes), 60)
        return "UTC" + (f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "") if minutes else "")

    def tongue(self, language: str | None) -> str:
        """Return a language's name."""
        return str(self._locale.languages.get(language or "", language)) if language else self["unknown_language"]

    def section(self, name: str) -> str:
        """Return the name of a site's section. A part of an address, such as `press-materialy`, is made readable."""
        names: dict[str, str] = self._phrases["section_names"]
        if name in names or not ADDRESS_PART.fullmatch(name):
            return names.get(name, name)
        words = re.sub(r"[-_]+", " ", name)
        return words[:1].upper() + words[1:]

    def percent(self, share: float) -> str:
        """Return a share as percent."""
        return str(format_percent(share, locale=self._locale))


@lru_cache(maxsize=1024)
def _format_time(local: datetime, pattern: str, language: str) -> str:
    """Return a time without a zone by a pattern of CLDR. The last are kept: pages repeat them."""
    return str(format_datetime(local, pattern, locale=language))
