"""`crawler articles`: list the stored articles."""

from __future__ import annotations

from typing import Annotated

import typer

from crawler.cli.console import format_verdict, list_doubts, print_json
from crawler.cli.options import (
    MAX_COUNT,
    JsonOption,
    LanguageOption,
    RuleOption,
    SeenSinceOption,
    SeenUntilOption,
    SourceOption,
)
from crawler.items import Article


def articles(
    context: typer.Context,
    matched: Annotated[bool, typer.Option("--matched", help="Only articles with a strong match.")] = False,
    rule: RuleOption = None,
    source: SourceOption = None,
    language: LanguageOption = None,
    since: SeenSinceOption = None,
    until: SeenUntilOption = None,
    limit: Annotated[int | None, typer.Option(min=1, max=MAX_COUNT, metavar="N", help="At most N articles.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the stored articles, newest first."""
    from itertools import islice

    from crawler.cli.selection import make_query
    from crawler.cli.time_options import parse_since
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.text.counts import format_count

    config = load_config(context.obj)
    needs_match = matched or bool(rule)
    query = make_query(
        config, rules=rule or (), sources=source or (), languages=language or (), everything=not needs_match
    )
    with open_configured_store(config) as store:
        newest = store.articles.iter_newest(
            source=query.sources[0] if len(query.sources) == 1 else None,
            language=query.languages[0] if len(query.languages) == 1 else None,
            matched=True if needs_match else None,
            seen_since=parse_since(since, config.timezone),
            seen_until=parse_since(until, config.timezone, option="--until"),
        )
        shown = 0
        for article in islice(filter(query.selects, newest), limit):
            shown += 1
            if as_json:
                print_json(article.to_dict())
            else:
                print(format_article(article))
        if not as_json:
            print(f"{shown} of {format_count(store.articles.count(), 'stored article')} in {store.name}.")


def format_article(article: Article) -> str:
    """Return an article as lines: time, source and headline; id and URL; the matched words; what is doubtful."""
    when = f"{article.published_at:%Y-%m-%d %H:%M}" if article.published_at else "no date         "
    terms = ", ".join(sorted({match.surface for match in article.matches}))
    copied = f", copy of {article.copy_of}" if article.copy_of else ""
    verdict = f"{format_verdict(article)} v{article.version}{copied}"
    lines = [f"{when}  {article.source:10}  {article.headline}", f"{article.id}  {verdict}  {article.url}"]
    lines += [f"matched: {terms}"] if terms else []
    lines += [f"doubtful: {doubt}" for doubt in list_doubts(article)]
    return "\n    ".join(lines)
