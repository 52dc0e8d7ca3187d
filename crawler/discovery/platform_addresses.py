"""Addresses of gov.kz and Telegram: the source follows from the address, without a look at the site."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from crawler.config.source_definition import (
    DEFAULT_CRON,
    DEFAULT_EXCERPT_SHARE,
    DEFINITIONS,
    GOVKZ_HOSTS,
    TELEGRAM_HOSTS,
)
from crawler.text.urls import split_url

GOVKZ_PATH = re.compile(r"/memleket/entities/(?P<value>[a-z][a-z0-9-]{1,39})(?:/.*)?")
TELEGRAM_PATH = re.compile(r"/(?:s/)?(?P<value>[A-Za-z][A-Za-z0-9_]{3,31})(?:/[0-9]+)?")
NO_CHANNELS = frozenset(("joinchat", "share", "proxy", "socks", "addstickers", "addemoji", "addlist", "login"))
"""First parts of Telegram's paths that are no channel."""


@dataclass(frozen=True, slots=True)
class PlatformSource:
    """A source of a platform. `value` is the project or the channel, which `setting` names."""

    platform: str
    setting: str
    value: str
    title: str

    def is_same(self, spider: type) -> bool:
        """Return whether a spider class reads this project or channel already."""
        definition = getattr(spider, "definition", None)
        known = getattr(spider, self.setting, None) or getattr(definition, self.setting, None)
        return isinstance(known, str) and known.lower() == self.value.lower()


def find_platform_source(url: str) -> PlatformSource | None:
    """Return the source at an address of gov.kz or Telegram, or None for any other address."""
    host, path, _ = split_url(url)
    if host in GOVKZ_HOSTS and (found := GOVKZ_PATH.fullmatch(path)):
        return PlatformSource("govkz", "project", found["value"], f"gov.kz/memleket/entities/{found['value']}")
    if host in TELEGRAM_HOSTS and (found := TELEGRAM_PATH.fullmatch(path)) and found["value"] not in NO_CHANNELS:
        return PlatformSource("telegram", "channel", found["value"], f"t.me/{found['value']}")
    return None


def write_platform_definition(source: PlatformSource, now: datetime) -> str:
    """Return the commented text of a definition."""
    meaning = DEFINITIONS[source.platform].model_fields[source.setting].description
    return f"""\
#:schema ./source.schema.json
# {source.title}: written by `crawler add` on {now:%Y-%m-%d}. Every line may be edited.

platform = "{source.platform}"
# The source's name for people.
title = "{source.title}"
# {meaning}
{source.setting} = "{source.value}"
# When it runs: five fields, or "auto".
cron = "{DEFAULT_CRON}"
enabled = true

# 30 % of a text and a link may leave this machine, until the source says otherwise.
[rights]
excerpt_share = {DEFAULT_EXCERPT_SHARE}
link_required = true
"""
