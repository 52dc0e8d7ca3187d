"""Factories: articles and configurations from the values that matter to a test."""

from __future__ import annotations

from typing import Any

from crawler.config import Config
from crawler.items import Article, Verdict

UNUSED_CHANNEL = "json://127.0.0.1:1"
"""A channel address to which no test sends."""


def make_article(native_id: str = "1", *, source: str = "mfa", language: str = "ru", **values: Any) -> Article:
    """Return the first version of an article. `values` replace any field."""
    defaults = {
        "id": f"{source}:{native_id}:{language}",
        "source": source,
        "url": f"https://{source}.example/{native_id}?lang={language}",
        "body": f"Текст {native_id}.",
        "language": language,
        "verdict": Verdict.NEW,
        "version": 1,
    }
    return Article(**{**defaults, **values})


def make_config(channel: str = UNUSED_CHANNEL, *, settings: dict[str, Any] | None = None, **options: Any) -> Config:
    """Return a configuration with the channel `desk` and the subscription `press`, which has these options.

    `settings` are further keys of the configuration.
    """
    press = {"channels": ["desk"], **options}
    return Config.model_validate({"channels": {"desk": channel}, "subscriptions": {"press": press}, **(settings or {})})
