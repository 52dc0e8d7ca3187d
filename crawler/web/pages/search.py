"""Search: the articles that fulfil a query, in which versions, and the query as a rule with a subscription."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.config import Subscription
from crawler.errors import ConfigError
from crawler.keywords.query import Facet, QueryNode, find_query_problem
from crawler.keywords.search_query import SearchedState, list_facets
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.publish.search import ArticleSearch, SearchHit
from crawler.service.edited_files import NO_FILE
from crawler.service.saved_search import SearchRule, SearchSubscription, get_rules_path, list_file_marks, save_search
from crawler.web.access import Principal, get_principal
from crawler.web.errors import BadAddress
from crawler.web.forms import FormValues, make_short_name, parse_short_name
from crawler.web.newsroom import Newsroom
from crawler.web.pages.account import record_change
from crawler.web.pages.actions import add_parameter
from crawler.web.pages.subscriptions import DELIVERY_TIMES, raise_if_not_subscribable
from crawler.web.rendering import PageRenderer, Reader, list_chips, make_address, mark_spans, quote_path
from crawler.web.translations import mark_message

HITS_PER_PAGE = 20
MAX_HITS = 1000
"""Hits that the pages of a search show: what is behind needs a narrower query."""
MAX_QUERY_LENGTH = 500
STATE_WORDS: dict[str | None, str] = {
    None: mark_message("Any version"),
    SearchedState.CURRENT: mark_message("In the current version"),
    SearchedState.SUPERSEDED: mark_message("In an earlier version"),
    SearchedState.REVISED: mark_message("Article was revised"),
    SearchedState.UNPUBLISHED: mark_message("Article was taken down"),
}
AGE_WORDS: dict[str | None, str] = {
    None: mark_message("Any time"),
    "7d": mark_message("Last 7 days"),
    "30d": mark_message("Last 30 days"),
    "365d": mark_message("Last year"),
}
FILTER_WORDS = {
    "source": mark_message("Source"),
    "language": mark_message("Language"),
    "state": mark_message("Version"),
    "since": mark_message("Published"),
}
FACET_NAMES = {"source": "source", "language": "lang", "state": "is", "since": "since"}
"""The condition of the query language that each filter of the page is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What an address asks for: the typed query, the order, and the filters beside it (None: any)."""

    text: str
    by_relevance: bool = False
    source: str | None = None
    language: str | None = None
    state: str | None = None
    since: str | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether a filter beside the query is set."""
        return any((self.source, self.language, self.state, self.since))

    def to_parameters(self) -> dict[str, object]:
        """Return the parameters of its address."""
        sort = "relevance" if self.by_relevance else None
        filters = {name: getattr(self, name) for name in FACET_NAMES}
        return {"q": self.text or None, "sort": sort, **filters}

    def list_filters(self) -> list[QueryNode]:
        """Return the filters as conditions of the query."""
        values = ((facet, getattr(self, name)) for name, facet in FACET_NAMES.items())
        return [Facet(facet, value) for facet, value in values if value]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterChoice:
    """One choice of a filter: its words, its address, and whether it is in force."""

    label: str
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownHit:
    """A hit in the list. `snippets` are marked texts; `address` opens the version that fulfils the query."""

    hit: SearchHit
    title: Markup
    snippets: tuple[Markup, ...]
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HitPlace:
    """Where an article's page is in the hits of a search. `matched` has the places of the query as its matches."""

    number: int
    hit: SearchHit
    previous: str | None
    following: str | None
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMarks:
    """The marks of crawler.toml and the rules file for a form. `obstacle`: why nothing can be saved, in English."""

    config_mark: str = ""
    rules_mark: str = ""
    obstacle: str | None = None


def parse_search_request(request: Request) -> SearchRequest:
    """Return what an address asks for. Raise BadAddress for a value that no page wrote."""
    given = request.query_params
    source, language, state, since = (given.get(name, "")[:200] or None for name in FACET_NAMES)
    sort = given.get("sort", "newest")
    is_known = sort in ("newest", "relevance") and state in STATE_WORDS and since in AGE_WORDS
    if not is_known or (language is not None and language not in OUTPUT_LANGUAGES):
        raise BadAddress
    text = given.get("q", "")[:MAX_QUERY_LENGTH].strip()
    return SearchRequest(
        text=text, by_relevance=sort == "relevance", source=source, language=language, state=state, since=since
    )


def make_article_search(newsroom: Newsroom, wanted: SearchRequest) -> ArticleSearch:
    """Return the search over the store."""
    return ArticleSearch(newsroom.store, wanted.text, newsroom.zone, filters=wanted.list_filters())


