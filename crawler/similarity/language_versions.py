"""Compare the language versions of one release: which are missing, which came late, whose numbers differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crawler.items import Article
from crawler.text.numbers import find_stated_numbers, find_written_digits


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedRelease:
    """One release of a source (`native_id`) in its languages.

    `times` are when each language was published (aware), the first one first, unknown ones last. `missing_languages`
    are those of the source that the release does not have. `missing_numbers` are, by language, the numbers that other
    versions write in digits and this one does not have in any form.
    """

    source: str
    native_id: str
    times: Mapping[str, datetime | None]
    missing_languages: tuple[str, ...]
    missing_numbers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def get_delay(self, language: str) -> timedelta | None:
        """Return how long after the first version this one came, None if a time is unknown."""
        first, own = next(iter(self.times.values())), self.times[language]
        return own - first if first and own else None


def list_releases(articles: Sequence[Article], languages: Mapping[str, Sequence[str]]) -> list[TranslatedRelease]:
    """Return the releases among articles. `languages` are those of each source; other sources have no translations."""
    versions: dict[tuple[str, str], dict[str, Article]] = {}
    for article in articles:
        if article.source in languages and article.language:
            versions.setdefault((article.source, article.native_id), {})[article.language] = article
    return [_make_release(by_language, languages[source]) for (source, _), by_language in versions.items()]


def _make_release(versions: Mapping[str, Article], languages: Sequence[str]) -> TranslatedRelease:
    def get_sort_key(language: str) -> tuple[bool, float]:
        published_at = versions[language].published_at
        return published_at is None, published_at.timestamp() if published_at else 0.0

    first = next(iter(versions.values()))
    missing_numbers = _find_missing_numbers({language: article.body for language, article in versions.items()})
    return TranslatedRelease(
        source=first.source,
        native_id=first.native_id,
        times={language: versions[language].published_at for language in sorted(versions, key=get_sort_key)},
        missing_languages=tuple(language for language in languages if language not in versions),
        missing_numbers={language: numbers for language, numbers in missing_numbers.items() if numbers},
    )


def _find_missing_numbers(texts: Mapping[str, str]) -> dict[str, tuple[float, ...]]:
    """Return the digits of other versions that a version lacks. Words ("three delegates") are often left out freely."""
    stated = {language: find_stated_numbers(text) for language, text in texts.items()}
    digits = {language: find_written_digits(text) for language, text in texts.items()}
    return {
        language: tuple(sorted(set().union(*(digits[o] for o in texts if o != language)) - stated[language]))
        for language in texts
    }
