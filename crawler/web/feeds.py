"""Feeds for readers' programs: Atom, RSS and JSON Feed, within the rights of each source.

A feed reader sends no key, so an address can carry the secret of a user: `/feeds/SECRET/all.atom`. Without it, the
address is for who is signed in.
"""

from __future__ import annotations

from email.utils import format_datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from crawler.publish.feeds import EntryUnit
from crawler.publish.feeds.feed import get_update_time, make_items
from crawler.publish.feeds.selection import get_feed_language, make_feed_entries, make_feed_head
from crawler.publish.output_registry import FEED_FORMATS
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.publish.query import ArticleQuery
from crawler.roles import Role
from crawler.web.access import GuardedRoute, KeyScope, needs_role
from crawler.web.answer_threads import AnswerThreads
from crawler.web.conditional import has_entity_tag, make_entity_tag
from crawler.web.errors import BadAddress, PageMissing
from crawler.web.newsroom import Newsroom

ALL_RULES = "all"
"""The name of the feed of every rule."""
FEED_ENTRIES = 50
MAX_FILTERS = 20
FEED_TYPES = {"atom": "application/atom+xml", "rss": "application/rss+xml", "json": "application/feed+json"}
FEED_PARAMETERS = frozenset({"source", "language", "unit"})


def make_feed_routes(newsroom: Newsroom, threads: AnswerThreads) -> list[GuardedRoute]:
    """Return the routes of the feeds."""

    @needs_role(Role.READER, KeyScope.FEEDS)
    async def send_feed(request: Request) -> Response:
        return await threads.run(make_feed_answer, newsroom, request)

    paths = ("/feeds/{name}.{form}", "/feeds/{feed_secret}/{name}.{form}")
    return [GuardedRoute(path, send_feed, methods=["GET"]) for path in paths]


def make_feed_answer(newsroom: Newsroom, request: Request) -> Response:
    """Return a feed, or 304 if the client has it already."""
    newsroom.store.raise_if_lost()
    newsroom.reload_if_changed()
    name, form = request.path_params["name"], request.path_params["form"]
    if form not in FEED_FORMATS or (name != ALL_RULES and name not in newsroom.list_rule_names()):
        raise PageMissing("There is no such feed.")
    query, unit = parse_query(newsroom, request, name)
    language = get_feed_language(query) or "en"
    labels = {rule: newsroom.get_rule_title(rule, language) for rule in newsroom.list_rule_names()}
    base = newsroom.config.feeds.address
    # Without the secret, because a feed is passed on.
    parameters = urlencode(sorted(request.query_params.multi_items()))
    address = f"{base.rstrip('/')}/{name}.{form}{'?' if parameters else ''}{parameters}" if base else None
    entries = make_feed_entries(newsroom.config, newsroom.store, query, unit, FEED_ENTRIES)
    head = make_feed_head(newsroom.config, query, unit, labels, address=address)
    body = FEED_FORMATS[form](head, entries)
    tag = make_entity_tag(body)
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if entries:
        changed_at = get_update_time(head, make_items(head, entries))
        headers["last-modified"] = format_datetime(changed_at, usegmt=True)
    if has_entity_tag(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=FEED_TYPES[form])


def parse_query(newsroom: Newsroom, request: Request, name: str) -> tuple[ArticleQuery, EntryUnit]:
    """Return what a feed's address wants. Raise BadAddress for a source or a language that there is not."""
    parameters = request.query_params
    if not FEED_PARAMETERS.issuperset(parameters):
        raise BadAddress("A feed has the parameters source, language and unit.")
    sources, languages = parameters.getlist("source")[:MAX_FILTERS], parameters.getlist("language")[:MAX_FILTERS]
    if not (set(sources) <= set(newsroom.profiles) and set(languages) <= set(OUTPUT_LANGUAGES)):
        raise BadAddress("There is no such source or language.")
    try:
        unit = EntryUnit(parameters.get("unit", EntryUnit.STORY))
    except ValueError:
        raise BadAddress("`unit` is story or article.") from None
    rules = () if name == ALL_RULES else (name,)
    return ArticleQuery(rules=rules, sources=tuple(sources), languages=tuple(languages)), unit
