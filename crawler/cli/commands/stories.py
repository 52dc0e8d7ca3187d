"""`crawler stories` and `crawler story`: groups of articles about one event, and the owner's corrections to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import print_json
from crawler.cli.options import JsonOption, SinceOption
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.items import Article
    from crawler.store import Store, StoredStory

LANGUAGES = ("en", "kk", "ru")
MAX_NUMBER_DIGITS = 18
"""Digits of a story's number. Every number of so many digits fits into a database column."""


class StoryAction(StrEnum):
    """A correction to a story."""

    MERGE = "merge"
    SPLIT = "split"
    UNDO = "undo"


def stories(context: typer.Context, since: SinceOption = None, as_json: JsonOption = False) -> None:
    """List stories that several articles report, latest first."""
    from crawler.cli.time_options import parse_since
    from crawler.config import load_config
    from crawler.service.clustered_store import open_clustered_store
    from crawler.text.counts import format_count

    config = load_config(context.obj)
    start = parse_since(since, config.timezone)
    with open_clustered_store(config) as store:
        count = 0
        for each in store.stories.iter_newest(start):
            count += 1
            if as_json:
                print_json(story_to_dict(each))
            else:
                print(format_story(each))
        if not as_json:
            print(f"{format_count(count, 'story', 'stories')} in {store.name}.")


def story(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help="Number of the story, or id of an article in it.")],
    action: Annotated[
        StoryAction | None,
        typer.Argument(metavar="ACTION", help="merge ID: join another story; split ARTICLE: take it out; undo."),
    ] = None,
    target: Annotated[
        str | None, typer.Argument(metavar="TARGET", help="Number of the other story, or id of the article.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a story with its articles, or correct it.

    A correction (merge, split) is kept and overrides what is computed, until you undo it.
    """
    from crawler.config import load_config
    from crawler.service.clustered_store import open_clustered_store

    config = load_config(context.obj)
    with open_clustered_store(config) as store:
        number = _find_story_id(store, name)
        if action is not None:
            number = _apply_action(store, number, action, target, name)
        found = store.stories.get(number) if number is not None else None
        if found is None and action is None:
            raise UsageError(_explain_no_story(name))
        if found is None:
            undo = "" if action is StoryAction.UNDO else f"; `crawler story {target} undo` takes that back"
            print(f"Story {name} has no two articles left and is gone{undo}.")
            return
        from crawler.publish.releases import format_releases, get_source_languages

        languages = get_source_languages(config)
        if as_json:
            print_json(story_to_dict(found, languages))
            return
        print(format_story(found, with_articles=True))
        for line in format_releases([member.article for member in found.members], languages):
            print(f"    {line}")


def _find_story_id(store: Store, name: str) -> int | None:
    """Return the number of a story, or of the story that an article is in, or None if it is in none."""
    if name.isdecimal():
        return _parse_story_number(name)
    if store.articles.get_state(name) is None:
        raise UsageError(f"{name!r} is neither a story's number nor an article's id; `crawler stories` lists both.")
    return store.stories.get_id_by_article(name)


def _parse_story_number(text: str) -> int:
    """Return a story's number. Raise UsageError for one that no database holds."""
    if len(text) > MAX_NUMBER_DIGITS:
        raise UsageError(_explain_no_story(text))
    return int(text)


def _explain_no_story(name: str) -> str:
    if name.isdecimal():
        return f"There is no story {name}; `crawler stories` lists the stories."
    return f"{name} is in no story: no other article reports the same event."


def _apply_action(store: Store, number: int | None, action: StoryAction, target: str | None, name: str) -> int | None:
    """Store a correction. Return the number of the story to show, or None."""
    now = datetime.now(UTC)
    if action is StoryAction.UNDO:
        store.stories.undo(_parse_story_number(name) if name.isdecimal() else name, now)
        return _find_story_id(store, name)
    if number is None:
        raise UsageError(_explain_no_story(name))
    if target is None:
        needed = "the other story's number" if action is StoryAction.MERGE else "the article's id"
        raise UsageError(f"story {number} {action} needs {needed}.")
    if action is StoryAction.SPLIT:
        store.stories.split(number, target, now)
        return number
    if not target.isdecimal():
        raise UsageError(f"story {number} merge needs a story's number, not {target!r}.")
    return store.stories.merge(number, _parse_story_number(target), now)


def story_to_dict(story: StoredStory, languages: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """Return a story as JSON values. Articles that are one text have the same `cluster`.

    With the languages of sources, `releases` says what is missing, late (hours) and different in numbers.
    """
    members = [
        {
            "id": member.article.id,
            "cluster": member.cluster,
            "source": member.article.source,
            "language": member.article.language,
            "title": member.article.title,
            "published_at": member.article.to_dict()["published_at"],
            "matched": member.article.is_matched,
            "url": member.article.url,
        }
        for member in story.members
    ]
    values: dict[str, Any] = {"id": story.id, "articles": members}
    if languages is not None:
        from crawler.publish.releases import release_to_dict
        from crawler.similarity.language_versions import list_releases

        found = list_releases([member.article for member in story.members], languages)
        values["releases"] = [release_to_dict(each) for each in found]
    return values


def format_story(story: StoredStory, *, with_articles: bool = False) -> str:
    """Return a story's first headline and sources as lines; with articles, also a line for each."""
    from crawler.text.counts import format_count

    articles = [member.article for member in story.members]
    sources = ", ".join(sorted({article.source for article in articles}))
    texts = format_count(len({member.cluster for member in story.members}), "text")
    times = "; ".join(_format_first_times(articles))
    lines = [
        f"story {story.id}  {articles[0].headline}",
        f"    {format_count(len(articles), 'article')}, {texts}, {sources}; {times}",
    ]
    if with_articles:
        clusters = dict.fromkeys(member.cluster for member in story.members)
        numbers = {cluster: number for number, cluster in enumerate(clusters, start=1)}
        lines += [f"    text {numbers[member.cluster]}  {_format_member(member.article)}" for member in story.members]
    return "\n".join(lines)


def _format_first_times(articles: Sequence[Article]) -> list[str]:
    """Return when each language was first published, such as "ru 2026-01-31 10:15" or "kk: none"."""
    first: dict[str, datetime | None] = {}
    for article in articles:
        first.setdefault(article.language or "?", article.published_at)
    missing = [f"{language}: none" for language in LANGUAGES if language not in first]
    return sorted([*missing, *(f"{language} {_format_published(at)}" for language, at in first.items())])


def _format_published(published: datetime | None) -> str:
    return f"{published:%Y-%m-%d %H:%M}" if published else "no date"


def _format_member(article: Article) -> str:
    return f"{_format_published(article.published_at)}  {article.id}  {article.headline}  {article.url}"
