"""`crawler drift SOURCE`: where each field stands, what moved, and for pages no longer read, where it may stand now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawler.archive.snapshot_folder import find_source_folder
from crawler.archive.snapshot_reader import read_snapshots
from crawler.cli.console import format_table
from crawler.config import Config, load_config
from crawler.errors import ArchiveError, NoSnapshots, PageChanged
from crawler.fixtures.selector_suggestions import ChangedPage, SelectorSuggestion, suggest_selectors
from crawler.items import Run
from crawler.monitoring.drift import TEMPLATE_FIELD
from crawler.pages.snapshot import Snapshot
from crawler.source import SourceSpider
from crawler.store import Store, open_store
from crawler.text.counts import format_count

MAX_AGE_OF_SHAPES = timedelta(days=400)
MAX_ARCHIVE_FILES = 2
"""Archive files that a run may have written: one a day."""


def drift(config_path: Path | None, source: str, as_json: bool) -> int:
    """Print the ledger of paths, the newest run's notes, suggestions for its lost pages; 12 when it lost some."""
    from crawler import spiders

    config, spider = load_config(config_path), spiders.load_spider(source)
    with open_store(config.database_url) as store:
        measured = store.runs.list_with_measure(source, "shapes", since=datetime.now(UTC) - MAX_AGE_OF_SHAPES, limit=1)
        last = next((run for run in store.runs.list_recent(source, mode="live") if run.finished_at), None)
        lost = list(_find_lost_pages(store, config, spider, last)) if last else []
    shapes: dict[str, Any] = measured[0].measures["shapes"] if measured else {}
    notes = last.measures.get("notes", []) if last else []
    found = list(suggest_selectors([changed for _, changed in lost]))
    (_print_json if as_json else _print_text)(source, shapes, notes, [url for url, _ in lost], found)
    return PageChanged.exit_code if lost else 0


def _find_lost_pages(
    store: Store, config: Config, spider: type[SourceSpider], run: Run
) -> Iterator[tuple[str, ChangedPage]]:
    """The pages that the run could not read, as the archive has them, with what their addresses gave before."""
    urls = {problem.url for problem in run.problems if problem.kind == PageChanged.__name__ and problem.url}
    site = spider.make_site(config)
    for url, page in _read_archived_pages(config, spider, run, urls).items():
        address = site.identify(url)
        if address and page.kind == "html" and page.body:
            known = [each for each in store.articles.list_by_url(address.url) if each.source == spider.name]
            yield url, ChangedPage(page, known[0] if known else None, site.time_zone)


def _read_archived_pages(config: Config, spider: type[SourceSpider], run: Run, urls: set[str]) -> dict[str, Snapshot]:
    mirror, found = spider.make_url_mapping(config), dict[str, Snapshot]()
    try:
        folder = find_source_folder(config.archive_dir, spider.name)
    except NoSnapshots:
        return found
    begun = run.started_at.replace(microsecond=0)
    for path in sorted(folder.glob("*.warc.gz"))[-MAX_ARCHIVE_FILES:] if urls else []:
        with suppress(ArchiveError):  # what is broken or cut off is one page less
            for page in read_snapshots(path):
                url = mirror.to_public_url(page.url)
                if url in urls and page.fetched_at and page.fetched_at >= begun:
                    found[url] = page
    return found


def _print_json(
    source: str, shapes: dict[str, Any], notes: list[str], lost: list[str], found: list[SelectorSuggestion]
) -> None:
    suggestions = [asdict(each) for each in found]
    values = {"source": source, "shapes": shapes, "notes": notes, "lost": lost, "suggestions": suggestions}
    print(json.dumps(values, ensure_ascii=False))


def _print_text(
    source: str, shapes: dict[str, Any], notes: list[str], lost: list[str], found: list[SelectorSuggestion]
) -> None:
    rows = [
        (f"{page}.{field} {'' if field == TEMPLATE_FIELD else path}".rstrip(), str(runs), first[:10], last[:10])
        for page, fields in shapes.items()
        for field, kept in fields.items()
        for path, runs, first, last in kept
    ]
    print(f"{source}: {format_count(len(shapes), 'page class', 'page classes')} with a structure")
    for line in format_table([("where it stands", "runs", "first", "last"), *rows]) if rows else []:
        print(f"  {line}")
    for note in notes:
        print(f"  note: {note}")
    for url in lost:
        print(f"  not read: {url}")
    for each in found:
        print(f"  suggestion: {each}")
    if found:
        print("  Suggestions are not applied. Write a page class for the new shape, see docs/add-a-source.md.")
