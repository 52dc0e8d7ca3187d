"""The shipped crawler.toml contains every setting, commented out with its default value."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from crawler import spiders
from crawler.config import (
    BackfillConfig,
    Config,
    FeedsConfig,
    LimitsConfig,
    OidcConfig,
    PolitenessConfig,
    RetentionConfig,
    SourceConfig,
    Subscription,
    WebConfig,
    load_config,
)
from crawler.defaults import read_default

TEXT = read_default("crawler.toml")
SETTING = re.compile(r"^# (?=\w+ = |\[subscriptions\.)", re.MULTILINE)
UNCOMMENTED = tomllib.loads(SETTING.sub("", TEXT))
EXAMPLES = {"contact", "data_dir", "database", "rules", "templates", "proxy", "heartbeat_url"}
"""Settings without a default value. The file shows an example."""
SOURCE_EXAMPLES = {"base_url", "allow_private", "permission", "politeness_group", "proxy"}


def test_shipped_file_sets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "crawler.toml"
    path.write_text(TEXT, encoding="utf-8")
    config = load_config(path)
    assert config.model_dump(exclude={"sources", "path"}) == Config().model_dump(exclude={"sources", "path"})
    assert all(options == SourceConfig() for options in config.sources.values())
    assert sorted(config.sources) == spiders.list_names()


def test_uncommented_file_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "crawler.toml"
    path.write_text(SETTING.sub("", TEXT), encoding="utf-8")
    assert load_config(path).contact == "press@example.org"


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        (Config, UNCOMMENTED),
        (LimitsConfig, UNCOMMENTED["limits"]),
        (PolitenessConfig, UNCOMMENTED["politeness"]),
        (BackfillConfig, UNCOMMENTED["backfill"]),
        (FeedsConfig, UNCOMMENTED["feeds"]),
        (WebConfig, UNCOMMENTED["web"]),
        (RetentionConfig, UNCOMMENTED["retention"]),
        (OidcConfig, {*UNCOMMENTED["web"]["oidc"], "client_secret"}),
        (Subscription, UNCOMMENTED["subscriptions"]["press"]),
        (SourceConfig, {key for options in UNCOMMENTED["sources"].values() for key in options}),
    ],
)
def test_file_has_every_setting(model: type[Any], keys: Any) -> None:
    assert set(model.model_fields) - {"path"} == set(keys)


@pytest.mark.parametrize("section", ["limits", "politeness"])
def test_commented_values_of_a_section_are_defaults(section: str) -> None:
    assert UNCOMMENTED[section] == getattr(Config(), section).model_dump()


def test_commented_title_of_feeds_is_the_default() -> None:
    assert UNCOMMENTED["feeds"]["title"] == Config().feeds.title


def test_commented_global_values_are_defaults() -> None:
    shown = {key: value for key, value in UNCOMMENTED.items() if not isinstance(value, dict) and key not in EXAMPLES}
    assert shown == {key: getattr(Config(), key) for key in shown}
    assert len(shown) >= 3


def test_commented_values_of_a_subscription_are_defaults() -> None:
    shown = UNCOMMENTED["subscriptions"]["press"]
    bare = Subscription(channels=("desk",)).model_dump()
    for key, value in shown.items():
        if key not in {"quiet", "timezone", "paused_until", "user"}:  # none, without an example
            assert Subscription.model_validate({**shown, key: value}).model_dump()[key] == bare[key], key


@pytest.mark.parametrize("source", spiders.list_names())
def test_commented_values_of_a_source_are_defaults(source: str) -> None:
    spider, options = spiders.load_spider(source), SourceConfig()
    own = {
        "cron": spider.cron,
        "jitter": spider.jitter_seconds,
        "languages": tuple(getattr(spider, "languages", ())),
        "pages": getattr(spider, "max_pages", None),
        "page_size": getattr(spider, "page_size", None),
        "excerpt_share": spider.rights.excerpt_share,
    }
    for key, value in UNCOMMENTED["sources"][source].items():
        if key not in SOURCE_EXAMPLES:
            meant = SourceConfig(**{key: value})  # "24h" as the configuration reads it
            assert getattr(meant, key) == own.get(key, getattr(options, key)), key


@pytest.mark.parametrize("line", TEXT.splitlines())
def test_lines_fit_a_terminal(line: str) -> None:
    assert len(line) <= 120


def test_each_setting_has_a_comment() -> None:
    said = {line.strip("# ").partition(" = ")[0] for line in TEXT.splitlines() if SETTING.match(line) and "  #" in line}
    above = {
        two.strip("# ").partition(" = ")[0]
        for one, two in zip(TEXT.splitlines(), TEXT.splitlines()[1:], strict=False)
        if SETTING.match(two) and one.startswith("# ") and not SETTING.match(one)
    }
    keys = {match[1] for match in re.finditer(r"^# (\w+) = ", TEXT, re.MULTILINE)}
    assert keys == {name for name in said | above if not name.startswith("[")}