def show_search(site: PageRenderer, request: Request) -> Response:
    """Return the page of a search, or the page that explains the query language."""
    newsroom, reader = site.newsroom, site.make_reader(request)
    wanted, page = parse_search_request(request), _parse_page(request)
    filters, saved = list_filters(newsroom, reader, wanted), request.query_params.get("saved", "")[:64]
    shared: dict[str, Any] = {
        "reader": reader,
        "wanted": wanted,
        "filters": filters,
        "chips": list_chips(wanted, FILTER_WORDS, filters),
        "is_indexing": newsroom.store.search.has_waiting(),
        "saved": saved,
        "subscribed": find_own_subscription(newsroom, get_principal(request), saved),
        "times": DELIVERY_TIMES,
        "rules_with_term": list_rules_with_term(newsroom, wanted.text),
    }
    if not wanted.text and not wanted.is_filtered:
        return site.render(request, "search.html", found=None, **shared)
    found = make_article_search(newsroom, wanted)
    start = (page - 1) * HITS_PER_PAGE
    hits = list(islice(found.iter_hits(by_relevance=wanted.by_relevance), start, start + HITS_PER_PAGE + 1))
    shown = [make_shown_hit(wanted, hit, number) for number, hit in enumerate(hits[:HITS_PER_PAGE], start=start + 1)]
    has_more = len(hits) > HITS_PER_PAGE and start + HITS_PER_PAGE < MAX_HITS
    parameters = wanted.to_parameters()
    return site.render(
        request,
        "search.html",
        found=found,
        hits=shown,
        count=format_hit_count(reader, found, start + len(hits), is_complete=len(hits) <= HITS_PER_PAGE),
        max_ranked=found.max_hits,
        unknown=list_unknown_names(newsroom, found),
        previous=make_address("/search", {**parameters, "page": page - 1 if page > 2 else None}) if page > 1 else None,
        following=make_address("/search", {**parameters, "page": page + 1}) if has_more else None,
        plain=make_address("/search", {"q": wanted.text or None}),
        save=make_save_form(newsroom, reader, wanted, found),
        **shared,
    )


def find_own_subscription(newsroom: Newsroom, principal: Principal, name: str) -> Subscription | None:
    """Return the subscription if this user saved it with a search, or None. Readers see no channels of others."""
    found = newsroom.config.subscriptions.get(name)
    return found if found and found.user == (None if principal.is_owner else principal.name) else None


def list_rules_with_term(newsroom: Newsroom, text: str) -> list[str]:
    """Return the rules with a query's text as a term: they have the same in other languages too."""
    term = text.casefold()
    return [rule.name for rule in newsroom.rules if term in {each.casefold() for _, each in rule.terms.list_terms()}]


def _parse_page(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:6]) <= MAX_HITS // HITS_PER_PAGE:
        raise BadAddress
    return int(text[:6])


def list_filters(newsroom: Newsroom, reader: Reader, wanted: SearchRequest) -> list[tuple[str, list[FilterChoice]]]:
    """Return the filters with their choices. A second click on a choice removes it."""
    choices: dict[str, list[tuple[str | None, str]]] = {
        "source": [(name, reader.name_source(name)) for name in newsroom.profiles],
        "language": [(name, reader.name_language(name)) for name in OUTPUT_LANGUAGES],
        "state": [(value, reader.translate(word)) for value, word in STATE_WORDS.items()],
        "since": [(value, reader.translate(word)) for value, word in AGE_WORDS.items()],
    }

    def make_choice(name: str, value: str | None, label: str) -> FilterChoice:
        is_current = getattr(wanted, name) == value
        change: dict[str, Any] = {name: None if is_current else value}
        address = make_address("/search", replace(wanted, **change).to_parameters())
        return FilterChoice(label=label, address=address, is_current=is_current)

    return [
        (reader.translate(FILTER_WORDS[name]), [make_choice(name, value, label) for value, label in values])
        for name, values in choices.items()
    ]


def make_shown_hit(wanted: SearchRequest, hit: SearchHit, number: int) -> ShownHit:
    """Return a hit as the list shows it. `number` is its place, from 1."""
    article, snippets = hit.article, hit.list_snippets()
    titles = [each for each in snippets if each.field == "title"]
    return ShownHit(
        hit=hit,
        title=mark_spans(titles[0].text, titles[0].marks) if titles else mark_spans(article.headline, ()),
        snippets=tuple(mark_spans(each.text, each.marks) for each in snippets if each.field != "title"),
        address=make_hit_address(wanted, hit, number),
    )


def make_hit_address(wanted: SearchRequest, hit: SearchHit, number: int) -> str:
    """Return the address of a hit's article, in the version that fulfils the query, with its place in the hits."""
    version = hit.article.version if hit.current_version > 1 else None
    parameters = {"version": version, **wanted.to_parameters(), "hit": number}
    return make_address(f"/articles/{quote_path(hit.article.id)}", parameters)


