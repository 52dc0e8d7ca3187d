"""Routes of stories: articles about one event."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query

from crawler.roles import Role
from crawler.store.reading_lists import ListPlace, StoryFilter, StoryStatus
from crawler.web.api.articles import TitleLanguage
from crawler.web.api.models import StoryPage, StoryReport
from crawler.web.api.parameters import (
    LanguageName,
    ListParameters,
    Name,
    RowNumber,
    format_cursor,
    parse_cursor,
)
from crawler.web.api.routing import Context, answer_in_thread, make_router
from crawler.web.api.texts import make_story_summary, make_texts
from crawler.web.errors import PageMissing

MAX_STORY_TEXTS = 60
"""Articles of a story that one answer has with their texts."""
router = make_router("stories")


class StoryParameters(ListParameters):
    """The filters of the list of stories. They are those of the page *Today*."""

    rule: Name | None = None
    source: Name | None = None
    language: LanguageName | None = None
    status: StoryStatus | None = None
    """Stories of this status. `unseen` is meant by the user of the key."""


@router.get("/stories", response_model=StoryPage)
@answer_in_thread(Role.READER)
def list_stories(context: Context, wanted: Annotated[StoryParameters, Query()]) -> StoryPage:
    """List the stories in which a rule has a certain match, the newest first."""
    behind = ListPlace(*parse_cursor(wanted.cursor, datetime, str)) if wanted.cursor else None
    chosen = StoryFilter(
        rule=wanted.rule,
        source=wanted.source,
        language=wanted.language,
        status=wanted.status,
        reader=context.principal.name,
    )
    found = context.newsroom.store.reading_lists.list_stories(chosen, wanted.limit + 1, behind=behind)
    shown = found[: wanted.limit]
    following = None
    if len(found) > len(shown):
        following = format_cursor(shown[-1].card.active_at, shown[-1].card.article_id)
    return StoryPage(items=[make_story_summary(each) for each in shown], next=following)


@router.get("/stories/{story_id}", response_model=StoryReport)
@answer_in_thread(Role.READER)
def get_story(
    context: Context,
    story_id: Annotated[RowNumber, Path(description="The story's number.")],
    titles: TitleLanguage = "en",
) -> StoryReport:
    """Return a story with its articles, with as much of their texts as the sources allow."""
    story = context.newsroom.store.stories.get(story_id)
    if story is None:
        raise PageMissing(f"There is no story {story_id}.")
    members = [member.article for member in story.members]
    texts = make_texts(context.newsroom, members[:MAX_STORY_TEXTS], titles, with_related=False)
    return StoryReport(id=story_id, article_count=len(members), articles=texts)
