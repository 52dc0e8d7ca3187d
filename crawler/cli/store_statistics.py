"""What `crawler store stats` prints: a summary and three tables."""

from __future__ import annotations

from collections.abc import Iterator

from crawler.cli.console import format_local_time, format_megabytes, format_table
from crawler.config import Config
from crawler.service.store_statistics import StoreStatistics
from crawler.text.counts import format_count

MAX_RELATIONS, MAX_MONTHS = 20, 24
"""Rows of the tables. With --json all are printed."""
WAITING = {"index": "wait for the full-text index", "comparison": "wait for the comparison with others"}


def format_statistics(config: Config, found: StoreStatistics) -> Iterator[str]:
    """Yield the lines: what a store has, what takes space, articles by source and year, growth by month."""
    yield f"{found.store}: {format_count(found.articles, 'article')}, {format_megabytes(found.bytes)}."
    if found.times.oldest and found.times.newest:
        ends = [format_local_time(each, config.timezone) for each in (found.times.oldest, found.times.newest)]
        yield f"The oldest article is of {ends[0]}, the newest of {ends[1]}."
    if found.free_bytes:
        yield f"{format_megabytes(found.free_bytes)} of the file are free and are used again."
    yield from (f"{count:,} {WAITING[name]}." for name, count in found.waiting.items() if count)
    for table in (_format_relations, _format_years, _format_months):
        yield ""
        yield from table(found)


def _format_relations(found: StoreStatistics) -> Iterator[str]:
    if not found.relations:
        yield "This SQLite cannot measure tables and indexes: it was built without dbstat."
        return
    rows = [("table or index", "of", "rows" if found.has_exact_rows else "rows (estimated)", "MB", "share")]
    for each in found.relations[:MAX_RELATIONS]:
        count = "" if each.rows is None else f"{each.rows:,}"
        size, share = f"{each.bytes / 1e6:,.1f}", f"{each.bytes / max(1, found.bytes):.0%}"
        rows.append((each.name, each.table if each.is_index else "", count, size, share))
    yield from format_table(rows)
    if rest := found.relations[MAX_RELATIONS:]:
        yield f"and {len(rest)} more, together {format_megabytes(sum(each.bytes for each in rest))}"


def _format_years(found: StoreStatistics) -> Iterator[str]:
    archive = found.sum_archive_by_source()
    years = sorted({each.year for each in found.years})
    counts = {(each.source, each.year): each.articles for each in found.years}
    rows = [["source", *map(str, years), "archive MB"]]
    for source in sorted({each.source for each in found.years} | archive.keys()):
        cells = [f"{counts.get((source, year), 0):,}" for year in years]
        rows.append([source, *cells, f"{archive.get(source, 0) / 1e6:,.1f}"])
    yield from format_table(rows)


def _format_months(found: StoreStatistics) -> Iterator[str]:
    archive = found.sum_archive_by_month()
    articles = {each.month: each.articles for each in found.months}
    months = sorted(articles.keys() | archive.keys())
    rows = [("first seen in", "articles", "archive MB")]
    rows += [
        (each, f"{articles.get(each, 0):,}", f"{archive.get(each, 0) / 1e6:,.1f}") for each in months[-MAX_MONTHS:]
    ]
    yield from format_table(rows)
    if len(months) > MAX_MONTHS:
        yield f"and {len(months) - MAX_MONTHS} earlier months; --json has all"
