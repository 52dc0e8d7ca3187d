"""`crawler drift SOURCE`: where each field stands, what moved, and for pages no longer read, where it may stand now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawler.archive.folder import source_folder
from crawler.archive.reader import read_snapshots
from crawler.cli.lines import table
from crawler.cli.plural import plural
from crawler.config import Config, load
from crawler.errors import ArchiveError, NothingStored, PageChanged
from crawler.health.drift import TEMPLATE
from crawler.items import Run
from crawler.replay.suggestion import Changed, Suggestion, suggest
from crawler.snapshot import Snapshot
from crawler.source import SourceSpider
from crawler.store import Store, open_store

LONG_AGO = timedelta(days=400)
FILES = 2
"""Archive files that a run may have written: one a day."""


def drift(config_path: Path | None, source: str, as_json: bool) -> int:
    """Print the ledger of paths, the newest run's notes, suggestions for its lost pages; 12 when it lost some."""
    from crawler import spiders

    config, spider = load(config_path), spiders.load(source)
    with open_store(config.database_url) as store:
        measured = store.runs.measured(source, "shapes", since=datetime.now(UTC) - LONG_AGO, limit=1)
        last = next((run for run in store.runs.recent(source, mode="live") if run.finished_at), None)
        lost = list(_lost(store, config, spider, last)) if last else []
    shapes: dict[str, Any] = measured[0].measures["shapes"] if measured else {}
    notes = last.measures.get("notes", []) if last else []
    found = list(suggest([changed for _, changed in lost]))
    (_print_json if as_json else _print)(source, shapes, notes, [url for url, _ in lost], found)
    return PageChanged.exit_code if lost else 0


def _lost(store: Store, config: Config, spider: type[SourceSpider], run: Run) -> Iterator[tuple[str, Changed]]:
    """The pages that the run could not read, as the archive has them, with what their addresses gave before."""
    urls = {problem.url for problem in run.problems if problem.kind == PageChanged.__name__ and problem.url}
    site = spider.site_of(config)
    for url, page in _archived(config, spider, run, urls).items():
        address = site.identify(url)
        if address and page.kind == "html" and page.body:
            known = [each for each in store.articles.by_url(address.url) if each.source == spider.name]
            yield url, Changed(page, known[0] if known else None, site.zone)


def _archived(config: Config, spider: type[SourceSpider], run: Run, urls: set[str]) -> dict[str, Snapshot]:
    mirror, found = spider.mirror_in(config), dict[str, Snapshot]()
    try:
        folder = source_folder(config.archive_dir, spider.name)
    except NothingStored:
        return found
    begun = run.started_at.replace(microsecond=0)
    for path in sorted(folder.glob("*.warc.gz"))[-FILES:] if urls else []:
        with suppress(ArchiveError):  # what is broken or cut off is one page less
            for page in read_snapshots(path):
                url = mirror.inward(page.url)
                if url in urls and page.fetched_at and page.fetched_at >= begun:
                    found[url] = page
    return found


def _print_json(
    source: str, shapes: dict[str, Any], notes: list[str], lost: list[str], found: list[Suggestion]
) -> None:
    suggestions = [asdict(each) for each in found]
    values = {"source": source, "shapes": shapes, "notes": notes, "lost": lost, "suggestions": suggestions}
    print(json.dumps(values, ensure_ascii=False))


def _print(source: str, shapes: dict[str, Any], notes: list[str], lost: list[str], found: list[Suggestion]) -> None:
    rows = [
        (f"{page}.{field} {'' if field == TEMPLATE else path}".rstrip(), str(runs), first[:10], last[:10])
        for page, fields in shapes.items()
        for field, kept in fields.items()
        for path, runs, first, last in kept
    ]
    print(f"{source}: {plural(len(shapes), 'page class', 'page classes')} with a structure")
    for line in table([("where it stands", "runs", "first", "last"), *rows]) if rows else []:
        print(f"  {line}")
    for note in notes:
        print(f"  note: {note}")
    for url in lost:
        print(f"  not read: {url}")
    for each in found:
        print(f"  suggestion: {each}")
    if found:
        print("  Suggestions are not applied. Write a page class for the new shape, see docs/add-a-source.md.")
