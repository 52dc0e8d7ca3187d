"""Story: the articles about one event, what differs between their texts, and what happened in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response

from crawler.items import Article, Verdict
from crawler.publish.releases import get_source_languages
from crawler.similarity.language_versions import list_releases
from crawler.store import Decision, Store, StoredStory
from crawler.store.article_cards import ArticleCard
from crawler.store.reading_lists import VersionSummary
from crawler.web.access import get_principal
from crawler.web.errors import PageMissing
from crawler.web.forms import MAX_ROW_NUMBER
from crawler.web.pages.actions import get_work_state, list_assignees, list_news_versions
from crawler.web.rendering import PageRenderer

MAX_STORY_TEXTS = 60
"""Articles that a story's page shows."""
MAX_VERSIONS_SHOWN = 20
"""Versions of one article in the timeline."""


class StepKind(StrEnum):
    """What happened to a story at one time."""

    PUBLISHED = "published"
    FOUND = "found"
    VERSION = "version"
    NOTIFIED = "notified"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryStep:
    """One line of a story's timeline. `at` is aware."""

    at: datetime
    kind: StepKind
    article: Article
    version: VersionSummary | None = None
    subscription: str | None = None
    message_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryText:
    """One text of a story: its articles are the same text at several addresses. `card` is that of the first matched."""

    first: Article
    copies: tuple[Article, ...]
    card: ArticleCard | None


def show_story(site: PageRenderer, request: Request) -> Response:
    """Return the page of a story."""
    store = site.newsroom.store
    number = request.path_params["story_id"]
    story = store.stories.get(number) if 0 < number <= MAX_ROW_NUMBER else None
    if story is None:
        raise PageMissing(f"There is no story {number}.")
    members = [member.article for member in story.members][:MAX_STORY_TEXTS]
    texts = list_texts(store, story)
    # The story takes the headline in the reader's language if there is one, else the first.
    reader = site.make_reader(request)
    titled = next((each for each in members if each.language == reader.language), members[0])
    releases = [
        each
        for each in list_releases(members, get_source_languages(site.newsroom.config))
        if each.missing_languages or each.missing_numbers or len(each.times) > 1
    ]
    rules = dict.fromkeys(match.rule for article in members for match in article.matches)
    return site.render(
        request,
        "story.html",
        reader=reader,
        story=story,
        titled=titled,
        texts=texts,
        people=list_assignees(site.newsroom, get_principal(request)),
        work=get_work_state(store, list_news_versions(store, members), get_principal(request).name),
        hidden_count=len(story.members) - len(members),
        releases=releases,
        steps=sorted(list_steps(store, members), key=lambda step: step.at),
        rules={rule: _list_surfaces(members, rule) for rule in rules},
        sources=list(dict.fromkeys(article.source for article in members)),
    )


def list_texts(store: Store, story: StoredStory) -> list[StoryText]:
    """Return the texts of a story, the first one first, each with its copies."""
    clusters: dict[int, list[Article]] = {}
    for member in story.members[:MAX_STORY_TEXTS]:
        clusters.setdefault(member.cluster, []).append(member.article)
    # Language versions of one release may be one cluster, but they are not the same text.
    texts: list[StoryText] = []
    for articles in clusters.values():
        by_language: dict[str | None, list[Article]] = {}
        for article in articles:
            by_language.setdefault(article.language, []).append(article)
        for first, *copies in by_language.values():
            card = next((found for each in (first, *copies) if (found := store.cards.get(each.id))), None)
            texts.append(StoryText(first=first, copies=tuple(copies), card=card))
    return texts


def list_steps(store: Store, members: Sequence[Article]) -> Iterator[StoryStep]:
    """Yield what happened to a story's articles: published, found, changed, and who was notified."""
    told: set[int] = set()
    for article in members:
        versions = store.reading_lists.list_versions(article.id, MAX_VERSIONS_SHOWN)
        state = store.articles.get_state(article.id)
        if state is not None:
            yield StoryStep(at=state.first_seen_at, kind=StepKind.FOUND, article=article)
        if article.published_at is not None and state is not None and article.published_at <= state.first_seen_at:
            yield StoryStep(at=article.published_at, kind=StepKind.PUBLISHED, article=article)
        for version in versions:
            if version.version > 1 and version.verdict not in (Verdict.NEW, Verdict.REPROCESSED):
                yield StoryStep(at=version.seen_at, kind=StepKind.VERSION, article=article, version=version)
        for notification in store.notifications.list_by_article(article.id):
            message_id = notification.message_id
            if notification.decision is Decision.SKIP or message_id is None or message_id in told:
                continue
            told.add(message_id)
            yield StoryStep(
                at=notification.decided_at,
                kind=StepKind.NOTIFIED,
                article=article,
                subscription=notification.subscription,
                message_id=message_id,
            )


def _list_surfaces(members: Sequence[Article], rule: str) -> list[tuple[str, str | None]]:
    """Return the words with which a rule matched, each once, with the article's language."""
    found = {
        match.surface.casefold(): (match.surface, article.language)
        for article in members
        for match in article.matches
        if match.rule == rule
    }
    return list(found.values())[:8]
