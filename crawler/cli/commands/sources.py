"""`crawler sources`: what is watched, how, with what rights, and how it last was."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler.config import Config, load_config
from crawler.items import format_time
from crawler.text.counts import format_count
from crawler.text.dates import load_time_zone


def sources(config_path: Path | None, as_json: bool) -> int:
    """Print every source; the exit code."""
    from crawler import spiders
    from crawler.store import open_store

    config = load_config(config_path)
    config.raise_if_unknown_source(spiders.list_names())
    with open_store(config.database_url) as store:
        for name in spiders.list_names():
            described = source_to_dict(name, config, store)
            print(json.dumps(described, ensure_ascii=False) if as_json else format_source(described))
    return 0


def source_to_dict(name: str, config: Config, store: Any) -> dict[str, Any]:
    """One source as plain values; times in the owner's zone."""
    from crawler import spiders

    spider, options = spiders.load_spider(name), config.get_source(name)
    rights = spider.get_rights(config)
    last, healthy = store.runs.last(name, mode="live"), store.runs.last_healthy(name, mode="live")
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
    """One source as a person reads it."""
    off = "" if source["enabled"] else " (not enabled)"
    link = " and the link" if source["link_required"] else ""
    silence = format_count(source["silence_days"], "day") if source["silence_days"] else "not judged: it may be asleep"
    share = f"outputs carry at most {source['excerpt_share']:.0%}{link}. {source['rights'] or 'Terms unknown.'}"
    run, well = (_format_time(source[name]) for name in ("last_run", "last_healthy"))
    last = f"{run} {source['last_health'] or 'not finished'}: {source['last_reason']}"
    return "\n".join(
        (
            f"{source['name']}: {source['title']}{off}",
            f"    watched      {source['address']}, {source['how']}, cron {source['cron']}",
            f"    stored       {format_count(source['articles'], 'article')}",
            f"    rights       {share}",
            f"    silence      {silence}",
            f"    last run     {last if run else 'never'}",
            f"    last healthy {well or 'never'}",
        )
    )


def _format_time(moment: str | None) -> str | None:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M}" if moment else None
