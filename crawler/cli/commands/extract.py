"""`crawler extract`: print the articles, or the links, of stored pages. It needs no network and no store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.console import list_lines, name_input, print_error, print_json, read_text
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.generic.memory_folder import MemoryFolder
    from crawler.pages.site import Reading
    from crawler.pages.snapshot import Snapshot

WARC_SUFFIXES = (".warc.gz", ".warc")


def extract(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Stored page: .html, .txt, .json, .xml or .warc.gz.")
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="SOURCE", help="Source that the page is from.")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="URL of the page, if no meta file has it.")] = None,
    content_type: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Content-Type of the page. Default: from the file's ending.")
    ] = None,
    links: Annotated[bool, typer.Option("--links", help="Print the links of a list page instead.")] = False,
    generic: Annotated[
        bool, typer.Option("--generic", help="Read a page of any site. Needs the extra `sites`.")
    ] = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="With --generic: FILE, or standard input, lists pages as JSON lines.")
    ] = False,
    site_memory: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --generic: folder to learn sites in, and to reuse.")
    ] = None,
) -> None:
    """Print the articles of one stored page as JSON lines.

    --generic --jsonl reads lines {"id", "file", "url"} and prints {"id", "title", "body", "published_at", "author",
    "language", "evidence"}, or {"id", "error"} for a page that cannot be read.
    """
    if generic:
        _extract_generic(file, url, content_type, site_memory, source=source, links=links, jsonl=jsonl)
        return
    if jsonl or site_memory is not None:
        raise UsageError("--jsonl and --site-memory need --generic.")
    if file is None or source is None:
        raise UsageError("extract needs a FILE with --source SOURCE, or with --generic for a page of any site.")
    _extract_source(context, file, source, url, content_type, links=links)


def _extract_source(
    context: typer.Context, file: Path, source: str, url: str | None, content_type: str | None, *, links: bool
) -> None:
    """Print what the page class of a source reads. Exit with the worst code of the pages."""
    from crawler import spiders
    from crawler.config import load_config
    from crawler.errors import NotAnArticle, SourceError, choose_exit_code
    from crawler.keywords import Matcher, load_rules
    from crawler.pages.base import name_stored_file, read_snapshot
    from crawler.spiders.url_mapping import parse_url_argument

    config = load_config(context.obj)
    spider = spiders.load_spider(source)
    site, url_mapping = spider.make_site(config), spider.make_url_mapping(config)
    matcher = Matcher(load_rules(config.rules))
    codes: dict[tuple[str, str, bytes | None], int] = {}
    page_url = parse_url_argument(url) if url is not None else None
    for page in read_snapshots(file, page_url, content_type):
        snapshot = replace(page, url=url_mapping.to_public_url(page.url))
        request = (snapshot.method, snapshot.url, snapshot.payload)
        codes.pop(request, None)  # an archive may hold a failed attempt before the answer
        if 300 <= snapshot.status < 400 and file.name.endswith(WARC_SUFFIXES):
            continue  # not modified since an earlier record, or redirected to a later one
        try:
            reading = read_snapshot(snapshot, site)
        except NotAnArticle as reason:
            print_error(name_stored_file(str(reason), snapshot.url, file))
            continue
        except SourceError as error:
            print_error(name_stored_file(str(error), snapshot.url, file))
            codes[request] = error.exit_code
            continue
        if links:
            for link in reading.links:
                print_json({"link": link})
        else:
            for article in reading.articles:
                matches = matcher.find_matches(article.texts, language=article.language, source=article.source)
                print_json(replace(article, matches=matches).to_dict())
        print_notes(reading, name_stored_file(snapshot.url, snapshot.url, file), links=links)
        for problem in reading.problems:
            codes[request] = problem.exit_code
    raise typer.Exit(choose_exit_code(codes.values()))


def _extract_generic(
    file: Path | None,
    url: str | None,
    content_type: str | None,
    site_memory: Path | None,
    *,
    source: str | None,
    links: bool,
    jsonl: bool,
) -> None:
    """Print what the generic reader finds in one page, or in each page that JSON lines name."""
    from crawler.generic.extractors import raise_if_not_installed
    from crawler.generic.memory_folder import MemoryFolder
    from crawler.generic.reader import read_stored_page

    if source is not None or links:
        raise UsageError("--generic reads pages of any site: it takes neither --source nor --links.")
    raise_if_not_installed()
    memories = MemoryFolder(site_memory) if site_memory is not None else None
    if jsonl:
        if url is not None or content_type is not None:
            raise UsageError("--jsonl takes the URL of each page from its line, not from --url or --content-type.")
        _extract_listed(file, memories)
    elif file is None:
        raise UsageError("extract --generic needs a FILE, or --jsonl with a list of pages.")
    else:
        print_json(read_stored_page(file, url or "", content_type, memories).to_dict())


def _extract_listed(file: Path | None, memories: MemoryFolder | None) -> None:
    """Print a row for each page that JSON lines name. Raise UsageError when not one page could be read."""
    from crawler.generic.page_list import read_listed_pages

    name = str(file) if file is not None else "-"
    folder = file.parent if file is not None and name != "-" else Path()
    lines = list_lines(read_text(name), name)
    read_count = 0
    for row in read_listed_pages(lines, folder, memories):
        print_json(row)
        read_count += "error" not in row
    if not read_count:
        raise UsageError(f"None of the {len(lines)} pages of {name_input(name)} could be read; each row says why.")


def read_snapshots(file: Path, url: str | None, content_type: str | None) -> Iterator[Snapshot]:
    """Yield the snapshots of a file: one page, or every response of a WARC file.

    With a content type, a page's file may have any ending. Raise UsageError when the file cannot be read.
    """
    from crawler.archive.snapshot_folder import read_stored_file
    from crawler.pages.snapshot import Snapshot, guess_kind

    if content_type is None or file.name.endswith(WARC_SUFFIXES):
        yield from (page.snapshot for page in read_stored_file(file, url=url))
        return
    headers = {"content-type": content_type}
    if guess_kind(file.name) is not None:
        for page in read_stored_file(file, url=url):
            yield replace(page.snapshot, headers={**page.snapshot.headers, **headers}, kind_hint=None)
        return
    try:
        snapshot = Snapshot(url=url or "", body=file.read_bytes(), headers=headers)
    except OSError as error:
        raise UsageError(f"The file {file} cannot be read: {error.strerror}.") from error
    yield snapshot if url else replace(snapshot, url=f"stored://{snapshot.digest.replace(':', '/')}")


def print_notes(reading: Reading, url: str, *, links: bool) -> None:
    """Print to stderr what could not be read, or was skipped."""
    from crawler.text.counts import format_count

    for problem in reading.problems:
        print_error(problem)
    if reading.links and not links:
        print_error(
            f"{url} is a list of {format_count(len(reading.links), 'article')}, not an article. "
            "Print its links with --links."
        )
    if links and not reading.links:
        print_error(f"{url} is not a list page: it has no links to articles.")
    for skipped in reading.skipped:
        print_error(f"{skipped}.")
