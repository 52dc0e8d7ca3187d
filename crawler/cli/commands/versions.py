"""`crawler versions`: the versions of an article, and what each changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from crawler.cli.console import format_text_removal, print_json
from crawler.cli.options import ArticleArgument, JsonOption
from crawler.items import Article, SnapshotRef, format_time

if TYPE_CHECKING:
    from crawler.revisions.revision_diff import RevisionDiff
    from crawler.similarity.language_versions import TranslatedRelease


def versions(context: typer.Context, article: ArticleArgument, as_json: JsonOption = False) -> None:
    """List the versions of an article, and what each changed."""
    from crawler.cli.selection import resolve_article
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.publish.releases import find_release, format_release

    config = load_config(context.obj)
    with open_configured_store(config) as store:
        found = store.versions.list_by_article(resolve_article(store, article, config))
        release = find_release(store, config, found[-1])
        changes = store.diffs.list_by_article(found[-1].id, found)
    if not as_json:
        print(f"{found[-1].id}  {found[-1].headline}\n{found[-1].url}")
        if release is not None:
            print(f"languages: {format_release(release)}")
    for version, change in zip(found, changes, strict=True):
        if as_json:
            print_json(version_to_dict(version, change, release))
        else:
            print(format_version(version, config.timezone))
            if removal := format_text_removal(version, config.timezone):
                print(f"    {removal}")
            if change:
                print(f"    {change.summary}")


def version_to_dict(
    version: Article, changes: RevisionDiff | None = None, release: TranslatedRelease | None = None
) -> dict[str, Any]:
    """Return a version without its text, with what it changed and the languages that its release lacks."""
    values = version.to_dict()
    names = ("version", "verdict", "site_verdict", "fetched_at", "snapshot")
    row: dict[str, Any] = {name: values[name] for name in names}
    row["text_removed_at"] = format_time(version.text_removed_at)
    if changes is not None:
        row |= {"severity": changes.severity, "reason": changes.reason, "rules": changes.rules}
    if release is not None:
        row["missing_languages"] = list(release.missing_languages)
    return row


def format_version(version: Article, timezone: str) -> str:
    """Return a version's number, verdict, time and record as one line."""
    from crawler.text.dates import load_time_zone

    when = (
        format_time(version.fetched_at.astimezone(load_time_zone(timezone)))
        if version.fetched_at
        else "at an unknown time"
    )
    return f"version {version.version}  {version.verdict:11}  fetched {when}  {format_snapshot_place(version.snapshot)}"


def format_snapshot_place(ref: SnapshotRef | None) -> str:
    """Return the file and offset at which the page of a version is archived."""
    if ref is None or ref.file is None:
        return "page not kept"
    return f"{ref.file} at byte {ref.offset}" if ref.offset is not None else ref.file
