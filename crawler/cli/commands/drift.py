"""`crawler drift`: show where each field is on a source's pages, what moved, and where a lost field may be now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from crawler.cli.console import format_table, print_json
from crawler.cli.options import JsonOption, OneSourceArgument
from crawler.errors import ArchiveError, NoSnapshots, PageChanged
from crawler.items import Extraction

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.fixtures.selector_suggestions import ChangedPage, SelectorSuggestion
    from crawler.items import Run
    from crawler.pages.snapshot import Snapshot
    from crawler.spiders.base import SourceSpider
    from crawler.store import Store

MAX_AGE_OF_STRUCTURES = timedelta(days=400)
MAX_ARCHIVE_FILES = 2
"""Archive files that one run may have written: one for each day."""
MAX_NEWEST_ARTICLES = 200
"""Articles among which those are that the last run read with the generic reader."""


def drift(context: typer.Context, source: OneSourceArgument, as_json: JsonOption = False) -> None:
    """Show where each field is on a source's pages.

    It also prints what moved, and for pages that the source's page classes could not read in the last run, where the
    fields may be now. Exits with 12 if there are such pages.
    """
    from crawler import spiders
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.fixtures.selector_suggestions import suggest_selectors

    config, spider = load_config(context.obj), spiders.load_spider(source)
    with open_configured_store(config) as store:
        since = datetime.now(UTC) - MAX_AGE_OF_STRUCTURES
        measured = store.runs.list_with_measure(source, "shapes", since=since, limit=1)
        last_run = next((run for run in store.runs.list_recent(source, mode="live") if run.finished_at), None)
        lost = list(_find_lost_pages(store, config, spider, last_run)) if last_run else []
    structures: dict[str, Any] = measured[0].measures["shapes"] if measured else {}
    notes = last_run.measures.get("notes", []) if last_run else []
    suggestions = list(suggest_selectors([changed for _, changed in lost]))
    urls = [url for url, _ in lost]
    if as_json:
        suggested = [asdict(each) for each in suggestions]
        print_json({"source": source, "shapes": structures, "notes": notes, "lost": urls, "suggestions": suggested})
    else:
        _print_text(source, structures, notes, urls, suggestions)
    raise typer.Exit(PageChanged.exit_code if lost else 0)


def _find_lost_pages(
    store: Store, config: Config, spider: type[SourceSpider], run: Run
) -> Iterator[tuple[str, ChangedPage]]:
    """Yield the archived pages that the source's page classes could not read in the run, with their known articles.

    That includes pages that only the generic reader could read.
    """
    from crawler.fixtures.selector_suggestions import ChangedPage
    from crawler.monitoring.run_counts import RunCount

    urls = {problem.url for problem in run.problems if problem.kind == PageChanged.kind and problem.url}
    if run.counts.get(RunCount.READ_GENERICALLY):
        newest = store.articles.iter_newest(source=spider.name, limit=MAX_NEWEST_ARTICLES)
        urls |= {article.url for article in newest if article.extraction is Extraction.GENERIC}
    site = spider.make_site(config)
    for url, page in _read_archived_pages(config, spider, run, urls).items():
        address = site.identify(url)
        if address and page.kind == "html" and page.body:
            known = [each for each in store.articles.list_by_url(address.url) if each.source == spider.name]
            yield url, ChangedPage(page, known[0] if known else None, site.time_zone)


def _read_archived_pages(config: Config, spider: type[SourceSpider], run: Run, urls: set[str]) -> dict[str, Snapshot]:
    """Return what the archive has of these public URLs from this run or later."""
    from crawler.archive.snapshot_folder import find_source_folder
    from crawler.archive.snapshot_reader import read_snapshots

    url_mapping = spider.make_url_mapping(config)
    pages: dict[str, Snapshot] = {}
    try:
        folder = find_source_folder(config.archive_dir, spider.name)
    except NoSnapshots:
        return pages
    begun = run.started_at.replace(microsecond=0)  # WARC times have whole seconds
    for path in sorted(folder.glob("*.warc.gz"))[-MAX_ARCHIVE_FILES:] if urls else []:
        with suppress(ArchiveError):  # a broken or cut file only means fewer pages
            for page in read_snapshots(path):
                url = url_mapping.to_public_url(page.url)
                if url in urls and page.fetched_at and page.fetched_at >= begun:
                    pages[url] = page
    return pages


def _print_text(
    source: str, structures: dict[str, Any], notes: list[str], lost: list[str], suggestions: list[SelectorSuggestion]
) -> None:
    from crawler.monitoring.drift import TEMPLATE_FIELD
    from crawler.text.counts import format_count

    rows = [
        (f"{page}.{field} {'' if field == TEMPLATE_FIELD else path}".rstrip(), str(runs), first[:10], last[:10])
        for page, fields in structures.items()
        for field, kept in fields.items()
        for path, runs, first, last in kept
    ]
    classes = f"{format_count(len(structures), 'page class', 'page classes')} with a structure"
    print(f"{source}: {classes if structures else 'No live run has been measured yet.'}")
    for line in format_table([("place of the field", "runs", "first", "last"), *rows]) if rows else []:
        print(f"  {line}")
    for note in notes:
        print(f"  note: {note}")
    for url in lost:
        print(f"  not read by its page class: {url}")
    for each in suggestions:
        print(f"  suggestion: {each}")
    if suggestions:
        print("  Suggestions are not applied. Write a page class for the new structure, see docs/add-a-source.md.")
