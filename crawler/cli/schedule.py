"""`crawler schedule`: the next starts of each source, why then, and how it last went; pause, resume, run."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="List the next starts of each source; pause, resume or run one.", invoke_without_command=True)
Source = Annotated[str, typer.Argument(help="The source.")]


@app.callback()
def listed(context: typer.Context) -> None:
    """List the next starts of each source, why then, its last run and what runs now; pause, resume or run one."""
    from crawler.cli.starts import opened, show

    if context.invoked_subcommand is None:
        with opened(context.obj) as (config, store, timings):
            show(config, timings, store)


@app.command()
def pause(context: typer.Context, source: Source) -> None:
    """Start a source no more until it is resumed; a run that goes on is not ended."""
    from crawler.cli.starts import opened, set_paused

    with opened(context.obj, source) as (_, store, timings):
        set_paused(store, source, timings[source], paused=True)
    print(f"{source} is paused; `crawler schedule resume {source}` lets it run again.")


@app.command()
def resume(context: typer.Context, source: Source) -> None:
    """Let a paused source start again by its cron."""
    from crawler.cli.starts import opened, set_paused, show

    with opened(context.obj, source) as (config, store, timings):
        set_paused(store, source, timings[source], paused=False)
        show(config, timings, store)


@app.command()
def run(context: typer.Context, source: Source) -> None:
    """Ask the running watch to start a source now; it looks each 30 seconds."""
    from crawler.cli.starts import ask, opened

    with opened(context.obj, source) as (config, store, timings):
        print(ask(store, source, timings[source], config))


@app.command()
def watched(context: typer.Context) -> None:
    """For health checks: exit 0 when a watch runs every enabled source on schedule, 13 when one is left alone."""
    from crawler.cli.starts import alone, opened

    with opened(context.obj) as (_, store, timings):
        left = alone(store, timings)
    print(f"No watch runs {', '.join(left)}; start `crawler watch`." if left else "Every source is watched.")
    raise typer.Exit(13 if left else 0)
