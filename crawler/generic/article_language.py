"""The language of an article's text: the languages of the region and English by words and letters, then any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from crawler.text.language import detect_language

MAX_CLASSIFIED_LENGTH = 2_000
MIN_CLASSIFIED_LENGTH = 20


@dataclass(frozen=True, slots=True)
class DetectedLanguage:
    """An ISO 639-1 code, and what shows it: `words and letters`, `py3langid` or `html lang`."""

    code: str
    origin: str


def find_article_language(text: str, html_language: str = "") -> DetectedLanguage | None:
    """Return the language of a text, or None. The page's own statement decides only where the text does not."""
    if own := detect_language(text):
        return DetectedLanguage(own, "words and letters")
    if len(text) >= MIN_CLASSIFIED_LENGTH and (other := _classify(text[:MAX_CLASSIFIED_LENGTH])):
        return DetectedLanguage(other, "py3langid")
    return DetectedLanguage(html_language, "html lang") if len(html_language) == 2 else None


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
