"""What a run gives today against what it gave then, article by article and field by field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crawler.items import Article, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as then. `kind` is `added`, `missing` (a whole article, `field` is None), `changed` (a
    field of an article), `run` (a field of the run's record; `of` is then its source) or `told` (what a subscription,
    `field`, made of an article)."""

    kind: str
    of: str
    field: str | None = None
    then: Any = None
    now: Any = None


def differences(then: Iterable[Article], now: Iterable[Article]) -> list[Difference]:
    """What differs, by the articles' ids; where an id came several times, the first is compared with the first."""
    before, after = _numbered(then), _numbered(now)
    found = [Difference(kind="missing", of=key[0], then=before[key]["title"]) for key in before if key not in after]
    found += [Difference(kind="added", of=key[0], now=after[key]["title"]) for key in after if key not in before]
    for key, old in before.items():
        new = after.get(key, old)
        found += [
            Difference(kind="changed", of=key[0], field=name, then=old[name], now=new[name])
            for name in old
            if old[name] != new[name]
        ]
    return sorted(found, key=lambda each: each.of)


def run_differences(then: Run, now: Run) -> list[Difference]:
    """How the run itself ended otherwise: its verdict, its exit code, its problems."""
    pairs: Sequence[tuple[str, Any, Any]] = (
        ("health", then.health and str(then.health), now.health and str(now.health)),
        ("exit_code", then.exit_code, now.exit_code),
        ("problems", sorted(each.message for each in then.problems), sorted(each.message for each in now.problems)),
    )
    return [
        Difference(kind="run", of=then.source, field=name, then=old, now=new) for name, old, new in pairs if old != new
    ]


def _numbered(articles: Iterable[Article]) -> dict[tuple[str, int], dict[str, Any]]:
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for article in articles:
        number = 0
        while (article.id, number) in found:
            number += 1
        found[article.id, number] = json.loads(json.dumps(article.to_dict()))
    return found