def find_hit_place(site: PageRenderer, request: Request, article_id: str) -> HitPlace | None:
    """Return where an article's page is in the hits of the search in its address, or None."""
    text = request.query_params.get("hit", "")
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:6]) <= MAX_HITS:
        return None
    wanted, number = parse_search_request(request), int(text[:6])
    found = make_article_search(site.newsroom, wanted)
    first = max(number - 2, 0)
    near = dict(
        enumerate(islice(found.iter_hits(by_relevance=wanted.by_relevance), first, number + 1), start=first + 1)
    )
    hit = near.get(number)
    if hit is None or hit.article.id != article_id:
        return None

    def get_address(other: int) -> str | None:
        return make_hit_address(wanted, near[other], other) if other in near and other <= MAX_HITS else None

    page = (number - 1) // HITS_PER_PAGE + 1
    back = make_address("/search", {**wanted.to_parameters(), "page": page if page > 1 else None})
    return HitPlace(
        number=number, hit=hit, previous=get_address(number - 1), following=get_address(number + 1), back=back
    )


def format_hit_count(reader: Reader, found: ArticleSearch, at_least: int, *, is_complete: bool) -> str:
    """Return how many articles a search finds, in words that say how exact that is."""
    counted = None if is_complete else found.count_articles()
    number = max(counted.articles, at_least) if counted else at_least
    count = reader.translate_count("%(num)s article", "%(num)s articles", number)
    if counted is None:
        return count
    if not counted.is_complete:
        return reader.translate(mark_message("more than %(count)s"), count=count)
    if not found.is_count_exact:
        return reader.translate(mark_message("at most %(count)s"), count=count)
    return count


def list_unknown_names(newsroom: Newsroom, found: ArticleSearch) -> list[str]:
    """Return the conditions of a query that name a source or a rule that there is not."""
    known = {"source": set(newsroom.profiles), "rule": set(newsroom.list_rule_names())}
    facets = dict.fromkeys(list_facets(found.node))
    return [
        f"{facet.name}:{facet.value}" for facet in facets if facet.value not in known.get(facet.name, {facet.value})
    ]


def find_file_marks(newsroom: Newsroom) -> FileMarks | None:
    """Return the marks of the files that a saved rule changes, or None where pages may change none."""
    config = newsroom.config
    if not newsroom.can_edit or config.path is None:
        return None
    try:
        marks = list_file_marks(config)
        return FileMarks(config_mark=marks[config.path], rules_mark=marks[get_rules_path(config)])
    except ConfigError as error:  # a page that only offers to save still shows the rest
        return FileMarks(obstacle=str(error))


def make_save_form(
    newsroom: Newsroom, reader: Reader, wanted: SearchRequest, found: ArticleSearch
) -> dict[str, object]:
    """Return what the form that saves the search needs. `problem` says why a query cannot be a rule."""
    marks = find_file_marks(newsroom) if reader.is_analyst else None
    if marks is None:
        return {"can_edit": False}
    return {
        "can_edit": True,
        "problem": find_query_problem(found.query.text) if wanted.text else "",
        "name": suggest_name(wanted.text, newsroom),
        "channels": newsroom.list_channels(is_owner=reader.is_owner),
        "times": DELIVERY_TIMES,
        "marks": marks,
        "drops_filters": wanted.state is not None or wanted.since is not None,
    }


def suggest_name(text: str, newsroom: Newsroom) -> str:
    """Return a name for the rule that a query becomes, which no rule and no subscription has."""
    name = make_short_name(text)[:32].strip("-") or "search"
    taken = {*newsroom.list_rule_names(), *newsroom.config.subscriptions}
    numbered = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)


def save_searched(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Write the query as a rule, with a subscription if a channel is chosen, and return to the search.

    An analyst's search needs a channel: only owners put a rule into force that nobody subscribes to.
    """
    newsroom, principal = site.newsroom, get_principal(request)
    channel, when = form.get_first("channel"), form.get_first("when") or "realtime"
    if when not in DELIVERY_TIMES:
        raise BadAddress
    if channel or not principal.is_owner:
        raise_if_not_subscribable(newsroom, principal, [channel])
    query = make_article_search(newsroom, SearchRequest(text=form.get_first("q")[:MAX_QUERY_LENGTH])).query.text
    rule = SearchRule(
        name=parse_short_name(form.get_first("name")),
        query=query,
        sources=tuple(each for each in [form.get_first("source")] if each),
        languages=tuple(each for each in [form.get_first("language")] if each),
    )
    language = site.make_reader(request).language
    user = None if principal.is_owner else principal.name
    subscription = SearchSubscription(channel=channel, when=when, language=language, user=user) if channel else None
    save_rule(newsroom, form, rule, subscription)
    record_change(site, request, "rule.add", rule.name)
    if subscription:
        record_change(site, request, "subscription.add", rule.name)
    return RedirectResponse(add_parameter(form.get_back_address(), "saved", rule.name), 303)


def save_rule(newsroom: Newsroom, form: FormValues, rule: SearchRule, subscription: SearchSubscription | None) -> None:
    """Write a rule and its subscription into the files whose marks the form has, and put them into force.

    Raise BadAddress where pages change no file, FileChanged if somebody changed one since the form was shown.
    """
    config = newsroom.config
    if not newsroom.can_edit or config.path is None:
        raise BadAddress
    marks = {
        config.path: form.get_first("config_mark"),
        get_rules_path(config): form.get_first("rules_mark") or NO_FILE,
    }
    save_search(config, rule, subscription, marks)
    newsroom.reload()
