"""`crawler replay`: every snapshot's extraction against its expectation, field by field."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from crawler.cli.plural import plural
from crawler.config import load
from crawler.errors import PageChanged, UsageError
from crawler.replay import Result

LONGEST = 200
"""Characters shown of a value."""


def replay(config_path: Path | None, source: str | None, snapshots: Path, reason: str | None, as_json: bool) -> int:
    """Print what differs, and how many fields were compared; 0 when nothing differs and nothing was accepted."""
    from crawler import spiders
    from crawler.archive.folder import stored_pages
    from crawler.replay import accept, check

    config = load(config_path)
    if reason is not None and not reason.strip():
        raise UsageError("--accept needs a reason: why is today's result right?")
    results: list[Result] = []
    accepted: list[Path] = []
    for name in kept(source, snapshots):
        site = spiders.load(name).site_of(config)
        for page in stored_pages(snapshots, name):
            found = list(check(page, site))
            results += found
            if reason is not None and not all(result.passed for result in found):
                accepted.append(accept(page, site, reason))
    (_print_json if as_json else _print)(results)
    for path in accepted:
        print(f"Written: {path}. Review it, then run `crawler replay` again.", file=sys.stderr)
    return 0 if all(result.passed for result in results) else PageChanged.exit_code


def kept(source: str | None, snapshots: Path) -> list[str]:
    """The source named, or all that the folder holds snapshots of."""
    from crawler import spiders

    names = [source] if source else [name for name in spiders.names() if (snapshots / name).is_dir()]
    if not names:
        raise UsageError(f"{snapshots} holds no folder of a source ({', '.join(spiders.names())}).")
    return names


def _print_json(results: Sequence[Result]) -> None:
    for result in results:
        print(json.dumps(asdict(result), ensure_ascii=False))


def _print(results: Sequence[Result]) -> None:
    for result in results:
        if not result.passed:
            print(f"{result.source}/{result.page} {result.field}")
            print(f"    expected {_short(result.expected)}")
            print(f"    found    {_short(result.found)}")
    for source, group in groupby(results, key=lambda result: result.source):
        mine = list(group)
        pages, passed = len({result.page for result in mine}), sum(result.passed for result in mine)
        print(f"{source}: {plural(pages, 'page')}, {passed} of {plural(len(mine), 'field')} as expected")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
