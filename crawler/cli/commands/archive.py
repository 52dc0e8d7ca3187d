"""`crawler archive`: what of the archive is on object storage, and upload the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import typer

from crawler.cli.console import format_local_time, print_error, print_json
from crawler.cli.help import CommandApp
from crawler.cli.options import JsonOption
from crawler.errors import UsageError
from crawler.items import format_time

CONFLICT_EXIT_CODE = 1
UPLOAD_TIMEOUT = timedelta(minutes=30)
"""Longest request: a file of several GB over a slow line."""
app = CommandApp(help="Print or change what of the archive is on object storage.", no_args_is_help=True)


@app.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Print how many WARC files are here and how many wait.

    It looks at this machine only and connects to nothing.
    """
    from crawler.archive.inventory import list_spooled_files
    from crawler.archive.uploads import find_waiting_files
    from crawler.config import load_config
    from crawler.text.counts import format_count

    config = load_config(context.obj)
    address = config.objects.address
    files = list_spooled_files(config.archive_dir)
    waiting = find_waiting_files(config.archive_dir, address, datetime.now(UTC)) if address else None
    if as_json:
        values: dict[str, Any] = {"folder": str(config.archive_dir), "files": len(files), "objects": address}
        values["waiting"] = waiting.count if waiting else 0
        values["waiting_bytes"] = waiting.size if waiting else 0
        values["waiting_since"] = format_time(waiting.since) if waiting else None
        print_json(values)
        return
    print(f"{format_count(len(files), 'WARC file')} in {config.archive_dir}.")
    if address is None:
        print("There is no object storage: `objects.address` is not set.")
    elif waiting:
        print(f"{waiting} to {address}, the oldest since {format_local_time(waiting.since, config.timezone)}.")
    else:
        print(f"Every closed file is in {address}.")


@app.command()
def upload(context: typer.Context) -> None:
    """Upload the closed WARC files that wait.

    Files that a run is writing to stay. Exits with 21 if the storage cannot be used.
    """
    from crawler.archive.object_storage import ObjectStorage
    from crawler.archive.uploads import find_waiting_files, format_size, upload_closed_files
    from crawler.config import load_config
    from crawler.text.counts import format_count

    config = load_config(context.obj)
    if config.objects.address is None:
        raise UsageError("There is no object storage: set `objects.address` in crawler.toml.")
    storage = ObjectStorage(config.objects, timeout=UPLOAD_TIMEOUT)
    report = upload_closed_files(config.archive_dir, storage, datetime.now(UTC), keep_days=config.objects.keep_days)
    if report.uploaded:
        size = format_size(report.uploaded_bytes)
        print(f"{format_count(report.uploaded, 'WARC file')} ({size}) uploaded to {storage.address}.")
    if report.removed:
        print(f"{format_count(report.removed, 'uploaded file')} removed here, as `objects.keep_days` says.")
    for name in report.conflicts:
        print_error(f"not uploaded: the storage has another file {name}. Rename the one here.")
    if report.problem:
        waiting = find_waiting_files(config.archive_dir, storage.address, datetime.now(UTC))
        print_error(f"{f'{waiting}. ' if waiting else ''}{report.problem}")
        raise typer.Exit(report.problem.exit_code)
    if not report.uploaded and not report.conflicts:
        storage.check_access()
        print(f"No closed file waits to be uploaded to {storage.address}, which answers.")
    raise typer.Exit(CONFLICT_EXIT_CODE if report.conflicts else 0)
