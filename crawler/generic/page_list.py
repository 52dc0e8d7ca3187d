"""Read the pages that JSON lines name, one at a time. A page that cannot be read is a row with its error."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.errors import CrawlerError, UsageError
from crawler.generic.memory_folder import MemoryFolder
from crawler.generic.page import name_site
from crawler.generic.reader import load_page, read_page, read_stored_page
from crawler.generic.site_memory import LEARNING_PAGES, MIN_PAGES


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page that a list names: its id there, its file and its URL (may be empty)."""

    id: Any
    file: Path
    url: str


def read_listed_pages(
    lines: Sequence[tuple[str, str]], folder: Path, memories: MemoryFolder | None = None
) -> Iterator[dict[str, Any]]:
    """Yield a row for each line of a list: the fields of its article with the line's `id`, or `id` and `error`.

    Each line has its place before it, for messages. Files are relative to `folder`. With `memories`, the list's sites
    are learned before its pages are read, so that the first page of a site is read as well as the last one.
    """
    if memories is not None:
        _learn_sites(lines, folder, memories)
    for where, line in lines:
        identity: Any = None
        try:
            values = _parse_line(line, where)
            identity = values.get("id")
            page = _make_listed_page(values, folder, where)
            yield {"id": page.id, **read_stored_page(page.file, page.url, memories=memories).to_dict()}
        except CrawlerError as error:
            yield {"id": identity, "error": str(error)}
        except Exception as error:  # noqa: BLE001 - a page that breaks a library must not end the list
            message = f"The page at {where} cannot be read: {type(error).__name__}: {error}"
            yield {"id": identity, "error": str(CrawlerError(message))}


def _learn_sites(lines: Sequence[tuple[str, str]], folder: Path, memories: MemoryFolder) -> None:
    """Learn sites that are not well known from their first pages. Failures are reported when pages are read."""
    waiting: defaultdict[str, list[ListedPage]] = defaultdict(list)
    for where, line in lines:
        with suppress(CrawlerError):
            page = _make_listed_page(_parse_line(line, where), folder, where)
            waiting[name_site(page.url)].append(page)
    for site, pages in waiting.items():
        if not site or len(pages) < MIN_PAGES:
            continue
        with suppress(CrawlerError):
            memory = memories.get_memory(site)
            if memory.is_template_reliable:
                continue
            for page in pages[:LEARNING_PAGES]:
                if len(memory.pages) < LEARNING_PAGES and page.url not in memory.pages:
                    with suppress(Exception):
                        read_page(load_page(page.file, page.url), memory)
            memories.save_memory(memory)


def _parse_line(line: str, where: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The {where} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise UsageError(f'The {where} is not an object with "id", "file" and "url".')
    return values


def _make_listed_page(values: dict[str, Any], folder: Path, where: str) -> ListedPage:
    file, url = values.get("file"), values.get("url")
    if "id" not in values or not isinstance(file, str) or not file:
        raise UsageError(f'The {where} needs "id" and "file", the name of a page\'s file.')
    if url is not None and not isinstance(url, str):
        raise UsageError(f'In the {where}, "url" is not a text.')
    return ListedPage(values["id"], folder / file, url or "")
