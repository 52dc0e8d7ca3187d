"""`crawler replay`: every snapshot's extraction against its expectation, field by field."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from crawler.config import load_config
from crawler.errors import PageChanged, UsageError
from crawler.fixtures import FieldResult
from crawler.text.counts import format_count

MAX_VALUE_LENGTH = 200
"""Characters shown of a value."""


def replay(config_path: Path | None, source: str | None, snapshots: Path, reason: str | None, as_json: bool) -> int:
    """Print what differs, and how many fields were compared; 0 when nothing differs and nothing was accepted."""
    from crawler import spiders
    from crawler.archive.snapshot_folder import load_stored_pages
    from crawler.fixtures import accept_stored_page, check_stored_page

    config = load_config(config_path)
    if reason is not None and not reason.strip():
        raise UsageError("--accept needs a reason: why is today's result right?")
    results: list[FieldResult] = []
    accepted: list[Path] = []
    for name in choose_snapshot_sources(source, snapshots):
        site = spiders.load_spider(name).make_site(config)
        for page in load_stored_pages(snapshots, name):
            found = list(check_stored_page(page, site))
            results += found
            if reason is not None and not all(result.passed for result in found):
                accepted.append(accept_stored_page(page, site, reason))
    (_print_json if as_json else _print_text)(results)
    for path in accepted:
        print(f"Written: {path}. Review it, then run `crawler replay` again.", file=sys.stderr)
    return 0 if all(result.passed for result in results) else PageChanged.exit_code


def choose_snapshot_sources(source: str | None, snapshots: Path) -> list[str]:
    """The source named, or all that the folder holds snapshots of."""
    from crawler import spiders

    names = [source] if source else [name for name in spiders.list_names() if (snapshots / name).is_dir()]
    if not names:
        raise UsageError(f"{snapshots} holds no folder of a source ({', '.join(spiders.list_names())}).")
    return names


def _print_json(results: Sequence[FieldResult]) -> None:
    for result in results:
        print(json.dumps(asdict(result), ensure_ascii=False))


def _print_text(results: Sequence[FieldResult]) -> None:
    for result in results:
        if not result.passed:
            print(f"{result.source}/{result.page} {result.field}")
            print(f"    expected {_shorten(result.expected)}")
            print(f"    found    {_shorten(result.found)}")
    for source, group in groupby(results, key=lambda result: result.source):
        mine = list(group)
        pages, passed = len({result.page for result in mine}), sum(result.passed for result in mine)
        print(f"{source}: {format_count(pages, 'page')}, {passed} of {format_count(len(mine), 'field')} as expected")


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}… ({len(text)} characters)"
