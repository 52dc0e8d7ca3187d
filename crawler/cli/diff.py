"""`crawler diff` and `crawler versions`: what changed between two versions of an article, and which there are."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from crawler.cli.which import article_id
from crawler.config import load
from crawler.dedupe.alignment import Part
from crawler.dedupe.changes import between
from crawler.errors import UsageError
from crawler.feeds.marks import Line, lines, plain
from crawler.items import Article, SnapshotRef, iso
from crawler.text.dates import zone

STYLES = {"same": "", "removed": "red strike", "added": "green"}


def diff(config_path: Path | None, article: str, first: int | None, last: int | None, as_json: bool) -> int:
    """Print what changed from one version to another (the last two unless named); the exit code."""
    config = load(config_path)
    versions = stored(config_path, article)
    if len(versions) == 1 and first is None and last is None:
        print(f"{versions[0].id} has one version: nothing changed since it was first seen.", file=sys.stderr)
    new = _version(versions, last) if last else versions[-1]
    before = [each for each in versions if (each.version or 0) < (new.version or 0)]
    old = _version(versions, first) if first else before[-1] if before else new
    changes = between(old, new)
    if as_json:
        print(json.dumps({"id": new.id, "from": about(old), "to": about(new), **changes.to_dict()}, ensure_ascii=False))
        return 0
    said = [f"{new.id}  {new.headline}", new.url]
    said += list(dict.fromkeys(described(each, config.timezone) for each in (old, new)))
    said += [f"{changes.severity}: {changes.reason}" if changes.changed else "nothing changed", ""]
    show([*([Part("same", line)] for line in said), *lines(changes)])
    return 0


def versions(config_path: Path | None, article: str, as_json: bool) -> int:
    """Print every version of an article with what each changed; the exit code."""
    from crawler.cli import languages
    from crawler.store import open_store

    config = load(config_path)
    with open_store(config.database_url) as store:
        found = store.articles.versions(article_id(store, article, config))
        release = languages.release_of(store, config, found[-1])
    changes = [None, *(between(old, new) for old, new in pairwise(found))]
    if not as_json:
        print(f"{found[-1].id}  {found[-1].headline}\n{found[-1].url}")
        if release is not None:
            print(f"languages: {languages.line(release)}")
    for each, change in zip(found, changes, strict=True):
        if as_json:
            told = {"severity": change.severity, "reason": change.reason} if change else {}
            missing = {"missing_languages": list(release.missing)} if release is not None else {}
            print(json.dumps({**about(each), **told, **missing}, ensure_ascii=False))
        else:
            print(described(each, config.timezone))
            if change:
                print(f"    {change.severity}: {change.reason}")
    return 0


def stored(config_path: Path | None, article: str) -> list[Article]:
    """Every version of the article that is meant, the oldest first."""
    from crawler.store import open_store

    config = load(config_path)
    with open_store(config.database_url) as store:
        return store.articles.versions(article_id(store, article, config))


def about(version: Article) -> dict[str, Any]:
    """A version without its text: number, verdict, time and record."""
    values = version.to_dict()
    return {name: values[name] for name in ("version", "verdict", "fetched_at", "snapshot")}


def described(version: Article, timezone: str) -> str:
    """One line: a version's number, verdict, time and record."""
    when = iso(version.fetched_at.astimezone(zone(timezone))) if version.fetched_at else "at an unknown time"
    return f"version {version.version}  {version.verdict:11}  fetched {when}  {place(version.snapshot)}"


def place(ref: SnapshotRef | None) -> str:
    """Where the page of a version is kept."""
    if ref is None or ref.file is None:
        return "page not kept"
    return f"{ref.file} at byte {ref.offset}" if ref.offset is not None else ref.file


def show(found: Sequence[Line]) -> None:
    """Print lines: in colours on a terminal, with marks in a pipe."""
    if not sys.stdout.isatty():
        for line in found:
            print(plain(line))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in found:
        console.print(Text.assemble(*((part.text, STYLES[part.mark]) for part in line)))


def _version(versions: Sequence[Article], number: int) -> Article:
    for version in versions:
        if version.version == number:
            return version
    have = ", ".join(str(version.version) for version in versions)
    raise UsageError(f"{versions[0].id} has no version {number}; it has {have}.")
