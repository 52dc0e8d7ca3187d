"""Save a search: a rule with its query in the rules file and, if a channel is named, a subscription to that rule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crawler.config import Config, load_config
from crawler.errors import ConfigError, UsageError
from crawler.keywords import parse_rules
from crawler.keywords.query import find_query_problem
from crawler.service.edited_files import get_file_mark, read_text, replace_files
from crawler.service.notifications import check_subscriptions
from crawler.service.subscription_file import change_subscription, parse_document_text

RULES_NAME = "rules.toml"
"""The rules file that is made beside crawler.toml where only the shipped rules are in force."""
NEW_RULES = 'version = 1\ninclude = "shipped"  # the shipped rules stay in force\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRule:
    """A rule that a search becomes."""

    name: str
    query: str
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSubscription:
    """A subscription to the rule of a search, of the same name. `language` is that of its messages.

    `user` may change it in the browser, as every owner may.
    """

    channel: str
    when: str = "realtime"
    language: str = "en"
    user: str | None = None


def format_search_rule(rule: SearchRule) -> str:
    """Return a rule as TOML."""
    values = {
        "name": rule.name,
        "query": rule.query,
        "sources": list(rule.sources),
        "languages": list(rule.languages),
    }
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value)
    return "[[rule]]\n" + "\n".join(lines) + "\n"


def append_rule(text: str, path: Path, rule: SearchRule) -> str:
    """Return the text of a rules file with the rule at its end.

    Raise UsageError for a query that no rule can have and for a name that is in use, or RuleError.
    """
    if problem := find_query_problem(rule.query):
        raise UsageError(f"The query cannot be a rule: {problem}")
    if any(each.name == rule.name for each in parse_rules(text, path).rules):
        raise UsageError(f"{path} has a rule {rule.name!r} already. Choose another name, or change it there.")
    whole = f"{text.rstrip()}\n\n{format_search_rule(rule)}"
    parse_rules(whole, path)
    return whole


def get_rules_path(config: Config) -> Path:
    """Return the rules file to write to: that in force, or the one to make beside crawler.toml.

    Raise ConfigError where nothing can be written, because there is no crawler.toml or an unused rules file.
    """
    if config.rules is not None:
        return config.rules
    if config.path is None:
        raise ConfigError("There is no crawler.toml to write to. Make one with `crawler init`.")
    path = config.path.with_name(RULES_NAME)
    if path.exists():
        raise ConfigError(f"{path} exists, but crawler.toml does not name it. Set `rules` to it, or move it away.")
    return path


def read_rules_text(config: Config) -> str:
    """Return the text of the rules file in force, or of the file to make where only the shipped rules are."""
    return read_text(get_rules_path(config)) if config.rules else NEW_RULES


def list_file_marks(config: Config) -> dict[Path, str]:
    """Return the marks of crawler.toml and the rules file, for `save_search`."""
    paths = [path for path in (config.path, get_rules_path(config)) if path is not None]
    return {path: get_file_mark(path) for path in paths}


def save_search(
    config: Config, rule: SearchRule, subscription: SearchSubscription | None, marks: Mapping[Path, str]
) -> None:
    """Write the rule and its subscription, both or neither. Where only shipped rules are in force, make a rules file.

    Raise FileChanged if a file does not have its mark any more; UsageError or RuleError for values that no rule and no
    subscription can have.
    """
    rules_path = get_rules_path(config)
    text = append_rule(read_rules_text(config), rules_path, rule)
    subscribed = None
    if subscription is not None:
        if config.path is None:
            raise ConfigError("There is no crawler.toml to write to. Make one with `crawler init`.")
        subscribed = _add_subscription(config, config.path, rule.name, subscription)
    save_rules_text(config, text, marks, config_text=subscribed)


def save_rules_text(config: Config, text: str, marks: Mapping[Path, str], *, config_text: str | None = None) -> None:
    """Put a text of the rules file into force, and one of crawler.toml if it changes too: both or neither.

    Where only the shipped rules are in force, crawler.toml names the new file. Raise FileChanged if a file does not
    have its mark any more, UsageError if a subscription names a rule that is gone.
    """
    texts = {get_rules_path(config): text}
    if config.path is not None and config.rules is None:
        document = parse_document_text(config_text or read_text(config.path), config.path)
        document["rules"] = RULES_NAME
        config_text = document.as_string()
    if config.path is not None and config_text is not None:
        texts[config.path] = config_text
    replace_files(texts, marks=marks, check=lambda: check_subscriptions(load_config(config.path)))


def _add_subscription(config: Config, path: Path, name: str, subscription: SearchSubscription) -> str:
    """Return the text of crawler.toml with the subscription."""
    if name in config.subscriptions:
        raise UsageError(f"{path} has a subscription {name!r} already. Choose another name.")
    values = {"channels": [subscription.channel], "rules": [name], "when": subscription.when}
    values |= {"language": subscription.language, **({"user": subscription.user} if subscription.user else {})}
    return change_subscription(path, name, values)
