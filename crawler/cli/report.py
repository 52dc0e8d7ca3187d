"""`crawler replay --report`: the scorecard of the snapshots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.cli import moment
from crawler.cli.lines import table
from crawler.cli.plural import plural
from crawler.cli.replay import kept
from crawler.config import load
from crawler.errors import PageChanged
from crawler.items import iso
from crawler.replay.scorecard import ClassAge, PageAge, Scorecard, scorecard


def report(config_path: Path | None, source: str | None, snapshots: Path, max_age: str, as_json: bool) -> int:
    """Print each source's scorecard; 12 when a field is not as expected. Age alone is told and fails nothing."""
    from crawler import spiders
    from crawler.archive.folder import stored_pages

    config, oldest, now = load(config_path), moment.age(max_age, "--max-age"), datetime.now(UTC)
    cards = [
        scorecard(stored_pages(snapshots, name), spiders.load(name).site_of(config), now, oldest)
        for name in kept(source, snapshots)
    ]
    if as_json:
        for card in cards:
            _print_json(card)
    else:
        print("\n\n".join("\n".join(lines(card, max_age)) for card in cards))
    return 0 if all(card.passed for card in cards) else PageChanged.exit_code


def _print_json(card: Scorecard) -> None:
    for kind, rows in (("field", card.fields), ("snapshot", card.pages), ("page_class", card.classes)):
        for row in rows:
            values: dict[str, Any] = {"type": kind, **asdict(row)}
            for name in ("fetched_at", "newest"):
                if name in values:
                    values[name] = iso(values[name])
            print(json.dumps(values, ensure_ascii=False))


def lines(card: Scorecard, max_age: str) -> list[str]:
    """A source's scorecard for people: fields, snapshots, page classes."""
    passed, asked = sum(field.passed for field in card.fields), sum(field.of for field in card.fields)
    found = [f"{card.source}: {plural(len(card.pages), 'snapshot')}, {passed} of {plural(asked, 'field')} as expected"]
    rates = [(rate.field, str(rate.passed), str(rate.of), f"{rate.passed / rate.of:.0%}") for rate in card.fields]
    found += _indented([("field", "passed", "of", "rate"), *rates])
    pages = [(page.page, page.page_class or "no page", _day(page), _days(page.days)) for page in card.pages]
    found += ["", *_indented([("snapshot", "page class", "fetched", "age"), *pages])]
    classes = [(each.page_class, str(each.snapshots), _days(each.days)) for each in card.classes]
    found += ["", *_indented([("page class", "good snapshots", "newest"), *classes])]
    if without := [each for each in card.classes if not each.recent]:
        found.append(f"  No good snapshot younger than {max_age}: {', '.join(map(_named, without))}.")
    return found


def _indented(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"  {row}" for row in table(rows)]


def _day(page: PageAge) -> str:
    return f"{page.fetched_at:%Y-%m-%d}" if page.fetched_at else "unknown"


def _days(days: int | None) -> str:
    return "unknown" if days is None else f"{days} d"


def _named(each: ClassAge) -> str:
    if each.days is not None:
        return f"{each.page_class} ({plural(each.days, 'day')})"
    return f"{each.page_class} ({'no date' if each.snapshots else 'none'})"
