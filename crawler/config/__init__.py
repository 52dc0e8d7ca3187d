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

from crawler.config.delivery_times import DeliverySchedule, QuietHours
from crawler.config.loading import find_config_file, load_config
from crawler.config.model import AlarmsConfig, Config, FeedsConfig, LimitsConfig, PolitenessConfig, SourceConfig
from crawler.config.subscriptions import Subscription

__all__ = [
    "AlarmsConfig",
    "Config",
    "FeedsConfig",
    "QuietHours",
    "LimitsConfig",
    "PolitenessConfig",
    "SourceConfig",
    "Subscription",
    "DeliverySchedule",
    "find_config_file",
    "load_config",
]
