"""Routes of articles, their versions, and what a version changed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query

from crawler.items import Article, Strength, Verdict
from crawler.publish.builder import EntryRequest
from crawler.roles import Role
from crawler.store.article_lists import ArticleFilter
from crawler.store.reading_lists import ListPlace
from crawler.web.api.models import ArticleList, ArticleText, VersionDiff, VersionPage, VersionRow
from crawler.web.api.parameters import (
    ArticleId,
    LanguageName,
    ListParameters,
    MomentText,
    Name,
    ReaderLanguage,
    RowNumber,
    format_cursor,
    parse_cursor,
    parse_row_cursor,
)
from crawler.web.api.routing import ApiContext, Context, answer_in_thread, make_router
from crawler.web.api.texts import make_diff, make_summary, make_texts
from crawler.web.errors import BadAddress, PageMissing
from crawler.web.newsroom import Newsroom

router = make_router("articles")
ArticlePath = Annotated[ArticleId, Path(description="The article's id: `mfa:1012345:ru`.")]
VersionPath = Annotated[RowNumber, Path(description="The number of a version.")]
TitleLanguage = Annotated[ReaderLanguage, Query(description="The language of the sources' titles.")]


class MatchFilter(StrEnum):
    """Which articles a list has, by their matches."""

    STRONG = "strong"
    NONE = "none"
    ANY = "any"


class ArticleParameters(ListParameters):
    """The filters of the list of articles."""

    match: MatchFilter = MatchFilter.STRONG
    """`strong`: articles with a certain match. `none`: the others. `any`: all articles."""
    rule: Name | None = None
    """Articles in which this rule finds something."""
    source: Name | None = None
    language: LanguageName | None = None
    verdict: Verdict | None = None
    since: MomentText | None = None
    """Articles from this time on. An article's time is its publication, else when it was first read."""
    until: MomentText | None = None
    """Articles before this time."""


@router.get("/articles", response_model=ArticleList)
@answer_in_thread(Role.READER)
def list_articles(context: Context, wanted: Annotated[ArticleParameters, Query()]) -> ArticleList:
    """List the articles, the newest first. By default, those in which a rule has a certain match."""
    behind = ListPlace(*parse_cursor(wanted.cursor, datetime, str)) if wanted.cursor else None
    chosen = ArticleFilter(
        matched=None if wanted.match is MatchFilter.ANY else wanted.match is MatchFilter.STRONG,
        rule=wanted.rule,
        source=wanted.source,
        language=wanted.language,
        verdict=wanted.verdict,
        since=wanted.since,
        until=wanted.until,
    )
    found = context.newsroom.store.article_lists.list_newest(chosen, wanted.limit + 1, behind=behind)
    shown = found[: wanted.limit]
    following = format_cursor(shown[-1].dated_at, shown[-1].id) if len(found) > len(shown) else None
    return ArticleList(items=[make_summary(each) for each in shown], next=following)


@router.get("/articles/{article_id:path}/versions/{version}/diff", response_model=VersionDiff)
@answer_in_thread(Role.READER)
def get_diff(
    context: Context,
    article_id: ArticlePath,
    version: VersionPath,
    base: Annotated[RowNumber | None, Query(description="An earlier version to compare with.")] = None,
) -> VersionDiff:
    """Return what a version changed, as far as the source allows. A first version has no diff (404)."""
    article = get_stored_article(context, article_id, version)
    if base is not None and base >= version:
        raise BadAddress("`base` must be an earlier version.")
    request = EntryRequest(
        article=article, strength=Strength.WEAK, with_edits=True, with_related=False, base_version=base
    )
    (entry,) = context.newsroom.entry_builder.build([request])
    if entry.severity is None or entry.base_version is None:
        raise PageMissing(f"Version {version} of {article_id} has no version to compare it with.")
    return make_diff(entry)


@router.get("/articles/{article_id:path}/versions/{version}", response_model=ArticleText)
@answer_in_thread(Role.READER)
def get_version(
    context: Context, article_id: ArticlePath, version: VersionPath, titles: TitleLanguage = "en"
) -> ArticleText:
    """Return a version of an article, with as much of its text as the source allows."""
    return make_single_text(context.newsroom, get_stored_article(context, article_id, version), titles)


@router.get("/articles/{article_id:path}/versions", response_model=VersionPage)
@answer_in_thread(Role.READER)
def list_versions(context: Context, article_id: ArticlePath, wanted: Annotated[ListParameters, Query()]) -> VersionPage:
    """List the versions of an article, the newest first."""
    store = context.newsroom.store
    if store.articles.get_state(article_id) is None:
        raise PageMissing(f"{article_id} is not stored.")
    before = parse_row_cursor(wanted.cursor)
    found = store.reading_lists.list_versions(article_id, wanted.limit + 1, before=before)
    shown = found[: wanted.limit]
    return VersionPage(
        items=[
            VersionRow(version=each.version, verdict=each.verdict, seen_at=each.seen_at, severity=each.severity)
            for each in shown
        ],
        next=format_cursor(shown[-1].version) if len(found) > len(shown) else None,
    )


@router.get("/articles/{article_id:path}", response_model=ArticleText)
@answer_in_thread(Role.READER)
def get_article(context: Context, article_id: ArticlePath, titles: TitleLanguage = "en") -> ArticleText:
    """Return the current version of an article, with as much of its text as the source allows."""
    return make_single_text(context.newsroom, get_stored_article(context, article_id), titles)


def get_stored_article(context: ApiContext, article_id: str, version: int | None = None) -> Article:
    """Return a stored version (None: the current one). Raise PageMissing."""
    article = context.newsroom.store.articles.get(article_id, version)
    if article is None:
        name = article_id if version is None else f"Version {version} of {article_id}"
        raise PageMissing(f"{name} is not stored.")
    return article


def make_single_text(newsroom: Newsroom, article: Article, language: str) -> ArticleText:
    """Return the only article of an answer."""
    return make_texts(newsroom, [article], language)[0]
