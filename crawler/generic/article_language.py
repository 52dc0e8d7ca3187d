"""The language of an article's text: the project's own languages, the region's by words and letters, then any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from crawler.defaults import load_default_toml
from crawler.text.language import detect_language

MAX_WORDS = 300
MIN_WORD_SHARE = 0.03
"""Share of a language's most common words from which a text may be in it."""
OWN_LETTER_WEIGHT = 3.0
LACKING_LETTER_WEIGHT = 6.0
MAX_CLASSIFIED_LENGTH = 2_000
MIN_CLASSIFIED_LENGTH = 20


@dataclass(frozen=True, slots=True)
class DetectedLanguage:
    """An ISO 639-1 code, and what shows it: `letters`, `words and letters`, `py3langid` or `html lang`."""

    code: str
    origin: str


@dataclass(frozen=True, slots=True)
class _RegionLanguage:
    code: str
    words: frozenset[str]
    letters: frozenset[str]
    lacking: frozenset[str]


def find_article_language(text: str, html_language: str = "") -> DetectedLanguage | None:
    """Return the language of a text, or None. The page's own statement decides only where the text does not."""
    if region := find_region_language(text):
        return DetectedLanguage(region, "words and letters")
    if own := detect_language(text):
        return DetectedLanguage(own, "letters")
    if len(text) >= MIN_CLASSIFIED_LENGTH and (other := _classify(text[:MAX_CLASSIFIED_LENGTH])):
        return DetectedLanguage(other, "py3langid")
    return DetectedLanguage(html_language, "html lang") if len(html_language) == 2 else None


def find_region_language(text: str) -> str | None:
    """Return `ky`, `uz` or `tg` for a text in one of them, None for any other.

    >>> find_region_language("Президент өлкөнүн башчысы менен жолукту жана сүйлөштү")
    'ky'
    """
    words = [word.replace("ʻ", "'").replace("‘", "'").replace("’", "'") for word in _list_words(text)]
    if not words:
        return None
    scores = {language: _score_language(language, words) for language in _load_languages()}
    best = max(scores, key=lambda language: scores[language])
    return best.code if scores[best] >= MIN_WORD_SHARE and best.code in ("ky", "uz", "tg") else None


def _list_words(text: str) -> list[str]:
    text = text.lower().replace("ʻ", "'").replace("‘", "'").replace("’", "'").replace("ʼ", "'")
    return text.split(None, MAX_WORDS)[:MAX_WORDS]


def _score_language(language: _RegionLanguage, words: list[str]) -> float:
    """Return the share of common words, more for the language's own letters, less for those that it lacks."""
    known = own = lacking = 0
    for word in words:
        letters = word.strip('.,:;!?()«»"“”')
        known += letters in language.words
        own += not language.letters.isdisjoint(letters)
        lacking += not language.lacking.isdisjoint(letters)
    share = 1 / len(words)
    if not known and not own:
        return 0.0
    return share * (known + OWN_LETTER_WEIGHT * own / 10 - LACKING_LETTER_WEIGHT * lacking)


@cache
def _load_languages() -> tuple[_RegionLanguage, ...]:
    return tuple(
        _RegionLanguage(
            each["code"],
            frozenset(word.replace("ʻ", "'").replace("‘", "'") for word in each["words"]),
            frozenset(each["letters"]),
            frozenset(each["lacking"]),
        )
        for each in load_default_toml("region_languages.toml")["language"]
    )


@cache
def _load_classifier() -> Mapping[str, object] | None:
    try:
        import py3langid
    except ImportError:
        return None
    return {"classify": py3langid.classify}


def _classify(text: str) -> str | None:
    classifier = _load_classifier()
    if classifier is None:
        return None
    code: str = classifier["classify"](text)[0]  # type: ignore[operator]
    return code
