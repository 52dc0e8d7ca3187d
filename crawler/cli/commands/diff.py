"""`crawler diff` and `crawler versions`: what changed between two versions of an article, and which there are."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from crawler.cli.which import resolve_article
from crawler.config import load_config
from crawler.errors import UsageError
from crawler.items import Article, SnapshotRef, format_time
from crawler.publish.diff_format import DiffLine, format_plain, list_diff_lines
from crawler.revisions.alignment import DiffSpan
from crawler.revisions.changes import diff_articles
from crawler.text.dates import load_time_zone

STYLE_OF_MARK = {"same": "", "removed": "red strike", "added": "green"}


def diff(config_path: Path | None, article: str, first: int | None, last: int | None, as_json: bool) -> int:
    """Print what changed from one version to another (the last two unless named); the exit code."""
    config = load_config(config_path)
    versions = load_versions(config_path, article)
    if len(versions) == 1 and first is None and last is None:
        print(f"{versions[0].id} has one version: nothing changed since it was first seen.", file=sys.stderr)
    new = _get_version(versions, last) if last else versions[-1]
    before = [each for each in versions if (each.version or 0) < (new.version or 0)]
    old = _get_version(versions, first) if first else before[-1] if before else new
    changes = diff_articles(old, new)
    if as_json:
        print(
            json.dumps(
                {"id": new.id, "from": version_to_dict(old), "to": version_to_dict(new), **changes.to_dict()},
                ensure_ascii=False,
            )
        )
        return 0
    said = [f"{new.id}  {new.headline}", new.url]
    said += list(dict.fromkeys(format_version(each, config.timezone) for each in (old, new)))
    said += [f"{changes.severity}: {changes.reason}" if changes.changed else "nothing changed", ""]
    print_lines([*([DiffSpan("same", line)] for line in said), *list_diff_lines(changes)])
    return 0


def versions(config_path: Path | None, article: str, as_json: bool) -> int:
    """Print every version of an article with what each changed; the exit code."""
    from crawler.cli import releases as languages
    from crawler.store import open_store

    config = load_config(config_path)
    with open_store(config.database_url) as store:
        found = store.articles.versions__list_by_article(resolve_article(store, article, config))
        release = languages.find_release(store, config, found[-1])
    changes = [None, *(diff_articles(old, new) for old, new in pairwise(found))]
    if not as_json:
        print(f"{found[-1].id}  {found[-1].headline}\n{found[-1].url}")
        if release is not None:
            print(f"languages: {languages.format_release(release)}")
    for each, change in zip(found, changes, strict=True):
        if as_json:
            told = {"severity": change.severity, "reason": change.reason} if change else {}
            missing = {"missing_languages": list(release.missing_languages)} if release is not None else {}
            print(json.dumps({**version_to_dict(each), **told, **missing}, ensure_ascii=False))
        else:
            print(format_version(each, config.timezone))
            if change:
                print(f"    {change.severity}: {change.reason}")
    return 0


def load_versions(config_path: Path | None, article: str) -> list[Article]:
    """Every version of the article that is meant, the oldest first."""
    from crawler.store import open_store

    config = load_config(config_path)
    with open_store(config.database_url) as store:
        return store.articles.versions__list_by_article(resolve_article(store, article, config))


def version_to_dict(version: Article) -> dict[str, Any]:
    """A version without its text: number, verdict, time and record."""
    values = version.to_dict()
    return {name: values[name] for name in ("version", "verdict", "fetched_at", "snapshot")}


def format_version(version: Article, timezone: str) -> str:
    """One line: a version's number, verdict, time and record."""
    when = (
        format_time(version.fetched_at.astimezone(load_time_zone(timezone)))
        if version.fetched_at
        else "at an unknown time"
    )
    return f"version {version.version}  {version.verdict:11}  fetched {when}  {format_snapshot_place(version.snapshot)}"


def format_snapshot_place(ref: SnapshotRef | None) -> str:
    """Where the page of a version is kept."""
    if ref is None or ref.file is None:
        return "page not kept"
    return f"{ref.file} at byte {ref.offset}" if ref.offset is not None else ref.file


def print_lines(found: Sequence[DiffLine]) -> None:
    """Print lines: in colours on a terminal, with marks in a pipe."""
    if not sys.stdout.isatty():
        for line in found:
            print(format_plain(line))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in found:
        console.print(Text.assemble(*((part.text, STYLE_OF_MARK[part.mark]) for part in line)))


def _get_version(versions: Sequence[Article], number: int) -> Article:
    for version in versions:
        if version.version == number:
            return version
    have = ", ".join(str(version.version) for version in versions)
    raise UsageError(f"{versions[0].id} has no version {number}; it has {have}.")
