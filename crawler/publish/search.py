"""Search: a query as a person types it, the articles it finds, and where in their texts and versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from crawler.items import Article, Match, Verdict
from crawler.keywords.index_query import IndexQuery, make_index_query, make_term_queries
from crawler.keywords.matcher import Matcher, QueryMatcher, QueryPlace
from crawler.keywords.query import And, Facet, QueryNode
from crawler.keywords.search_query import (
    InterpretedQuery,
    SearchedState,
    interpret_query,
    list_facets,
    list_required_facets,
    parse_search_time,
)
from crawler.rights import ELLIPSIS
from crawler.store import Store
from crawler.store.search import ArticleCount, SearchConditions, SearchEntry
from crawler.text.sentences import locate_sentence
from crawler.text.spans import TextSpan, find_word_end, find_word_start, merge_spans

MAX_SNIPPETS = 2
SENTENCE_ENDS = '.!?…»”"\n'
MAX_SNIPPET_LENGTH = 240
"""Characters of a snippet. A longer sentence is cut at words, around its first marked words."""
SEARCH_RULE = "search"
"""Name of the rule that the places of a search have where an output shows matches."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a field's text around places of the query. `marks` are spans in `text`."""

    field: str
    text: str
    marks: tuple[TextSpan, ...]

    def format(self, mark: str) -> str:
        """Return the text with the marked words between marks."""
        parts, done = [], 0
        for start, end in self.marks:
            parts += [self.text[done:start], mark, self.text[start:end], mark]
            done = end
        return "".join([*parts, self.text[done:]])


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """An article that a search found, in its newest version that fulfils the query.

    `versions` are all versions that do, the oldest first. `left_at` is when the next version was seen, which does not;
    None where the version is the current one. `number` is its place in the list by time.
    """

    number: int
    article: Article
    versions: tuple[int, ...]
    current_version: int
    current_verdict: Verdict
    left_at: datetime | None
    places: tuple[QueryPlace, ...]
    story: int | None

    @property
    def is_current(self) -> bool:
        """Whether the article still fulfils the query."""
        return self.article.version == self.current_version

    @property
    def marked_article(self) -> Article:
        """The article with the places of the query as its matches, so that an excerpt shows them."""
        return replace(self.article, matches=tuple(map(self._make_match, self.places)))

    def _make_match(self, place: QueryPlace) -> Match:
        text = self.article.texts[place.field] or ""
        sentence = text[slice(*locate_sentence(text, place.start, place.end))]
        return Match(
            rule=SEARCH_RULE,
            term=place.term.removeprefix("="),
            surface=text[place.start : place.end],
            field=place.field,
            start=place.start,
            end=place.end,
            sentence=sentence,
        )

    def list_snippets(self) -> list[Snippet]:
        """Return the title if it is marked, and the first sentences with places. The opening if there is none."""
        return make_snippets(self.article, self.places)


