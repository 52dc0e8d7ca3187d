"""`crawler articles`: what the store holds."""

from __future__ import annotations

import json
from pathlib import Path

from crawler.cli import time_options as moment
from crawler.config import load_config
from crawler.items import Article
from crawler.text.counts import format_count


def articles(
    config_path: Path | None, matched: bool, since: str | None, source: str | None, limit: int | None, as_json: bool
) -> int:
    """Print the stored articles that fit, newest first; the exit code."""
    from crawler import spiders
    from crawler.errors import UnknownSource
    from crawler.store import open_store

    config = load_config(config_path)
    if source is not None and source not in spiders.list_names():
        raise UnknownSource(source, spiders.list_names())
    start = moment.parse_since(since, config.timezone)
    with open_store(config.database_url) as store:
        found = store.articles.iter_newest(source=source, matched=True if matched else None, since=start, limit=limit)
        number = 0
        for article in found:
            number += 1
            print(json.dumps(article.to_dict(), ensure_ascii=False) if as_json else format_article(article))
        if not as_json:
            print(f"{number} of {format_count(store.articles.count(), 'stored article')} in {store.name}.")
    return 0


def format_article(article: Article) -> str:
    """One article on two lines: time, source, headline; then what matched, and the address."""
    when = f"{article.published_at:%Y-%m-%d %H:%M}" if article.published_at else "no date         "
    terms = ", ".join(sorted({match.surface for match in article.matches}))
    marks = f"{article.verdict} v{article.version}" + (f", copy of {article.copy_of}" if article.copy_of else "")
    why = f"\n    matched: {terms}" if terms else ""
    return f"{when}  {article.source:10}  {article.headline}\n    {article.id}  {marks}  {article.url}{why}"
