"""What is in force and what is missing, as values. `crawler config` prints them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import SecretStr

from crawler.config.loading import list_variables
from crawler.config.model import Config
from crawler.config.proxy import NO_PROXY, parse_proxy, read_environment_proxies
from crawler.errors import ConfigError


class MissingSetting(StrEnum):
    """A setting without which a part of the product does nothing."""

    CONTACT = "contact"
    CHANNELS = "channels"
    SUBSCRIPTIONS = "subscriptions"
    ALARMS = "alarms"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigSummary:
    """The configuration in force, without secrets.

    `proxy` is that of all sources and `source_proxies` those of single ones, as people read them; `none` is none by the
    owner's setting, None without any setting. `file` and `rules` are None for built-in values and the shipped rules,
    `archive_dir` without an archive. `objects` is the address of the storage of closed WARC files.
    `variables` are the names of the `CRAWLER_*` variables in the environment. `subscriptions` maps each subscriber to
    its channels.
    """

    file: Path | None
    variables: tuple[str, ...]
    data_folder: Path
    database_url: str
    archive_dir: Path | None
    objects: str | None
    rules: Path | None
    proxy: str | None
    source_proxies: Mapping[str, str]
    channels: tuple[str, ...]
    subscriptions: Mapping[str, tuple[str, ...]]
    alarm_count: int
    missing: tuple[MissingSetting, ...]


def summarize_config(config: Config) -> ConfigSummary:
    """Return the configuration in force and the settings that are missing."""
    present = {
        MissingSetting.CONTACT: config.contact,
        MissingSetting.CHANNELS: config.channels,
        MissingSetting.SUBSCRIPTIONS: config.subscriptions,
        MissingSetting.ALARMS: config.alarm_channels,
    }
    return ConfigSummary(
        file=config.path,
        variables=tuple(list_variables()),
        data_folder=config.data_folder,
        database_url=_hide_password(config.database_url),
        archive_dir=config.archive_dir if config.archive else None,
        objects=config.objects.address,
        rules=config.rules,
        proxy=_describe_proxy(config.proxy) or _describe_environment_proxy(),
        source_proxies={
            name: text for name, source in config.sources.items() if (text := _describe_proxy(source.proxy))
        },
        channels=tuple(config.channels),
        subscriptions={name: subscription.channels for name, subscription in config.subscriptions.items()},
        alarm_count=len(config.alarm_channels),
        missing=tuple(setting for setting, value in present.items() if not value),
    )


def _describe_proxy(address: SecretStr | None) -> str | None:
    return None if address is None else str(parse_proxy(address.get_secret_value()) or NO_PROXY)


def _describe_environment_proxy() -> str | None:
    try:
        proxies = read_environment_proxies()
    except ConfigError as error:
        return f"unusable: {error}"
    return ", ".join(f"{proxy} (variable {scheme}_proxy)" for scheme, proxy in sorted(proxies.items())) or None


def _hide_password(url: str) -> str:
    """Return a database address with *** for the password, before the host or in the query."""
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", re.sub(r"(://[^/@:]*):[^/]*@", r"\1:***@", url))
