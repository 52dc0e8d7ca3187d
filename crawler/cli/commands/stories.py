"""`crawler stories` and `crawler story`: articles about one event, told once; and a person's word about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crawler.cli import releases as languages
from crawler.cli import time_options as moment
from crawler.cli.releases import format_published as moment_of
from crawler.errors import UsageError
from crawler.similarity.translations import list_releases
from crawler.text.counts import format_count

if TYPE_CHECKING:
    from crawler.items import Article
    from crawler.store import Store, StoredStory


class StoryAction(StrEnum):
    """What a person may say about a story."""

    MERGE = "merge"
    SPLIT = "split"
    UNDO = "undo"


def stories(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option(help="A day, a time with offset, or an age: 2026-01-31, 36h, 90d.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines for machines.")] = False,
) -> None:
    """List the stories that several articles tell, the latest first."""
    from crawler.config import load_config

    config = load_config(context.obj)
    start = moment.parse_since(since, config.timezone)
    with open_clustered_store(context.obj) as store:
        number = 0
        for found in store.stories.iter_newest(start):
            number += 1
            typer.echo(json.dumps(story_to_dict(found), ensure_ascii=False) if as_json else format_story(found))
        if not as_json:
            typer.echo(f"{format_count(number, 'story', 'stories')} in {store.name}.")


def story(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="ID", help="The story's number, as `crawler stories` shows it, or an article's id.")
    ],
    act: Annotated[
        StoryAction | None,
        typer.Argument(help="merge ID: both are one; split ARTICLE: it is none of this; undo: the last word."),
    ] = None,
    what: Annotated[str | None, typer.Argument(help="The other story's number, or the article's id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for machines.")] = False,
) -> None:
    """Show a story with its articles; or merge, split, undo: a person's word, kept and respected ever after."""
    with open_clustered_store(context.obj) as store:
        number = _find_story_id(store, name)
        if act is not None:
            number = _apply_action(store, number, act, what, name)
        found = store.stories.get(number) if number is not None else None
        if found is None and act is None:
            raise UsageError(_explain_no_story(name))
        if found is None:
            undone = "" if act is StoryAction.UNDO else f"; `crawler story {what} undo` takes that back"
            typer.echo(f"Story {name} has no two articles left and is gone{undone}.")
        else:
            from crawler.config import load_config

            publishing = languages.get_source_languages(load_config(context.obj))
            members = [member.article for member in found.members]
            typer.echo(
                json.dumps(story_to_dict(found, publishing), ensure_ascii=False)
                if as_json
                else "\n".join(
                    [
                        format_story(found, whole=True),
                        *(f"    {line}" for line in languages.format_releases(members, publishing)),
                    ]
                )
            )


def open_clustered_store(config_path: Path | None) -> Store:
    """The store, with everything in it judged."""
    from crawler.config import load_config
    from crawler.similarity.semantic import load_embedding
    from crawler.store import open_store

    config = load_config(config_path)
    reads = load_embedding() if config.semantic else None
    store = open_store(config.database_url)
    store.stories.clusters__assign_pending(ZoneInfo(config.timezone), embedding=reads)
    return store


def _find_story_id(store: Store, name: str) -> int | None:
    """The story's number; of an article the story it is in, None for none."""
    if name.isdecimal():
        return int(name)
    if store.articles.get_state(name) is None:
        raise UsageError(f"{name!r} is neither a story's number nor an article's id; `crawler stories` lists both.")
    return store.stories.get_id_by_article(name)


def _explain_no_story(name: str) -> str:
    if name.isdecimal():
        return f"There is no story {name}; `crawler stories` lists those there are."
    return f"{name} stands alone: no other article tells its story."


def _apply_action(store: Store, number: int | None, act: StoryAction, what: str | None, name: str) -> int | None:
    now = datetime.now(UTC)
    if act is StoryAction.UNDO:
        store.stories.undo(int(name) if name.isdecimal() else name, now)
        return _find_story_id(store, name)
    if number is None:
        raise UsageError(_explain_no_story(name))
    if what is None:
        wanted = "the other story's number" if act is StoryAction.MERGE else "the article's id"
        raise UsageError(f"story {number} {act} needs {wanted}.")
    if act is StoryAction.SPLIT:
        store.stories.split(number, what, now)
        return number
    if not what.isdecimal():
        raise UsageError(f"story {number} merge needs a story's number, not {what!r}.")
    return store.stories.merge(number, int(what), now)


def story_to_dict(found: StoredStory, publishing: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """A story as plain JSON values; `cluster` is equal for articles that are one text. Given the languages of sources,
    it has `releases` with what is missing, late (hours) and different in numbers."""
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
        for member in found.members
    ]
    values: dict[str, Any] = {"id": found.id, "articles": members}
    if publishing is not None:
        members_of = list_releases([member.article for member in found.members], publishing)
        values["releases"] = [languages.release_to_dict(one) for one in members_of]
    return values


def format_story(found: StoredStory, *, whole: bool = False) -> str:
    """A story for a person: its first headline, who tells it; with `whole` each article on a line."""
    articles = [member.article for member in found.members]
    sources = ", ".join(sorted({article.source for article in articles}))
    texts = len({member.cluster for member in found.members})
    times = "; ".join(_format_first_times(articles))
    lines = [
        f"story {found.id}  {articles[0].headline}",
        f"    {format_count(len(articles), 'article')}, {format_count(texts, 'text')}, {sources}; {times}",
    ]
    if whole:
        clusters = {cluster: at for at, cluster in enumerate(dict.fromkeys(m.cluster for m in found.members), start=1)}
        lines += [f"    text {clusters[member.cluster]}  {_format_member(member.article)}" for member in found.members]
    return "\n".join(lines)


def _format_first_times(articles: list[Article]) -> list[str]:
    """When each language came first; "kk: none" for one of the three that is missing."""
    first: dict[str, datetime | None] = {}
    for article in articles:
        first.setdefault(article.language or "?", article.published_at)
    listed = [f"{language}: none" for language in ("en", "kk", "ru") if language not in first]
    return sorted(
        [
            *listed,
            *(
                f"{language} {when:%Y-%m-%d %H:%M}" if when else f"{language} no date"
                for language, when in first.items()
            ),
        ]
    )


def _format_member(article: Article) -> str:
    return f"{moment_of(article.published_at)}  {article.id}  {article.headline}  {article.url}"
