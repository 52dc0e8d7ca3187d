"""`crawler config`: print which settings are in force, and what is missing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from crawler.cli.console import format_local_time, print_error, print_json
from crawler.cli.options import JsonOption
from crawler.errors import CrawlerError, UsageError
from crawler.items import format_time
from crawler.text.counts import format_count

if TYPE_CHECKING:
    from crawler.config import Config

MISSING = {
    "contact": "no contact: write your mail or web address into `contact`, so that sites can reach you",
    "channels": "no channel for messages: write one into [channels]",
    "subscriptions": "no subscription: `crawler subscribe NAME --channel CHANNEL` adds one",
    "alarms": "no address for alarms about sources: write one into alarms.channels",
}
"""What to do about a setting that is missing."""


def config(context: typer.Context, as_json: JsonOption = False) -> None:
    """Print the settings in force, and what is missing.

    Secrets are not printed. Exits with 0 if the configuration is usable, with 2 if it is not.
    """
    from crawler.config import load_config

    settings = load_config(context.obj)
    values = config_to_dict(settings)
    if as_json:
        print_json(values)
    else:
        for line in format_config(values, settings.timezone):
            print(line)
    for problem in values["problems"]:
        print_error(problem)
    raise typer.Exit(UsageError.exit_code if values["problems"] else 0)


def config_to_dict(config: Config) -> dict[str, Any]:
    """Return the settings in force as JSON values, without secrets.

    `missing` lists what is not set up, though a run does not need it. `warnings` lists what others may read. `problems`
    lists what prevents runs or outputs.
    `unwatched` is None if there is a problem: it was not checked.
    """
    from crawler import spiders
    from crawler.config import list_config_warnings, summarize_config
    from crawler.service.channel_tests import get_channel_test, get_failed_channel_test
    from crawler.service.dead_man_switch import get_last_heartbeat

    summary = summarize_config(config)
    sources = [name for name in spiders.list_names() if config.get_source(name).enabled]
    problems = list_problems(config)
    unwatched = None if problems else find_unwatched(config, sources)
    tests = {channel: get_channel_test(config, channel) for channel in summary.channels}
    failures = {channel: get_failed_channel_test(config, channel) for channel in summary.channels}
    missing = [MISSING[each] for each in summary.missing]
    if unwatched:
        missing.append(f"no watch runs {', '.join(unwatched)}: start `crawler watch`")
    missing += [
        f"the last test of channel {name} failed: correct its address, then run `crawler alerts test {name}`"
        if failures[name]
        else f"channel {name} was never tested: run `crawler alerts test {name}`"
        for name in tests
        if failures[name] or not tests[name]
    ]
    return {
        "file": str(summary.file) if summary.file else None,
        "variables": list(summary.variables),
        "contact": config.contact,
        "data_folder": str(summary.data_folder),
        "store": summary.database_url,
        "engine": config.engine,
        "archive": str(summary.archive_dir) if summary.archive_dir else None,
        "objects": summary.objects,
        "rules": str(summary.rules) if summary.rules else None,
        "proxy": summary.proxy,
        "source_proxies": dict(summary.source_proxies),
        "sources": sources,
        "unwatched": unwatched,
        "channels": [
            {"name": name, "last_test": format_time(test), "last_failure": format_time(failures[name])}
            for name, test in tests.items()
        ],
        "subscriptions": {name: list(channels) for name, channels in summary.subscriptions.items()},
        "alarms": summary.alarm_count,
        "heartbeat": config.heartbeat_url is not None,
        "last_heartbeat": format_time(get_last_heartbeat(config)),
        "missing": missing,
        "warnings": list_config_warnings(config.path),
        "problems": problems,
    }


def list_problems(config: Config) -> list[str]:
    """Return what prevents runs or outputs, each in the words of the command that would fail.

    These are unknown sources, a bad cron, an excerpt share without permission, broken rules, and a proxy, channels,
    templates, a store or a data folder that cannot be used.
    """
    from crawler import spiders
    from crawler.config.proxy import read_environment_proxies
    from crawler.context.configured_store import open_configured_store, raise_if_archived
    from crawler.keywords import load_rules
    from crawler.service.notifications import check_subscriptions
    from crawler.store import can_create_store, store_exists

    def check_store() -> None:
        if store_exists(config.database_url) or not can_create_store(config.database_url):
            with open_configured_store(config):
                pass
        else:
            raise_if_archived(config)

    problems = []
    for check in (
        lambda: config.raise_if_unknown_source(spiders.list_file_names()),
        lambda: check_crons(config),
        lambda: check_excerpt_shares(config),
        lambda: config.proxy is None and read_environment_proxies(),
        lambda: load_rules(config.rules),
        lambda: check_subscriptions(config),
        check_store,
        lambda: check_archive(config),
    ):
        try:
            check()
        except CrawlerError as error:
            problems.append(str(error))
    return list(dict.fromkeys(problems))


def check_archive(config: Config) -> None:
    """Raise ArchiveError if the data folder exists and the archive in it cannot be written."""
    from crawler import spiders
    from crawler.archive.warc_writer import WarcWriter

    if config.archive and config.data_folder.is_dir() and not os.access(config.data_folder, os.W_OK | os.X_OK):
        WarcWriter(config.archive_dir, spiders.list_names()[0], software="")


def check_crons(config: Config) -> None:
    """Raise ConfigError for a cron that cannot be used."""
    from crawler.service.adaptive_cron import ADAPTIVE_CRON
    from crawler.service.cron import parse_cron

    for name, source in config.sources.items():
        if source.cron is not None and source.cron != ADAPTIVE_CRON:
            parse_cron(source.cron, f"sources.{name}.cron", config.timezone)


def check_excerpt_shares(config: Config) -> None:
    """Raise ConfigError for a larger share than the source's without a permission."""
    from crawler.publish.builder import make_rights_registry

    if any(source.excerpt_share is not None for source in config.sources.values()):  # it loads every spider
        make_rights_registry(config)


