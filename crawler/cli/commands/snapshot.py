"""`crawler snapshot`: fetch one page and store it in `snapshots/<source>/` with a first expectation."""

from __future__ import annotations

from typing import Annotated

import typer

from crawler.cli.console import print_error
from crawler.cli.options import PageSourceOption, SnapshotsOption


def snapshot(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="URL of the page.")],
    source: PageSourceOption = None,
    snapshots: SnapshotsOption = None,
) -> None:
    """Fetch one page into snapshots/ with a first expectation.

    The request obeys robots.txt, the delay and every other rule of a crawl. The page is stored whatever it is: a
    refusal or a page with a new structure is worth most.
    """
    from crawler import spiders
    from crawler.archive.snapshot_folder import read_stored_file
    from crawler.cli.selection import choose_snapshots, find_source_of_url
    from crawler.config import load_config
    from crawler.fixtures import accept_stored_page, write_stored_page
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
    folder = choose_snapshots(snapshots, name)
    path = write_stored_page(fetched.pages[-1], url, folder / name)
    page = next(read_stored_file(path, path.absolute().parent.parent))
    accept_stored_page(page, site, "first expectation, written by the extractor: read the page and correct it")
    print(f"Written: {path}, with .meta.json and .expected.json. Read the page and correct the expectation.")
