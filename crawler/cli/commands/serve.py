"""`crawler serve`: show the newsroom in a browser."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Annotated

import typer

from crawler.cli.garbage_collection import tune_gc_for_long_command
from crawler.cli.options import NewStoreOption
from crawler.cli.stop_signals import CommandStopped, handle_stop_signals

FAREWELL = "stopped"


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port. 0: any free one.")] = 8000,
    demo: Annotated[bool, typer.Option("--demo", help="Show the sample pages, in a throw-away store.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Also run each source on its schedule.")] = False,
    new_store: NewStoreOption = False,
) -> None:
    """Show stories, articles and sources in a browser.

    Ctrl-C or SIGTERM ends it, with --watch the runs in progress too, in good order.
    """
    handle_stop_signals(exit_code=0, farewell=f"{FAREWELL}\n")
    tune_gc_for_long_command()
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.errors import UsageError
    from crawler.service.watch_process import WatchProcess
    from crawler.store import is_store_missing
    from crawler.web.demo import make_demo_config
    from crawler.web.newsroom import Newsroom
    from crawler.web.server import describe_access, open_listener, raise_if_open_to_all, serve_pages

    if demo and watch:
        raise UsageError("--demo shows stored sample pages, so there is nothing to watch. Leave --watch out.")
    watch_process = None
    try:
        with ExitStack() as stack:
            config = load_config(context.obj)
            # First, so that a port in use is reported before anything is read or made.
            listener = stack.enter_context(open_listener(host, port))
            if demo or is_store_missing(config.database_url):
                raise_if_open_to_all(host, config.web, None)
            if demo:
                print("Reading the sample pages …", flush=True)
                config = stack.enter_context(make_demo_config(config, context.obj))
            store = stack.enter_context(open_configured_store(config, new_store=new_store or demo))
            raise_if_open_to_all(host, config.web, store)
            newsroom = Newsroom(config=config, store=store, is_demo=demo)
            if watch:
                watch_process = WatchProcess(context.obj, new_store=new_store)
                stack.callback(watch_process.stop)
            logging.getLogger("uvicorn").setLevel(logging.WARNING)
            serve_pages(newsroom, listener, lambda address: print(describe_access(address, newsroom), flush=True))
    except CommandStopped:
        pass
    print(FAREWELL, flush=True)
    if watch_process and (exit_code := watch_process.stop()):
        raise typer.Exit(exit_code)
