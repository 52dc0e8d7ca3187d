"""The language versions of a release, for people and machines: which are there, missing, late, different in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crawler.config import Config
from crawler.items import Article
from crawler.monitoring.publishing_rate import HOUR, format_duration
from crawler.similarity.translations import TranslatedRelease, list_releases
from crawler.store import Store


def get_source_languages(config: Config) -> dict[str, tuple[str, ...]]:
    """The languages of each source that publishes in several, as the owner asks for them."""
    from crawler import spiders

    found: dict[str, tuple[str, ...]] = {}
    for name in spiders.list_names():
        own: tuple[str, ...] = getattr(spiders.load_spider(name), "languages", ())
        found[name] = config.get_source(name).languages or own
    return {name: languages for name, languages in found.items() if len(languages) > 1}


def find_release(store: Store, config: Config, article: Article) -> TranslatedRelease | None:
    """The release that an article is a language version of; None for a source that publishes in one language."""
    known = store.articles.get_states(article.source, [article.native_id]).get(article.native_id, [])
    versions = [found for each in known if (found := store.articles.get(each.id)) is not None]
    return next(iter(list_releases(versions, get_source_languages(config))), None)


def format_releases(articles: Sequence[Article], languages: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each release among articles."""
    return [f"{one.source} {one.native_id}: {format_release(one)}" for one in list_releases(articles, languages)]


def format_release(release: TranslatedRelease) -> str:
    """Which language came when, which is missing, whose numbers differ."""
    parts = [f"{missing}: none" for missing in release.missing_languages]
    for at, (language, when) in enumerate(release.times.items()):
        late = release.get_delay(language)
        told_late = at and late is not None
        parts.append(
            f"{language} +{format_duration(late)}" if told_late and late else f"{language} {format_published(when)}"
        )
    parts += [
        f"{language} lacks {', '.join(f'{number:g}' for number in numbers)}, which another version has"
        for language, numbers in release.missing_numbers.items()
    ]
    return "; ".join(parts)


def release_to_dict(release: TranslatedRelease) -> dict[str, Any]:
    """A release as plain JSON values; lateness in hours."""
    late = {language: release.get_delay(language) for language in release.times}
    return {
        "source": release.source,
        "native_id": release.native_id,
        "published_at": {language: when.isoformat() if when else None for language, when in release.times.items()},
        "missing": list(release.missing_languages),
        "late_hours": {language: round(each / HOUR, 2) for language, each in late.items() if each},
        "lacking_numbers": {language: list(found) for language, found in release.missing_numbers.items()},
    }


def format_published(when: datetime | None) -> str:
    """A time as the page gives it."""
    return f"{when:%Y-%m-%d %H:%M}" if when else "no date"
