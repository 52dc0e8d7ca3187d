"""`crawler sources`: list the sources, their rights, and how their last run ended."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from crawler.cli.console import print_json
from crawler.cli.options import JsonOption
from crawler.items import format_time

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.store import Store


def sources(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the sources, their rights and their last run."""
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
