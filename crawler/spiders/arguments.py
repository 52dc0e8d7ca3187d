"""Arguments of a run, as `scrapy crawl NAME -a limit=5` gives them: text to values, or an error for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from crawler.errors import UsageError, suggest_nearest
from crawler.text import dates

ARGUMENTS = ("url", "since", "limit", "all")
FLAG_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
MAX_LIMIT_DIGITS = 10


def raise_if_unknown_argument(names: Iterable[str]) -> None:
    """Raise UsageError for an argument that no run has. Those that begin with `_` are scrapyd's own."""
    for name in names:
        if name not in ARGUMENTS and not name.startswith("_"):
            hint = suggest_nearest(name, ARGUMENTS) or "."
            raise UsageError(f"-a {name}=…: there is no such argument{hint} Known ones: {', '.join(ARGUMENTS)}.")


def parse_flag(name: str, text: str) -> bool:
    """Return the value of `-a NAME=true`. Raise UsageError for another word."""
    if text.lower() in FLAG_WORDS:
        return FLAG_WORDS[text.lower()]
    raise UsageError(f"-a {name}={text} cannot be used: write {name}=true or {name}=false.")


def parse_start_date(text: str, zone: tzinfo) -> datetime:
    """Return the value of `-a since=DATE`. Raise UsageError when it is no date."""
    try:
        return dates.convert_to_zone(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        raise UsageError(f"-a since={text} cannot be used: write a date such as since=2026-01-31.") from None


def parse_limit(text: str) -> int:
    """Return the value of `-a limit=N`. Raise UsageError when it is no positive number."""
    if text.isascii() and text.isdigit() and 0 < len(text) < MAX_LIMIT_DIGITS and int(text):
        return int(text)
    raise UsageError(f"-a limit={text} cannot be used: write a number of articles such as limit=5.")
