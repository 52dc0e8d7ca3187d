"""A copy of gov.kz with the faults of a database behind a cache."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from support.gov_site import GovSite
from support.http_server import SiteReply, SiteRequest
from support.local_site import LocalArticle
from support.watched_source import WatchedSource


class MisbehavingGovSite(GovSite):
    """Moves entries back in time, shortens lists, changes the order of later pages, fails from a page on."""

    set_back: Mapping[str, timedelta] = MappingProxyType({})
    unstable = False
    only: Mapping[str, slice] = MappingProxyType({})
    fails_from = 0

    def _format_created(self, article: LocalArticle, form: str) -> str:
        earlier = article.published_at - self.set_back.get(article.id, timedelta())
        return super()._format_created(replace(article, published_at=earlier), form)

    def _select_records(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = super()._select_records(variables)[self.only.get(str(variables["lang"]), slice(None))]
        if self.unstable and int(variables["page"]) > 1:  # entries of one time in another order than on page 1
            found = sorted(found, key=lambda record: (record["created_date"], -int(record["id"])), reverse=True)
        return found

    def answer(self, request: SiteRequest) -> SiteReply:
        if self.fails_from and request.path == "/graphql" and parse_page_number(request) >= self.fails_from:
            return SiteReply(b"oops", 500)
        return super().answer(request)


def parse_page_number(request: SiteRequest) -> int:
    return int(json.loads(request.body)["variables"]["page"])


def find_translated_id(watched: WatchedSource, position: int) -> str:
    """Return the id of an article in all three languages, at or after a position in the list."""
    return next(article.id for article in watched.site.articles[position:] if len(article.texts) == 3)


def pop_requested_pages(watched: WatchedSource) -> list[int]:
    """Return the requested pages of the Russian list since the last call, in order."""
    sent = [json.loads(request.body)["variables"] for request in watched.site.list_requests("/graphql")]
    watched.site.requests.clear()
    return [variables["page"] for variables in sent if variables["lang"] == "ru"]


def get_site(watched: WatchedSource) -> MisbehavingGovSite:
    assert isinstance(watched.site, MisbehavingGovSite)
    return watched.site
