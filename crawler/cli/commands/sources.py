"""`crawler sources`: list the sources, their rights and last runs; change, retire, export and import those of files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import print_error, print_json
from crawler.cli.help import CommandApp
from crawler.cli.options import JsonOption, OneSourceArgument
from crawler.items import format_time

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.store import Store


app = CommandApp(help="List, change, retire, export or import sources.")


@app.callback(invoke_without_command=True)
def list_sources(context: typer.Context, as_json: JsonOption = False) -> None:
    """List, change, retire, export or import sources.

    For each source: where it is read from, its rights, and how its last run ended.
    """
    if context.invoked_subcommand is not None:
        return
    from crawler import spiders
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store

    config = load_config(context.obj)
    config.raise_if_unknown_source(spiders.list_file_names())
    with open_configured_store(config) as store:
        for name in spiders.load_spiders():
            values = source_to_dict(name, config, store)
            if as_json:
                print_json(values)
            else:
                print(format_source(values))


@app.command()
def edit(
    context: typer.Context,
    source: OneSourceArgument,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a key instead of opening an editor.")
    ] = None,
) -> None:
    """Edit the definition of a source without code.

    Opens it in your editor ($EDITOR). A definition with a mistake is kept beside it, and opened again the next time.
    """
    from crawler.config import load_config
    from crawler.config.source_folder import read_definition_text
    from crawler.fixtures.source_files import (
        change_definition,
        find_definition_file,
        get_kept_edit,
        parse_assignment,
        write_edited_definition,
    )

    load_config(context.obj)
    path = find_definition_file(source)
    if settings:
        change_definition(source, dict(map(parse_assignment, settings)))
    else:
        kept, former = get_kept_edit(path), read_definition_text(path)
        import click

        opened = read_definition_text(kept) if kept.exists() else former
        text = click.edit(opened, extension=".toml", require_save=not kept.exists())
        if text is None:
            print(f"{path} was not changed.")
            return
        write_edited_definition(path, text, former)
    print(f"Written: {path}. `crawler replay {source}` compares its sample pages with what they must yield.")


@app.command()
def disable(context: typer.Context, source: OneSourceArgument) -> None:
    """Disable a source without code.

    It is crawled only when a command names it.
    """
    _set_state(context.obj, source, enabled=False)
    print(f"{source} is not enabled; `crawler sources enable {source}` enables it again.")


@app.command()
def enable(context: typer.Context, source: OneSourceArgument) -> None:
    """Enable a source that was disabled, retired or imported."""
    _set_state(context.obj, source, enabled=True, retired=False)
    print(f"{source} is enabled.")


@app.command()
def retire(context: typer.Context, source: OneSourceArgument) -> None:
    """Retire a source without code, and keep its articles.

    It is not listed and not crawled any more. Its articles, versions and snapshots stay.
    """
    _set_state(context.obj, source, enabled=False, retired=True)
    print(f"{source} is retired; its articles stay. `crawler sources enable {source}` brings it back.")


@app.command()
def export(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Names of sources.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Bundle to write (.zip).")],
) -> None:
    """Write sources with their sample pages into one file.

    A colleague reads it with `crawler sources import`.
    """
    from crawler.config import load_config
    from crawler.fixtures.source_files import write_bundle
    from crawler.text.counts import format_count

    load_config(context.obj)
    number = write_bundle(names, output)
    print(f"{output}: {format_count(len(set(names)), 'source')}, {format_count(number, 'file')}")


@app.command("import")
def import_bundle(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Bundle of `crawler sources export`.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace sources of the same name.")] = False,
) -> None:
    """Read sources from a bundle. They are not enabled.

    Nothing is written if a file in the bundle is none that a bundle has.
    """
    from crawler.config import load_config
    from crawler.fixtures.source_files import read_bundle, write_imported

    load_config(context.obj)
    bundle = read_bundle(file)
    for path in write_imported(bundle, overwrite=overwrite):
        print(f"Written: {path}. Look at it, then run `crawler sources enable {path.stem}`.")
    for note in bundle.notes:
        print_error(note)


@app.command()
def schema() -> None:
    """Print the JSON Schema of source definitions."""
    from crawler.defaults import read_default
    from crawler.fixtures.source_files import SCHEMA_NAME

    typer.echo(read_default(SCHEMA_NAME), nl=False)


def _set_state(config_path: Path | None, source: str, **changes: bool) -> None:
    from crawler.config import load_config
    from crawler.fixtures.source_files import change_definition

    load_config(config_path)
    change_definition(source, changes)
    if load_config(config_path).get_source(source).enabled != changes["enabled"]:
        print_error(f"`enabled` below [sources.{source}] in crawler.toml decides against it: change it there.")


def source_to_dict(name: str, config: Config, store: Store) -> dict[str, Any]:
    """Return a source as JSON values. Times are in the owner's time zone."""
    from crawler import spiders
    from crawler.text.dates import load_time_zone

    spider, options = spiders.load_spider(name), config.get_source(name)
    rights = spider.get_rights(config)
    last, healthy = store.runs.get_last(name, mode="live"), store.runs.get_last_healthy(name, mode="live")
    here = load_time_zone(config.timezone)
    return {
        "name": name,
        "title": spider.title,
        "enabled": options.enabled,
        "address": options.base_url or spider.origins[0],
        "how": spider.method,
        "cron": options.cron or spider.cron,
        "articles": store.articles.count(source=name),
        "excerpt_share": rights.excerpt_share,
        "link_required": rights.link_required,
        "rights": rights.wording,
        "silence_days": spider.expectation.max_silence.days if spider.expectation.max_silence else None,
        "last_run": format_time(last.started_at.astimezone(here)) if last else None,
        "last_health": last.health if last else None,
        "last_reason": last.reason if last else None,
        "last_healthy": format_time(healthy.started_at.astimezone(here)) if healthy else None,
    }


def format_source(source: dict[str, Any]) -> str:
    """Return a source as lines."""
    from crawler.text.counts import format_count

    off = "" if source["enabled"] else " (not enabled)"
    link = " and the link" if source["link_required"] else ""
    silence = f"at most {format_count(source['silence_days'], 'day')}" if source["silence_days"] else "not checked"
    share = f"outputs carry at most {source['excerpt_share']:.0%}{link}. {source['rights'] or 'Terms unknown.'}"
    run, healthy = (_format_time(source[name]) for name in ("last_run", "last_healthy"))
    last = f"{run} {source['last_health'] or 'not finished'}: {source['last_reason']}"
    return "\n".join(
        (
            f"{source['name']}: {source['title']}{off}",
            f"    read from    {source['address']}, {source['how']}, cron {source['cron']}",
            f"    stored       {format_count(source['articles'], 'article')}",
            f"    rights       {share}",
            f"    silence      {silence}",
            f"    last run     {last if run else 'never'}",
            f"    last healthy {healthy or 'never'}",
        )
    )


def _format_time(text: str | None) -> str | None:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}" if text else None
