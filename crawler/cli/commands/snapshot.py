"""`crawler snapshot`: fetch one page and store it in `snapshots/<source>/` with a first expectation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from crawler.cli.console import print_error
from crawler.cli.options import PageSourceOption, SnapshotsOption
from crawler.errors import UsageError
from crawler.items import format_time

if TYPE_CHECKING:
    from crawler.pages.snapshot import Snapshot

SUFFIX_OF_KIND = {"html": ".html", "json": ".json", "xml": ".xml", "text": ".txt"}
MAX_NAME_LENGTH = 80
KEPT_HEADERS = ("content-type", "date", "etag", "last-modified", "content-language", "server")
"""Response headers that the meta file keeps."""


def snapshot(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="URL of the page.")],
    source: PageSourceOption = None,
    snapshots: SnapshotsOption = Path("snapshots"),
) -> None:
    """Fetch one page into snapshots/ with a first expectation.

    The request obeys robots.txt, the delay and every other rule of a crawl. The page is stored whatever it is: a
    refusal or a page with a new structure is worth most.
    """
    from crawler import spiders
    from crawler.archive.snapshot_folder import read_stored_file
    from crawler.cli.selection import find_source_of_url
    from crawler.config import load_config
    from crawler.fixtures import accept_stored_page
    from crawler.service.page_fetch import fetch_pages
    from crawler.spiders.url_mapping import parse_url_argument

    url = parse_url_argument(url)
    config = load_config(context.obj)
    name = source or find_source_of_url(url, config, "snapshot --source mfa")
    site = spiders.load_spider(name).make_site(config)
    fetched = fetch_pages(context.obj, config, name, url)
    for problem in fetched.problems:
        print_error(problem)
    if not fetched.pages:
        if not fetched.problems:
            print_error(fetched.reason)
        raise typer.Exit(fetched.outcome.exit_code or 1)
    path = _write_page(fetched.pages[-1], url, snapshots / name)
    page = next(read_stored_file(path, path.absolute().parent.parent))
    accept_stored_page(page, site, "first expectation, written by the extractor: read the page and correct it")
    print(f"Written: {path}, with .meta.json and .expected.json. Read the page and correct the expectation.")


def _write_page(page: Snapshot, url: str, folder: Path) -> Path:
    """Write the body and its meta file. Return the body's path. Raise UsageError when the file exists already."""
    from crawler.archive.snapshot_folder import get_side_file
    from crawler.publish.atomic_write import write_atomic

    parts = urlsplit(url)
    words = re.sub(r"[^\w]+", "-", f"{parts.path}-{parts.query}").strip("-").lower()
    day = f"{page.fetched_at:%Y%m%d}-" if page.fetched_at else ""
    path = folder / f"{day}{words[-MAX_NAME_LENGTH:].strip('-') or 'index'}{SUFFIX_OF_KIND[page.kind]}"
    if path.exists():
        raise UsageError(f"{path} exists already. Move it away to store the page again.")
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(path, page.body, "--snapshots")
    meta = {
        "url": page.url,
        "status": page.status,
        "headers": {name: value for name, value in page.headers.items() if name in KEPT_HEADERS},
        "fetched_at": format_time(page.fetched_at),
    }
    write_atomic(get_side_file(path, ".meta.json"), (json.dumps(meta, indent=1) + "\n").encode(), "--snapshots")
    return path
