"""The languages of the interface. Catalogues are read from `locale/LANGUAGE.po` at the start: nothing is compiled.

English is the language of the message ids. A reader's language is that of `?lang=`, else of the cookie, else the first
one in `Accept-Language` that the interface has, else English.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from crawler.publish.phrases import OUTPUT_LANGUAGES

LANGUAGE_COOKIE = "language"
DEFAULT_LANGUAGE = "en"
MAX_ACCEPT_LENGTH = 500
"""Characters of an Accept-Language header that are read."""


def mark_message(message: str) -> str:
    """Return the message. It marks, for the extraction of messages, one that is translated when it is shown."""
    return message


@cache
def load_translations(language: str) -> NullTranslations:
    """Return the catalogue of a language. English has none."""
    if language == DEFAULT_LANGUAGE:
        return NullTranslations()
    data = resources.files("crawler.web").joinpath("locale", f"{language}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(data), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def choose_language(wanted: str | None, remembered: str | None, accepted: str | None) -> str:
    """Return the interface's language from the address, the cookie and the header Accept-Language."""
    for each in (wanted, remembered):
        if each in OUTPUT_LANGUAGES:
            return each
    return next((each for each in _parse_accepted(accepted or "") if each in OUTPUT_LANGUAGES), DEFAULT_LANGUAGE)


def _parse_accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language header without regions, the preferred ones first."""
    found: list[tuple[float, str]] = []
    for part in header[:MAX_ACCEPT_LENGTH].split(","):
        name, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.partition("=")[2]) if parameter else 1.0
        except ValueError:
            continue
        if weight > 0:
            found.append((-weight, name.strip().lower().partition("-")[0]))
    return [name for _, name in sorted(found, key=lambda each: each[0])]
