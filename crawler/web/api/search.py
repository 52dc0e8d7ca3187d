"""The route of the search."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints

from crawler.keywords.query import Facet, QueryNode
from crawler.publish.search import ArticleSearch, SearchHit
from crawler.roles import Role
from crawler.web.api.models import ArticleText, HitPage, HitSummary
from crawler.web.api.parameters import LanguageName, ListParameters, MomentText, Name, format_cursor, parse_cursor
from crawler.web.api.routing import Context, answer_in_thread, make_router
from crawler.web.api.texts import make_texts
from crawler.web.errors import BadAddress

MAX_QUERY_LENGTH = 1000
router = make_router("search")


class HitOrder(StrEnum):
    """The order of the articles that a search found."""

    NEWEST = "newest"
    RELEVANCE = "relevance"


class SearchParameters(ListParameters):
    """The query and its filters."""

    q: Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUERY_LENGTH, pattern=r"^[^\x00-\x1f\x7f]+$")]
    """Words, phrases and conditions, as for `crawler search`."""
    sort: HitOrder = HitOrder.NEWEST
    """`relevance` has one page only."""
    source: Name | None = None
    language: LanguageName | None = None
    rule: Name | None = None
    since: MomentText | None = None
    until: MomentText | None = None

    def list_filters(self) -> list[QueryNode]:
        """Return the filters as conditions of the query."""
        values = {
            "source": self.source,
            "lang": self.language,
            "rule": self.rule,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }
        return [Facet(name, value) for name, value in values.items() if value is not None]


@router.get("/search", response_model=HitPage)
@answer_in_thread(Role.READER)
def search_articles(context: Context, wanted: Annotated[SearchParameters, Query()]) -> HitPage:
    """Search the texts of all stored versions. Each article is found once, the newest first."""
    newsroom, is_ranked = context.newsroom, wanted.sort is HitOrder.RELEVANCE
    if is_ranked and wanted.cursor:
        raise BadAddress("A search by relevance has one page only: leave `cursor` out.")
    before = parse_cursor(wanted.cursor, int)[0] if wanted.cursor else None
    search = ArticleSearch(newsroom.store, wanted.q, newsroom.zone, filters=wanted.list_filters())
    found = list(islice(search.iter_hits(by_relevance=is_ranked, before=before), wanted.limit + 1))
    shown = found[: wanted.limit]
    texts = make_texts(newsroom, [hit.marked_article for hit in shown], "en", with_related=False)
    has_more = len(found) > len(shown) and not is_ranked
    return HitPage(
        query=search.query.text,
        items=[_make_hit(hit, text) for hit, text in zip(shown, texts, strict=True)],
        next=format_cursor(shown[-1].number) if has_more else None,
    )


def _make_hit(hit: SearchHit, text: ArticleText) -> HitSummary:
    return HitSummary(
        article=text,
        versions=list(hit.versions),
        current_version=hit.current_version,
        is_current=hit.is_current,
        left_at=hit.left_at,
    )
