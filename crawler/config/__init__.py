"""What an owner may set: `crawler.toml` and `CRAWLER_*` variables, typed and checked; the only reader of either.

Looked for, first found wins: the file given with `--config`, `./crawler.toml`, `$XDG_CONFIG_HOME/crawler/crawler.toml`,
else built-in values. A variable outranks the file: `CRAWLER_DATABASE`, `CRAWLER_SOURCES__MFA__BASE_URL` (two
underscores between levels).

settings.py       what may be set, with built-in values
subscriptions.py  who is told what, and the channels
when.py           rhythms and quiet hours
section.py        what every part shares
reading.py        file and variables, and errors that say where
"""

from __future__ import annotations

from crawler.config.reading import find, load
from crawler.config.settings import Alarms, Config, Feeds, Limits, Politeness, SourceConfig
from crawler.config.subscriptions import Subscription
from crawler.config.when import Hours, When

__all__ = [
    "Alarms",
    "Config",
    "Feeds",
    "Hours",
    "Limits",
    "Politeness",
    "SourceConfig",
    "Subscription",
    "When",
    "find",
    "load",
]
