"""Factories: articles, configurations and archived pages from the values that matter to a test."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crawler.archive.http_transaction import HttpTransaction, PriorRecord
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


def make_transaction(
    url: str, body: bytes, fetched_at: datetime, prior: PriorRecord | None = None, **values: Any
) -> HttpTransaction:
    """Return a page that answered 200. `values` replace any field."""
    defaults = {
        "method": "GET",
        "request_headers": [],
        "payload": b"",
        "status": 200,
        "headers": [(b"Content-Type", b"text/html")],
    }
    return HttpTransaction(url=url, body=body, fetched_at=fetched_at, prior_record=prior, **{**defaults, **values})


def make_config(channel: str = UNUSED_CHANNEL, *, settings: dict[str, Any] | None = None, **options: Any) -> Config:
    """Return a configuration with the channel `desk` and the subscription `press`, which has these options.

    `settings` are further keys of the configuration.
    """
    press = {"channels": ["desk"], **options}
    return Config.model_validate({"channels": {"desk": channel}, "subscriptions": {"press": press}, **(settings or {})})
