"""`crawler replay --report`: the scorecard of the snapshots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.cli import time_options as moment
from crawler.cli.commands.replay import choose_snapshot_sources
from crawler.cli.console import format_table
from crawler.config import load_config
from crawler.errors import PageChanged
from crawler.fixtures.scorecard import ClassAge, PageAge, Scorecard, make_scorecard
from crawler.items import format_time
from crawler.text.counts import format_count


def print_scorecards(config_path: Path | None, source: str | None, snapshots: Path, max_age: str, as_json: bool) -> int:
    """Print each source's scorecard; 12 when a field is not as expected. Age alone is told and fails nothing."""
    from crawler import spiders
    from crawler.archive.snapshot_folder import load_stored_pages

    config, oldest, now = load_config(config_path), moment.parse_age(max_age, "--max-age"), datetime.now(UTC)
    cards = [
        make_scorecard(load_stored_pages(snapshots, name), spiders.load_spider(name).make_site(config), now, oldest)
        for name in choose_snapshot_sources(source, snapshots)
    ]
    if as_json:
        for card in cards:
            _print_json(card)
    else:
        print("\n\n".join("\n".join(format_scorecard(card, max_age)) for card in cards))
    return 0 if all(card.is_passed for card in cards) else PageChanged.exit_code


def _print_json(card: Scorecard) -> None:
    for kind, rows in (("field", card.fields), ("snapshot", card.pages), ("page_class", card.classes)):
        for row in rows:
            values: dict[str, Any] = {"type": kind, **asdict(row)}
            for name in ("fetched_at", "newest"):
                if name in values:
                    values[name] = format_time(values[name])
            print(json.dumps(values, ensure_ascii=False))


def format_scorecard(card: Scorecard, max_age: str) -> list[str]:
    """A source's scorecard for people: fields, snapshots, page classes."""
    passed, asked = sum(field.passed for field in card.fields), sum(field.of for field in card.fields)
    found = [
        f"{card.source}: {format_count(len(card.pages), 'snapshot')}, {passed} of {format_count(asked, 'field')} as expected"
    ]
    rates = [(rate.field, str(rate.passed), str(rate.of), f"{rate.passed / rate.of:.0%}") for rate in card.fields]
    found += _format_rows([("field", "passed", "of", "rate"), *rates])
    pages = [
        (page.page, page.page_class or "no page", _format_day(page), _format_age(page.days)) for page in card.pages
    ]
    found += ["", *_format_rows([("snapshot", "page class", "fetched", "age"), *pages])]
    classes = [(each.page_class, str(each.snapshots), _format_age(each.days)) for each in card.classes]
    found += ["", *_format_rows([("page class", "good snapshots", "newest"), *classes])]
    if without := [each for each in card.classes if not each.recent]:
        found.append(f"  No good snapshot younger than {max_age}: {', '.join(map(_format_class, without))}.")
    return found


def _format_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"  {row}" for row in format_table(rows)]


def _format_day(page: PageAge) -> str:
    return f"{page.fetched_at:%Y-%m-%d}" if page.fetched_at else "unknown"


def _format_age(days: int | None) -> str:
    return "unknown" if days is None else f"{days} d"


def _format_class(each: ClassAge) -> str:
    if each.days is not None:
        return f"{each.page_class} ({format_count(each.days, 'day')})"
    return f"{each.page_class} ({'no date' if each.snapshots else 'none'})"
