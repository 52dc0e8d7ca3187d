"""`crawler snapshot`: fetch one page politely and lay it into `snapshots/<source>/` with a first expectation."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from crawler.cli.commands.crawl import find_source_of_url
from crawler.config import load_config
from crawler.errors import UsageError
from crawler.items import format_time
from crawler.pages.snapshot import Snapshot
from crawler.service.page_fetch import fetch_pages

SUFFIX_OF_KIND = {"html": ".html", "json": ".json", "xml": ".xml", "text": ".txt"}
KEPT_HEADERS = ("content-type", "date", "etag", "last-modified", "content-language", "server")
"""Response headers that go into the meta file."""


def snapshot(config_path: Path | None, url: str, source: str | None, folder: Path) -> int:
    """Fetch through the crawl's own manners (robots, delay, guard, honest User-Agent) and write three files.

    The page is kept whatever it is, also a refusal or a page of a new shape: those are worth most.
    """
    from crawler import spiders
    from crawler.archive.snapshot_folder import read_stored_file
    from crawler.fixtures import accept_stored_page

    config = load_config(config_path)
    name = source or find_source_of_url(url, config)
    site = spiders.load_spider(name).make_site(config)
    fetched = fetch_pages(config_path, config, name, url)
    for problem in fetched.problems:
        print(f"crawler: {problem}", file=sys.stderr)
    if not fetched.pages:
        if not fetched.problems:
            print(f"crawler: {fetched.reason}", file=sys.stderr)
        return fetched.outcome.exit_code or 1
    path = _write_page(fetched.pages[-1], url, folder / name)
    page = next(read_stored_file(path, path.absolute().parent.parent))
    accept_stored_page(page, site, "first expectation, written by the extractor: read the page and correct it")
    print(f"Written: {path}, with .meta.json and .expected.json beside it. Read the page and correct the expectation.")
    return 0


def _write_page(page: Snapshot, url: str, folder: Path) -> Path:
    """The body and its meta file; UsageError when a page of that name is kept already."""
    parts = urlsplit(url)
    words = re.sub(r"[^\w]+", "-", f"{parts.path}-{parts.query}").strip("-").lower()[-80:].strip("-") or "index"
    day = f"{page.fetched_at:%Y%m%d}-" if page.fetched_at else ""
    path = folder / f"{day}{words}{SUFFIX_OF_KIND[page.kind]}"
    if path.exists():
        raise UsageError(f"{path} exists already; move it away to keep the page anew.")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page.body)
    meta = {
        "url": page.url,
        "status": page.status,
        "headers": {name: value for name, value in page.headers.items() if name in KEPT_HEADERS},
        "fetched_at": format_time(page.fetched_at),
    }
    path.with_name(path.stem + ".meta.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
    return path