def find_unwatched(config: Config, sources: Sequence[str]) -> list[str]:
    """Return the sources that no watch runs now. Without a store there is no watch."""
    from crawler.context.configured_store import open_configured_store
    from crawler.service.schedules import list_unwatched
    from crawler.store import store_exists

    if not store_exists(config.database_url):
        return list(sources)
    with open_configured_store(config) as store:
        return list_unwatched(store, sources)


def format_config(values: dict[str, Any], timezone: str) -> list[str]:
    """Return the settings as lines: a name and a value each, then what is missing, and warnings."""
    from crawler.config.proxy import NO_PROXY

    channels = [f"{each['name']} ({_format_channel_test(each, timezone)})" for each in values["channels"]]
    subscriptions = [f"{name} (to {', '.join(to)})" for name, to in values["subscriptions"].items()]
    own_proxies = values["source_proxies"].items()
    rows = {
        "file": values["file"] or "none: built-in values",
        "variables": ", ".join(values["variables"]) or "none",
        "contact": values["contact"] or "none",
        "data folder": values["data_folder"],
        "store": values["store"],
        "archive": values["archive"] or "off",
        "rules": values["rules"] or "the shipped rules",
        "proxy": ", ".join([values["proxy"] or NO_PROXY, *(f"{name}: {each}" for name, each in own_proxies)]),
        "sources": ", ".join(values["sources"]) or "none is enabled",
        "watch": _format_watch(values),
        "engine": f"{values['engine']}: `crawler worker` makes the runs, `crawler workers` lists who",
        "channels": ", ".join(channels) or "none",
        "subscriptions": ", ".join(subscriptions) or "none",
        "alarms": format_count(values["alarms"], "address", "addresses") if values["alarms"] else "none",
    }
    if values["objects"]:
        rows["objects"] = values["objects"]
    if values["engine"] == "local":
        del rows["engine"]
    if values["heartbeat"]:
        rows["heartbeat"] = _format_heartbeat(values["last_heartbeat"], timezone)
    lines = [f"{name:14}{value}" for name, value in rows.items()]
    lines += [f"missing       {each}" for each in values["missing"]]
    return lines + [f"warning       {each}" for each in values["warnings"]]


def _format_watch(values: dict[str, Any]) -> str:
    unwatched = values["unwatched"]
    if unwatched is None:
        return "not checked"
    if not unwatched:
        return "runs every source"
    return "not running" if unwatched == values["sources"] else f"does not run {', '.join(unwatched)}"


def _format_heartbeat(at: str | None, timezone: str) -> str:
    return f"last sent {format_local_time(datetime.fromisoformat(at), timezone)}" if at else "never sent"


def _format_channel_test(channel: dict[str, Any], timezone: str) -> str:
    """Return how the last test of a channel ended, with its time."""
    at = channel["last_failure"] or channel["last_test"]
    if at is None:
        return "never tested"
    when = format_local_time(datetime.fromisoformat(at), timezone)
    return f"last test failed {when}" if channel["last_failure"] else f"tested {when}"
