"""The configuration: `crawler.toml` and `CRAWLER_*` variables, typed and checked. Nothing else reads either.

The first of these files counts: the one of `--config`, `./crawler.toml`, `$XDG_CONFIG_HOME/crawler/crawler.toml`.
Without a file the built-in values apply. A variable outranks the file. Two underscores separate levels:
`CRAWLER_DATABASE`, `CRAWLER_SOURCES__MFA__BASE_URL`.

model.py              every setting with its type and built-in value
subscriptions.py      subscribers and channels
delivery_times.py     delivery schedules and quiet hours
objects.py            the storage of closed WARC files
web.py                how the newsroom is reached, and who says who a user is
proxy.py              the address of a proxy, and its password
source_definition.py  `sources/NAME.toml`: a source without code
source_folder.py      finds and reads these files
address_pattern.py    patterns of addresses in them
base.py               types and checks that these share
loading.py            reads file and variables, and explains errors
toml_file.py          finds the line of a key in a TOML file
summary.py            what is in force and what is missing
"""

from __future__ import annotations

from crawler.config.delivery_times import DeliverySchedule, QuietHours
from crawler.config.loading import find_config_file, list_config_warnings, load_config
from crawler.config.model import (
    OPERATOR,
    AlarmsConfig,
    BackfillConfig,
    Config,
    FeedsConfig,
    LimitsConfig,
    PolitenessConfig,
    RetentionConfig,
    SourceConfig,
)
from crawler.config.objects import ObjectsConfig
from crawler.config.subscriptions import Subscription
from crawler.config.summary import ConfigSummary, MissingSetting, summarize_config
from crawler.config.web import OidcConfig, WebConfig

__all__ = [
    "OPERATOR",
    "AlarmsConfig",
    "BackfillConfig",
    "Config",
    "ConfigSummary",
    "DeliverySchedule",
    "FeedsConfig",
    "LimitsConfig",
    "MissingSetting",
    "ObjectsConfig",
    "OidcConfig",
    "PolitenessConfig",
    "QuietHours",
    "RetentionConfig",
    "SourceConfig",
    "Subscription",
    "WebConfig",
    "find_config_file",
    "list_config_warnings",
    "load_config",
    "summarize_config",
]
