"""`crawler store`: copy, check, measure and prune the store, back it up, restore it, or make it or its index again."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.console import format_local_time, format_megabytes, print_error, print_json
from crawler.cli.help import CommandApp
from crawler.cli.options import JsonOption

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.service.backup import Backup
    from crawler.service.rebuild import RebuildReport
    from crawler.service.retention import PrunePlan
    from crawler.store.integrity import StoreFinding
    from crawler.store.live_copy import CopyReport

MAX_NAMED = 20
"""Files, records and pages that are named one by one; the others are only counted."""
INCOMPLETE_EXIT_CODE = 1
app = CommandApp(help="Back up, copy, check, prune or rebuild the store.", no_args_is_help=True)

BackupArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Backup, a zip file.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace a store that is not empty; keep it beside.")
]


@app.command()
def backup(context: typer.Context, file: BackupArgument) -> None:
    """Write the store and the configuration into one file.

    It also lists the files of the archive. Runs may go on meanwhile. The file has no addresses of channels and no
    passwords. Only this user can read it.
    """
    from crawler.config import load_config
    from crawler.service.backup import write_backup

    config = load_config(context.obj)
    written = write_backup(config, file, datetime.now(UTC))
    for line in format_backup(file, written):
        print(line)


@app.command()
def restore(
    context: typer.Context,
    file: BackupArgument,
    overwrite: OverwriteOption = False,
    files: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write its configuration, rules and sources there.")
    ] = None,
) -> None:
    """Restore the store from a backup.

    SQLite or PostgreSQL, whichever the backup is of. Exits with 1 if the archive lacks a file that the backup lists.
    """
    from crawler.archive.spooled_archive import open_archive
    from crawler.config import load_config
    from crawler.service.backup import find_archive_damage, restore_backup

    config = load_config(context.obj)
    restored = restore_backup(config, file, overwrite=overwrite, folder=files, now=datetime.now(UTC))
    for line in format_restored(config, restored.backup, restored.former, files):
        print(line)
    archive = open_archive(config.archive_dir, config.objects)
    damaged = [f"{each.name} is {how}" for each, how in find_archive_damage(config, restored.backup)]
    if restored.backup.archive and not damaged:
        print(f"The archive {archive} has every file that the backup lists.")
    if damaged:
        of = len(restored.backup.archive)
        print_error(f"the archive {archive} lacks {len(damaged)} of {of} files that the backup lists:")
        for line in shorten_list(damaged):
            print_error(line)
    raise typer.Exit(INCOMPLETE_EXIT_CODE if damaged else 0)


@app.command()
def rebuild(context: typer.Context, overwrite: OverwriteOption = False) -> None:
    """Rebuild the store from the archive.

    Every page is read by today's page classes and rules. No subscriber is notified. Exits with 1 if a part of the
    archive cannot be read.
    """
    from crawler.config import load_config
    from crawler.service.rebuild import rebuild_store

    config = load_config(context.obj)
    # Each page that cannot be read is counted; the log would name it as in a live run.
    logging.getLogger().addHandler(logging.NullHandler())
    report = rebuild_store(config, datetime.now(UTC), overwrite=overwrite, on_file=show_file)
    for line in format_rebuilt(config, report):
        print(line)
    for line in shorten_list(report.unreadable):
        print_error(f"not read: {line}")
    raise typer.Exit(INCOMPLETE_EXIT_CODE if report.unreadable else 0)


@app.command()
def copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="Address of the store to copy, as in `database`.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Address of an empty database.")],
) -> None:
    """Copy a store into another database, SQLite or PostgreSQL.

    The first store stays in use meanwhile. If the command is interrupted, run it again: it continues.
    """
    from crawler.cli.task_progress import show_progress
    from crawler.config import load_config
    from crawler.store.live_copy import copy_store

    config = load_config(context.obj)
    with show_progress() as progress:
        report = copy_store(source, target, progress.update)
    for line in format_copied(config, source, target, report):
        print(line)


@app.command()
def check(
    context: typer.Context,
    records: Annotated[bool, typer.Option("--records", help="Also read every archive record; takes hours.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the store and the archive for damage.

    Prints what should never be and what to do about it. Exits with 20 if there is something. Nothing is changed.
    """
    from crawler.archive.spooled_archive import open_archive
    from crawler.cli.task_progress import show_progress
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.errors import ObjectStorageError, StoreInconsistent
    from crawler.service.store_check import StoreChecker, format_finding

    config = load_config(context.obj)
    archive = open_archive(config.archive_dir, config.objects)
    findings: list[StoreFinding] = []
    outage: ObjectStorageError | None = None
    with open_configured_store(config) as store, show_progress() as progress:
        checker = StoreChecker(store, archive, with_records=records, on_progress=progress.update)
        try:
            for finding in checker.iter_findings():
                findings.append(finding)
        except ObjectStorageError as error:
            outage = error
        name = store.name
    for finding in findings:
        if as_json:
            print_json({**asdict(finding), "message": format_finding(finding)})
        else:
            print(format_finding(finding))
    if outage is not None:
        raise outage
    if not findings and not as_json:
        print(f"Nothing is wrong with {name} and the archive {archive}.")
    raise typer.Exit(StoreInconsistent.exit_code if findings else 0)


