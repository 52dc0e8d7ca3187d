"""`crawler search`: find words, phrases and conditions in every stored version."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import format_local_time, print_error, print_json
from crawler.cli.options import (
    MAX_COUNT,
    JsonOption,
    LanguageOption,
    RuleOption,
    SinceOption,
    SourceOption,
    UntilOption,
)
from crawler.errors import UsageError
from crawler.items import Verdict, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.config import Config
    from crawler.keywords.query import QueryNode
    from crawler.publish.search import ArticleSearch, SearchHit
    from crawler.store import Store


class SearchOrder(StrEnum):
    """The order of hits."""

    NEWEST = "newest"
    RELEVANCE = "relevance"


MAX_INDEXING_SECONDS = 10.0
"""Longest indexing of older versions before a search."""
MARK = "*"
LONG_OPTION = re.compile(r"--[a-z]", re.IGNORECASE)


def search(
    context: typer.Context,
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="Words, phrases and conditions.")],
    source: SourceOption = None,
    language: LanguageOption = None,
    rule: RuleOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    sort: Annotated[SearchOrder, typer.Option("--sort", help="Order of the hits.")] = SearchOrder.NEWEST,
    limit: Annotated[int, typer.Option(min=1, max=MAX_COUNT, metavar="N", help="At most N articles.")] = 20,
    as_json: JsonOption = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write all hits to .jsonl, .csv, .xlsx or .parquet."),
    ] = None,
    save: Annotated[
        str | None, typer.Option(metavar="NAME", help="Add the query to the rules file as a rule of this name.")
    ] = None,
) -> None:
    """Search the texts of all stored versions, newest first.

    A word is found in every inflection, so is a "phrase" in quotation marks. A word after a - is excluded. Any text is
    a query: what cannot be an operator is searched as text.
    """
    from crawler.cli.index_progress import index_waiting_versions
    from crawler.config import load_config
    from crawler.publish.output_registry import raise_if_no_table

    if output is not None:
        raise_if_no_table(output)
    for word in query:
        if LONG_OPTION.match(word):
            raise UsageError(f"There is no option {word.partition('=')[0]}. `crawler search -h` lists them.")
    config = load_config(context.obj)
    filters = make_filters(config, source or (), language or (), rule or (), since, until)
    text = " ".join(query)
    with _open_store(config, text) as store:
        waiting = index_waiting_versions(store, MAX_INDEXING_SECONDS)
        found = make_search(store, config, text, filters)
        if found.query.differs:
            print_error(f"searched as: {found.query.text or 'everything'}")
        for hint in list_hints(found, config):
            print_error(hint)
        if waiting:
            print_error(f"{waiting:,} stored versions are not in the index yet; `crawler store reindex` adds them now.")
        if output is not None:
            print(write_hits(config, store, found, output))
        if save is not None:
            print(save_rule(config, found, save, source or (), language or (), limit))
        if output is None and save is None:
            print_hits(config, found, sort, limit, as_json=as_json)


def make_search(store: Store, config: Config, text: str, filters: Sequence[QueryNode] = ()) -> ArticleSearch:
    """Return the search for a text over the store."""
    from crawler.publish.search import ArticleSearch
    from crawler.text.dates import load_time_zone

    return ArticleSearch(store, text, load_time_zone(config.timezone), filters=filters)


def make_filters(
    config: Config,
    sources: Sequence[str],
    languages: Sequence[str],
    rules: Sequence[str],
    since: str | None,
    until: str | None,
) -> list[QueryNode]:
    """Return the options as conditions of the query. Raise UsageError for one that cannot have its value."""
    from crawler.cli.selection import get_rule_titles, raise_if_unknown, raise_if_unknown_source
    from crawler.cli.time_options import parse_since
    from crawler.keywords.query import Facet, Or
    from crawler.text.language import TEXT_LANGUAGES

    raise_if_unknown("rule", rules, get_rule_titles(config))
    raise_if_unknown("language", languages, TEXT_LANGUAGES)
    raise_if_unknown_source(sources)
    end = parse_since(until, config.timezone, option="--until")
    times = {"since": parse_since(since, config.timezone), "until": end}
    nodes: list[QueryNode] = [Facet(name, time.isoformat()) for name, time in times.items() if time]
    for name, values in (("source", sources), ("lang", languages), ("rule", rules)):
        facets = tuple(Facet(name, value) for value in values)
        nodes += facets if len(facets) == 1 else [Or(facets)] if facets else []
    return nodes


def list_hints(found: ArticleSearch, config: Config) -> Iterator[str]:
    """Yield what is wrong with the names in a query, which then finds nothing."""
    from crawler import spiders
    from crawler.cli.selection import get_rule_titles
    from crawler.errors import suggest_nearest
    from crawler.keywords.search_query import list_facets

    for facet in dict.fromkeys(list_facets(found.query.node)):
        if facet.name in ("source", "rule"):
            known = spiders.list_names() if facet.name == "source" else list(get_rule_titles(config))
            if facet.value not in known:
                yield f"there is no {facet.name} {facet.value!r}{suggest_nearest(facet.value, known) or '.'}"


def print_hits(config: Config, found: ArticleSearch, sort: SearchOrder, limit: int, *, as_json: bool) -> None:
    """Print the first hits, and how many there are."""
    from crawler.text.counts import format_count

    hits = list(islice(found.iter_hits(by_relevance=sort is SearchOrder.RELEVANCE), limit))
    for hit in hits:
        if as_json:
            print_json(hit_to_dict(hit))
        else:
            print("\n    ".join(format_hit(hit, config.timezone)))
    if as_json:
        return
    if len(hits) < limit:
        print(f"{format_count(len(hits), 'article')}.")
        return
    counted = found.count_articles()
    limits = "" if found.is_count_exact else "at most "
    total = f"{limits if counted.is_complete else 'more than '}{max(counted.articles, len(hits)):,}"
    print(f"{len(hits):,} of {total} articles. --limit N shows more, -o FILE writes all.")
    if sort is SearchOrder.RELEVANCE:
        print(f"Sorted among the newest {found.max_hits:,} versions.")


def format_hit(hit: SearchHit, timezone: str) -> Iterator[str]:
    """Yield the lines of a hit: time, source and headline; id, version and address; the snippets."""
    article = hit.article
    snippets = hit.list_snippets()
    title = next((snippet.format(MARK) for snippet in snippets if snippet.field == "title"), article.headline)
    when = format_local_time(article.published_at, timezone) if article.published_at else "no date         "
    yield f"{when}  {article.source:10}  {title}"
    yield f"{article.id}  {format_versions(hit, timezone)}  {article.url}"
    yield from (" ".join(snippet.format(MARK).split()) for snippet in snippets if snippet.field != "title")


def format_versions(hit: SearchHit, timezone: str) -> str:
    """Return which versions of the article fulfil the query, and since when it no longer does."""
    numbers = f"version{'s' if len(hit.versions) > 1 else ''} {', '.join(map(str, hit.versions))}"
    if hit.is_current:
        state = "unpublished, " if hit.current_verdict is Verdict.UNPUBLISHED else ""
        return f"{state}{numbers} of {hit.current_version}" if hit.current_version > 1 else "version 1"
    left = f" ({format_local_time(hit.left_at, timezone)})" if hit.left_at else ""
    return f"{numbers}, not in version {hit.versions[-1] + 1} of {hit.current_version}{left}"


def hit_to_dict(hit: SearchHit) -> dict[str, Any]:
    """Return a hit as JSON values. The marks are offsets in the snippet's text."""
    article = hit.article
    return {
        "article": article.id,
        "version": article.version,
        "versions": list(hit.versions),
        "current_version": hit.current_version,
        "current_verdict": hit.current_verdict,
        "left_at": format_time(hit.left_at),
        "source": article.source,
        "language": article.language,
        "url": article.url,
        "title": article.title,
        "published_at": format_time(article.published_at),
        "story": hit.story,
        "snippets": [
            {"field": snippet.field, "text": snippet.text, "marks": [list(mark) for mark in snippet.marks]}
            for snippet in hit.list_snippets()
        ],
    }


