"""`crawler schedule`: the next starts of each source, why then, and how it last went; pause, resume, run."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="List the next starts of each source; pause, resume or run one.", invoke_without_command=True)
Source = Annotated[str, typer.Argument(help="The source.")]


@app.callback()
def show_schedule(context: typer.Context) -> None:
    """List the next starts of each source, why then, its last run and what runs now; pause, resume or run one."""
    from crawler.cli.starts import open_schedule, print_schedule

    if context.invoked_subcommand is None:
        with open_schedule(context.obj) as (config, store, timings):
            print_schedule(config, timings, store)


@app.command()
def pause(context: typer.Context, source: Source) -> None:
    """Start a source no more until it is resumed; a run that goes on is not ended."""
    from crawler.cli.starts import open_schedule, set_paused

    with open_schedule(context.obj, source) as (_, store, timings):
        set_paused(store, source, timings[source], paused=True)
    print(f"{source} is paused; `crawler schedule resume {source}` lets it run again.")


@app.command()
def resume(context: typer.Context, source: Source) -> None:
    """Let a paused source start again by its cron."""
    from crawler.cli.starts import open_schedule, print_schedule, set_paused

    with open_schedule(context.obj, source) as (config, store, timings):
        set_paused(store, source, timings[source], paused=False)
        print_schedule(config, timings, store)


@app.command()
def run(context: typer.Context, source: Source) -> None:
    """Ask the running watch to start a source now; it looks each 30 seconds."""
    from crawler.cli.starts import open_schedule, request_start

    with open_schedule(context.obj, source) as (config, store, timings):
        print(request_start(store, source, timings[source], config))


@app.command()
def watched(context: typer.Context) -> None:
    """For health checks: exit 0 when a watch runs every enabled source on schedule, 13 when one is left alone."""
    from crawler.cli.starts import list_unwatched, open_schedule

    with open_schedule(context.obj) as (_, store, timings):
        left = list_unwatched(store, timings)
    print(f"No watch runs {', '.join(left)}; start `crawler watch`." if left else "Every source is watched.")
    raise typer.Exit(13 if left else 0)