class ArticleSearch:
    """One search over a store. `zone` is that of days in `since:` and `until:`; `filters` must hold too."""

    def __init__(
        self, store: Store, text: str, zone: tzinfo, *, filters: Sequence[QueryNode] = (), now: datetime | None = None
    ) -> None:
        self._store, self._zone, self._now = store, zone, now or datetime.now(UTC)
        self.query: InterpretedQuery = interpret_query(text)
        self.node: QueryNode = And((self.query.node, *filters)) if filters else self.query.node
        self._facets = list_facets(self.node)
        self._matcher = QueryMatcher(self.node)
        required = list_required_facets(self.node)
        self._conditions = self._make_conditions(required)
        self._index_query: IndexQuery = make_index_query(self.node, store.search.list_words, required)

    @property
    def max_hits(self) -> int:
        """How many of the newest versions are counted, or are ranked by relevance."""
        return self._store.search.max_hits

    @property
    def is_count_exact(self) -> bool:
        """Whether `count_articles` counts nothing that the query does not mean."""
        return self._index_query.is_exact

    def count_articles(self) -> ArticleCount:
        """Return in how many articles the index finds the query, among its newest versions (`max_hits`)."""
        return self._store.search.count_articles(self._index_query.node, self._conditions)

    def iter_hits(self, *, by_relevance: bool = False, before: int | None = None) -> Iterator[SearchHit]:
        """Yield the articles that fulfil the query, each once: the newest first, or of these the most relevant.

        `before` continues a list by time behind the hit with this number.
        """
        found: set[str] = set()
        search, node = self._store.search, self._index_query.node
        if by_relevance:
            entries = search.iter_most_relevant(node, self._conditions)
        else:
            entries = search.iter_newest(node, self._conditions, before=before)
        for entry in entries:
            if entry.article.id in found:
                continue
            places = self._matcher.find_places(entry.article.texts, self._list_held(entry.article, entry))
            if places is not None:
                found.add(entry.article.id)
                hit = self._make_hit(entry, places)
                # The page before has an article whose newer version fulfils the query too.
                if before is None or hit.versions[-1] == entry.version:
                    yield hit

    def _make_hit(self, entry: SearchEntry, places: Sequence[QueryPlace]) -> SearchHit:
        versions = [entry.version]
        left_at = None
        if entry.current_version > 1:
            stored = self._store.versions.list_by_article(entry.article.id)
            versions = [
                each.version or 1
                for each in stored
                if each.version == entry.version or self._matcher.is_fulfilled(each.texts, self._list_held(each, entry))
            ]
            following = (each for each in stored if (each.version or 1) > entry.version)
            left_at = next((each.fetched_at for each in following), None)
        return SearchHit(
            number=entry.number,
            article=entry.article,
            versions=tuple(versions),
            current_version=entry.current_version,
            current_verdict=entry.current_verdict,
            left_at=left_at,
            places=tuple(places),
            story=entry.story,
        )

    def _list_held(self, article: Article, entry: SearchEntry) -> Collection[tuple[str, str | None]]:
        """Return the conditions of the query that a version of the entry's article fulfils."""
        return {
            (facet.name, facet.value) for facet in self._facets if self._holds(facet.name, facet.value, article, entry)
        }

    def _holds(self, name: str, value: str, article: Article, entry: SearchEntry) -> bool:
        match name:
            case "source":
                return article.source == value
            case "lang":
                return article.language == value
            case "rule":
                return any(match.rule == value and match.strength == "strong" for match in article.matches)
            case "story":
                return entry.story == int(value)
            case "since" | "until":
                time = parse_search_time(value, self._zone, self._now)
                return time is not None and (entry.dated_at >= time) == (name == "since")
            case _:
                return self._has_state(SearchedState(value), article, entry)

    def _has_state(self, state: SearchedState, article: Article, entry: SearchEntry) -> bool:
        match state:
            case SearchedState.REVISED:
                return entry.is_revised
            case SearchedState.UNPUBLISHED:
                return entry.current_verdict is Verdict.UNPUBLISHED
            case SearchedState.SUPERSEDED:
                return (article.version or 1) < entry.current_version
            case SearchedState.CURRENT:
                return article.version == entry.current_version

    def _make_conditions(self, required: Sequence[Facet]) -> SearchConditions:
        """Return the conditions without which the query never holds, for the database to check."""
        values: dict[str, list[str]] = {}
        for facet in required:
            values.setdefault(facet.name, []).append(facet.value)
        times = {
            name: [time for value in values.get(name, ()) if (time := parse_search_time(value, self._zone, self._now))]
            for name in ("since", "until")
        }
        return SearchConditions(
            since=max(times["since"], default=None),
            until=min(times["until"], default=None),
            rules=tuple(values.get("rule", ())),
            stories=tuple(map(int, values.get("story", ()))),
            states=frozenset(map(SearchedState, values.get("is", ()))),
        )


def find_articles_with_terms(
    store: Store, matchers: Sequence[Matcher], since: datetime | None = None
) -> Iterator[Article]:
    """Yield the current articles since then that have a term of the rules, the newest first. No others can match."""
    terms = dict.fromkeys(term for matcher in matchers for term in matcher.list_terms())
    queries = make_term_queries(terms, store.search.list_words)
    conditions = SearchConditions(since=since, states=frozenset({SearchedState.CURRENT}))
    return (entry.article for entry in store.search.iter_union(queries, conditions))


def make_snippets(article: Article, places: Sequence[QueryPlace]) -> list[Snippet]:
    """Return the title if it has places, and the first sentences of lead and body with places, else the opening."""
    snippets: list[Snippet] = []
    for field, text in article.texts.items():
        spans = merge_spans([(place.start, place.end) for place in places if place.field == field])
        shown = -1
        for span in spans:
            count = sum(snippet.field != "title" for snippet in snippets)
            if text is None or span[0] < shown or count == MAX_SNIPPETS:
                continue
            snippets.append(_make_snippet(field, text, span, spans))
            shown = locate_sentence(text, *span)[1]
            if field == "title":
                break
    has_text = any(snippet.field != "title" for snippet in snippets)
    return snippets if has_text or not article.body else [*snippets, _make_snippet("body", article.body, (0, 0), [])]


def _make_snippet(field: str, text: str, span: TextSpan, spans: Sequence[TextSpan]) -> Snippet:
    """Return the sentence around a span, or a part of it. A title is shown whole."""
    start, end = (0, len(text)) if field == "title" else locate_sentence(text, *span)
    begin = start
    if end - start > MAX_SNIPPET_LENGTH and field != "title":
        if span[1] - start > MAX_SNIPPET_LENGTH * 2 // 3:
            begin = find_word_start(text, span[0], max(start, span[0] - MAX_SNIPPET_LENGTH // 3))
        end = max(find_word_end(text, begin, min(end, begin + MAX_SNIPPET_LENGTH)), min(span[1], end))
    before = ELLIPSIS if begin > start else ""
    shown = text[begin:end]
    after = "" if end >= len(text) or text[end - 1 : end] in SENTENCE_ENDS or field == "title" else ELLIPSIS
    marks = [(max(first, begin) - begin + len(before), min(last, end) - begin + len(before)) for first, last in spans]
    return Snippet(field, f"{before}{shown}{after}", tuple(mark for mark in marks if mark[0] < mark[1]))
