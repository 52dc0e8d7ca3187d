"""The language versions of a release, for people and machines: which are there, missing, late, different in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crawler.config import Config
from crawler.dedupe.languages import Release, releases
from crawler.health.cadence import HOUR, span
from crawler.items import Article
from crawler.store import Store


def published_in(config: Config) -> dict[str, tuple[str, ...]]:
    """The languages of each source that publishes in several, as the owner asks for them."""
    from crawler import spiders

    found: dict[str, tuple[str, ...]] = {}
    for name in spiders.names():
        own: tuple[str, ...] = getattr(spiders.load(name), "languages", ())
        found[name] = config.source(name).languages or own
    return {name: languages for name, languages in found.items() if len(languages) > 1}


def release_of(store: Store, config: Config, article: Article) -> Release | None:
    """The release that an article is a language version of; None for a source that publishes in one language."""
    known = store.articles.known(article.source, [article.native_id]).get(article.native_id, [])
    versions = [found for each in known if (found := store.articles.get(each.id)) is not None]
    return next(iter(releases(versions, published_in(config))), None)


def lines(articles: Sequence[Article], languages: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each release among articles."""
    return [f"{one.source} {one.native_id}: {line(one)}" for one in releases(articles, languages)]


def line(release: Release) -> str:
    """Which language came when, which is missing, whose numbers differ."""
    parts = [f"{missing}: none" for missing in release.missing]
    for at, (language, when) in enumerate(release.times.items()):
        late = release.late(language)
        told_late = at and late is not None
        parts.append(f"{language} +{span(late)}" if told_late and late else f"{language} {moment(when)}")
    parts += [
        f"{language} lacks {', '.join(f'{number:g}' for number in numbers)}, which another version has"
        for language, numbers in release.lacking.items()
    ]
    return "; ".join(parts)


def values(release: Release) -> dict[str, Any]:
    """A release as plain JSON values; lateness in hours."""
    late = {language: release.late(language) for language in release.times}
    return {
        "source": release.source,
        "native_id": release.native_id,
        "published_at": {language: when.isoformat() if when else None for language, when in release.times.items()},
        "missing": list(release.missing),
        "late_hours": {language: round(each / HOUR, 2) for language, each in late.items() if each},
        "lacking_numbers": {language: list(found) for language, found in release.lacking.items()},
    }


def moment(when: datetime | None) -> str:
    """A time as the page gives it."""
    return f"{when:%Y-%m-%d %H:%M}" if when else "no date"