@app.command()
def stats(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show what the store has and what takes space."""
    from crawler.archive.spooled_archive import open_archive
    from crawler.cli.store_statistics import format_statistics
    from crawler.cli.task_progress import show_progress
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.service.store_statistics import collect_statistics

    config = load_config(context.obj)
    with open_configured_store(config) as store, show_progress() as progress:
        archive = open_archive(config.archive_dir, config.objects)
        statistics = collect_statistics(store, archive, progress.update)
    if as_json:
        print_json(statistics.to_dict())
        return
    for line in format_statistics(config, statistics):
        print(line)


@app.command()
def prune(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be removed, remove nothing.")] = False,
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help="Give the free space of the store back to the disk.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete what is older than `[retention]` allows.

    What a subscriber was notified of is always kept. Without an age nothing is removed. If the command is interrupted,
    the next one continues.
    """
    from crawler.cli.task_progress import show_progress
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.roles import LOCAL_NAME
    from crawler.service.retention import Pruner

    config, now = load_config(context.obj), datetime.now(UTC)
    with open_configured_store(config) as store, show_progress() as progress:
        pruner = Pruner(config, store, now, progress.update)
        plan = pruner.make_plan()
        if not dry_run and not plan.is_empty:
            pruner.remove(plan)
            store.audit.record(LOCAL_NAME, "store.prune", ", ".join(list_removals(plan)), at=datetime.now(UTC))
        if vacuum and not dry_run:
            progress.update("giving space back", 0, None)
            store.retention.give_space_back()
        free = store.retention.get_free_bytes()
    if as_json:
        print_json({"dry_run": dry_run, **asdict(plan), "free_bytes": free})
        return
    for line in format_pruned(config, plan, free, dry_run=dry_run):
        print(line)


@app.command()
def reindex(context: typer.Context) -> None:
    """Rebuild the full-text index of all versions.

    Searches find less until it is done. If it is interrupted, the next run or search continues.
    """
    from crawler.cli.index_progress import index_waiting_versions
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.text.counts import format_count

    with open_configured_store(load_config(context.obj)) as store:
        store.search.reset()
        index_waiting_versions(store)
        print(f"{format_count(store.search.get_state().indexed, 'version')} indexed in {store.name}.")


def format_backup(file: Path, written: Backup) -> Iterator[str]:
    """Yield what a backup contains, and what it lacks."""
    from crawler.text.counts import format_count

    articles = format_count(written.counts.get("articles", 0), "article")
    owner_files = "".join(f", {name}" for name in written.describe_owner_files())
    yield f"{file}: the store with {articles}{owner_files}, and a list of {_format_archive(written)}."
    if written.removed:
        yield f"Left out, to be written again after a restore: {', '.join(written.removed)}."
    if written.variables:
        yield f"Variables are not in it: {', '.join(written.variables)}."
    if written.archive:
        yield f"The archive itself is not in it: copy {written.archive_folder} too."


def format_restored(config: Config, backup: Backup, former: Path | None, folder: Path | None) -> Iterator[str]:
    """Yield what was restored, and what is left to do."""
    from crawler.store import redact_url
    from crawler.text.counts import format_count

    at = format_local_time(backup.created_at, config.timezone)
    counts = [format_count(backup.counts.get(name, 0), name[:-1]) for name in ("articles", "versions", "runs")]
    yield f"{redact_url(config.database_url)} is the store of {at} again: {', '.join(counts)}."
    if former:
        yield f"What it had before is in {former}."
    yield "Messages that were sent after that time may be sent again."
    if backup.owner_files and folder is None:
        yield f"The backup also has {', '.join(backup.describe_owner_files())}: --files FOLDER writes them."
    elif folder:
        written = ", ".join(backup.describe_owner_files()) or "nothing"
        yield f"Written to {folder}: {written}. Check data_dir and database there."
        if backup.removed:
            yield f"Write again what the backup does not have: {', '.join(backup.removed)}."


def format_copied(config: Config, source: str, target: str, report: CopyReport) -> Iterator[str]:
    """Yield what a copy has, and what the store got since."""
    from crawler.store import redact_url
    from crawler.text.counts import format_count

    rows = format_count(sum(report.counts.values()), "row")
    names = ("articles", "versions", "runs")
    counts = ", ".join(format_count(report.counts[name], name[:-1]) for name in names)
    at = format_local_time(report.taken_at, config.timezone)
    yield f"{redact_url(target)} is the store {redact_url(source)} as of {at}: {counts}, {rows} in all."
    yield f"The counts and digests of all {len(report.counts)} tables are equal."
    yield f"The full-text index was made again: {format_count(report.indexed, 'version')}."
    if report.was_continued:
        changed = format_count(report.corrected, "row")
        yield f"An interrupted copy was continued; {changed} of it had changed in the store meanwhile."
    if report.was_written:
        yield (
            "The store has stored more since then, which the copy does not have. To move, stop `crawler watch` first, "
            "and copy into an empty database."
        )
    yield f"To use the copy, set `database` to its address. The archive {config.archive_dir} is not copied."


def list_removals(plan: PrunePlan) -> Iterator[str]:
    """Yield what a plan removes, each kind with its count."""
    from crawler.text.counts import format_count

    if plan.text_counts:
        yield f"the texts of {format_count(plan.versions, 'version')}"
    if plan.files:
        yield format_count(len(plan.files), "archive file")
    for count, singular, plural in (
        (plan.cache_entries, "cache entry", "cache entries"),
        (plan.runs, "run", "runs"),
        (plan.log_entries, "log entry", "log entries"),
    ):
        if count:
            yield format_count(count, singular, plural)


def format_pruned(config: Config, plan: PrunePlan, free: int | None, *, dry_run: bool) -> Iterator[str]:
    """Yield what was removed or would be, and what is left to do."""
    from crawler.text.counts import format_count

    if config.retention.keeps_everything:
        yield "Nothing is removed: [retention] in the configuration has no age."
        return
    if plan.is_empty:
        yield "Nothing is older than [retention] allows."
    else:
        yield f"{'Would be removed' if dry_run else 'Removed'}: {', '.join(list_removals(plan))}."
    for each in plan.text_counts:
        yield f"    {each.source}: {format_count(each.versions, 'text')}, {format_megabytes(each.bytes)}"
    yield from (f"    {line}" for line in shorten_list([f"{n}, {format_megabytes(s)}" for n, s in plan.files.items()]))
    if plan.kept_files:
        files = format_count(plan.kept_files, "archive file")
        yield f"Of the old files, {files} with records that are kept remain."
    if plan.text_counts and not dry_run and free is not None:
        yield "The full-text index of SQLite keeps the words of removed texts until `crawler store reindex`."
    if free and not dry_run:
        yield f"{format_megabytes(free)} of the store's file are free and are used again; --vacuum gives them back."


def format_rebuilt(config: Config, report: RebuildReport) -> Iterator[str]:
    """Yield what the new store has, and what it lacks."""
    from crawler.service.rebuild import NOT_ARCHIVED
    from crawler.store import redact_url
    from crawler.text.counts import format_count

    read = [format_count(report.responses, "response"), format_count(report.files, "file")]
    made = [(report.runs, "run"), (report.articles, "article"), (report.versions, "version")]
    counts = ", ".join(format_count(*each) for each in made)
    yield f"{redact_url(config.database_url)} was made again from {' in '.join(read)}: {counts}."
    if report.former:
        yield f"What it had before is in {report.former}."
    if report.changed_pages:
        yield f"{format_count(len(report.changed_pages), 'page')} gave no article, as in a live run:"
        yield from (f"    {line}" for line in shorten_list(list(report.changed_pages)))
    yield f"Not in the archive, so not in the store: {NOT_ARCHIVED}."


def shorten_list(lines: Sequence[str]) -> list[str]:
    """Return the first lines, and how many more there are."""
    more = len(lines) - MAX_NAMED
    return [*lines[:MAX_NAMED], f"and {more} more"] if more > 0 else list(lines)


def show_file(name: str) -> None:
    """Print to a terminal which file is being read."""
    if sys.stderr.isatty():
        print(f"reading {name}", file=sys.stderr)


def _format_archive(written: Backup) -> str:
    from crawler.text.counts import format_count

    size = sum(each.size for each in written.archive) / 1_000_000
    return f"{format_count(len(written.archive), 'archive file')} ({size:,.1f} MB)"