def write_hits(config: Config, store: Store, found: ArticleSearch, path: Path) -> str:
    """Write a row for each article that fulfils the query, with the excerpt that is allowed. Return a summary."""
    from crawler.publish.atomic_write import open_atomic
    from crawler.publish.builder import EntryBuilder, EntryRequest
    from crawler.publish.output_registry import write_table
    from crawler.publish.search import SEARCH_RULE
    from crawler.text.counts import format_count
    from crawler.text.dates import load_time_zone

    builder = EntryBuilder(config, store)
    requests = (
        EntryRequest(article=hit.marked_article, rules=(SEARCH_RULE,), with_severity=True, with_related=False)
        for hit in found.iter_hits()
    )
    with open_atomic(path) as file:
        entries = (entry for request in requests for entry in builder.build([request]))
        count = write_table(file, path, entries, zone=load_time_zone(config.timezone))
    return f"{path}: {format_count(count, 'article')}, of {format_count(store.articles.count(), 'stored article')}."


def save_rule(
    config: Config, found: ArticleSearch, name: str, sources: Sequence[str], languages: Sequence[str], limit: int
) -> str:
    """Add the query to the rules file. Return how many of the first hits the rule finds too.

    Raise UsageError for a query that no rule can have, or RuleError, and write nothing.
    """
    from crawler.keywords import Matcher, parse_rules
    from crawler.service.edited_files import read_text, replace_files
    from crawler.service.saved_search import SearchRule, append_rule, format_search_rule

    path = config.rules
    if path is None:
        raise UsageError("There is no rules file to write to. Make one with `crawler init`, and set `rules` to it.")
    rule = SearchRule(name=name, query=found.query.text, sources=tuple(sources), languages=tuple(languages))
    replace_files({path: append_rule(read_text(path), path, rule)}, option="--save")
    matcher = Matcher(parse_rules(format_search_rule(rule)))
    hits = [hit.article for hit in islice(found.iter_hits(), limit)]
    kept = sum(bool(matcher.find_matches(hit.texts, hit.language, hit.source)) for hit in hits)
    return (
        f"{path}: rule {name} written. It finds {kept} of the newest {len(hits)} hits. A search also finds words "
        "in other genders, and from the plural. `crawler subscribe` alerts to it, `crawler rules apply` marks stored "
        "articles."
    )


def _open_store(config: Config, text: str) -> Store:
    """Return the open store, with its articles clustered if the query names a story."""
    from crawler.context.configured_store import open_configured_store
    from crawler.keywords.search_query import interpret_query, list_facets
    from crawler.service.clustered_store import open_clustered_store

    names_story = any(facet.name == "story" for facet in list_facets(interpret_query(text).node))
    return open_clustered_store(config) if names_story else open_configured_store(config)
