"""The language versions of a press release as lines and JSON: published, missing, late, or with other numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crawler.config import Config
from crawler.items import Article
from crawler.monitoring.publishing_rate import HOUR, format_duration
from crawler.similarity.language_versions import TranslatedRelease, list_releases
from crawler.store import Store


def get_source_languages(config: Config) -> dict[str, tuple[str, ...]]:
    """Return the languages of each source that publishes in several: the configured ones, else the spider's."""
    from crawler import spiders

    languages: dict[str, tuple[str, ...]] = {}
    for name, spider in spiders.load_spiders().items():
        own: tuple[str, ...] = getattr(spider, "languages", ())
        languages[name] = config.get_source(name).languages or own
    return {name: each for name, each in languages.items() if len(each) > 1}


def find_release(store: Store, config: Config, article: Article) -> TranslatedRelease | None:
    """Return the release that an article is a language version of, or None if its source has one language."""
    known = store.articles.get_states(article.source, [article.native_id]).get(article.native_id, [])
    versions = [found for each in known if (found := store.articles.get(each.id)) is not None]
    return next(iter(list_releases(versions, get_source_languages(config))), None)


def format_releases(articles: Sequence[Article], languages: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line for each release among the articles."""
    return [f"{each.source} {each.native_id}: {format_release(each)}" for each in list_releases(articles, languages)]


def format_release(release: TranslatedRelease) -> str:
    """Return when each language was published, which is missing, and whose numbers differ."""
    parts = [f"{missing}: none" for missing in release.missing_languages]
    for index, (language, published) in enumerate(release.times.items()):
        delay = release.get_delay(language)
        is_late = index > 0 and delay is not None
        parts.append(
            f"{language} +{format_duration(delay)}"
            if is_late and delay
            else f"{language} {format_published(published)}"
        )
    parts += [
        f"{language} lacks {', '.join(f'{number:g}' for number in numbers)}, which another version has"
        for language, numbers in release.missing_numbers.items()
    ]
    return "; ".join(parts)


def release_to_dict(release: TranslatedRelease) -> dict[str, Any]:
    """Return a release as JSON values. Delays are in hours."""
    delays = {language: release.get_delay(language) for language in release.times}
    return {
        "source": release.source,
        "native_id": release.native_id,
        "published_at": {
            language: published.isoformat() if published else None for language, published in release.times.items()
        },
        "missing": list(release.missing_languages),
        "late_hours": {language: round(delay / HOUR, 2) for language, delay in delays.items() if delay},
        "lacking_numbers": {language: list(numbers) for language, numbers in release.missing_numbers.items()},
    }


def format_published(published: datetime | None) -> str:
    """Return a time of publication in the page's own time zone."""
    return f"{published:%Y-%m-%d %H:%M}" if published else "no date"
