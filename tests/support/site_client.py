"""A client for the loopback copies: urllib without proxies. HTTP errors are answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from email.message import Message

from support.gov_site import GovSite

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
NEWS_QUERY = (
    "query News($projects: String, $lang: String, $page: Int, $size: Int, $sort: String) { news(projects: $projects, "
    "_lang: $lang, _page: $page, _size: $size, _sort: $sort) { id title slug created_date short_description body "
    "heropic alt_image hint projects directions { id title } } }"
)


def fetch(url: str, body: bytes | None = None, **headers: str) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with OPENER.open(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def query_graphql(site: GovSite, query: str = NEWS_QUERY, **variables: object) -> dict:
    sent = {"projects": "eq:mfa", "lang": "ru", "page": 1, "size": 10, "sort": "created_date:DESC", **variables}
    body = json.dumps({"query": query, "variables": sent}).encode()
    return json.loads(fetch(site.url + "/graphql", body, Content_Type="application/json")[2])
