"""The language versions of one release, side by side: which are there, which came late, whose numbers differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crawler.items import Article
from crawler.text.number_words import find_stated_numbers, find_written_digits


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedRelease:
    """One release of a source (`native_id`) in its languages.

    `times` are when each language was published (aware), the first one first and unknown ones last; `missing` are
    languages that the source has and this release has not. `lacking` holds, for a language, the numbers that other
    versions write in digits and this one does not have at all.
    """

    source: str
    native_id: str
    times: Mapping[str, datetime | None]
    missing_languages: tuple[str, ...]
    missing_numbers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def get_delay(self, language: str) -> timedelta | None:
        """How long after the first version this one came, None where a time is unknown."""
        first, own = next(iter(self.times.values())), self.times[language]
        return own - first if first and own else None


def list_releases(articles: Sequence[Article], languages: Mapping[str, Sequence[str]]) -> list[TranslatedRelease]:
    """The releases among articles of a story. `languages` are those a source publishes in, by source; sources it does
    not name have no versions."""
    grouped: dict[tuple[str, str], dict[str, Article]] = {}
    for article in articles:
        if article.source in languages and article.language:
            grouped.setdefault((article.source, article.native_id), {})[article.language] = article
    return [
        _make_release(source, native_id, versions, languages[source])
        for (source, native_id), versions in grouped.items()
    ]


def _make_release(
    source: str, native_id: str, versions: Mapping[str, Article], languages: Sequence[str]
) -> TranslatedRelease:
    def when(language: str) -> tuple[bool, float]:
        moment = versions[language].published_at
        return moment is None, moment.timestamp() if moment else 0.0

    lacking = _find_missing_numbers({language: article.body for language, article in versions.items()})
    return TranslatedRelease(
        source=source,
        native_id=native_id,
        times={language: versions[language].published_at for language in sorted(versions, key=when)},
        missing_languages=tuple(language for language in languages if language not in versions),
        missing_numbers={language: found for language, found in lacking.items() if found},
    )


def _find_missing_numbers(texts: Mapping[str, str]) -> dict[str, tuple[float, ...]]:
    """A number that a version has in words ("three delegates") is not missed in another: words are left out freely."""
    any_form = {language: find_stated_numbers(text) for language, text in texts.items()}
    digits = {language: find_written_digits(text) for language, text in texts.items()}
    return {
        language: tuple(sorted(set().union(*(digits[o] for o in texts if o != language)) - any_form[language]))
        for language in texts
    }
