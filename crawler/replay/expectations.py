"""Today's extraction over stored pages, against what each must yield: one result for every page and field.

An expectation is typed from the page before an extractor runs on it. It is `{"articles": [{field: value}]}` (only the
fields it states are compared; `body_starts`, `body_ends`, `body_has` and `body_lacks` state parts of a body), or
`{"links": […]}`, or `{"raises": "Blocked"}`. `[]` articles means: this page rightly yields none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.archive.folder import StoredPage, beside
from crawler.errors import NotAnArticle, SourceError
from crawler.extract.page import read
from crawler.extract.site import Site
from crawler.items import Article

STATED = (
    "id url title lead body language published_at published_raw published_precision section place author attribution "
    "images reading_minutes rights"
).split()
"""The fields that an expectation written by `accept` states: what the page says, not when or how it was read."""

BODY: dict[str, Callable[[str, Any], bool]] = {
    "body_starts": lambda body, start: body.startswith(start),
    "body_ends": lambda body, end: body.endswith(end),
    "body_has": lambda body, parts: all(part in body for part in parts),
    "body_lacks": lambda body, parts: not any(part in body for part in parts),
}
"""What an expectation can state of a part of a body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One compared field of one page. `field` is `links`, `raises`, `articles`, or `<article number>.<field>`."""

    source: str
    page: str
    field: str
    expected: Any
    found: Any
    passed: bool


def outcome(page: StoredPage, site: Site) -> dict[str, Any]:
    """What extraction makes of a page today, in the form of an expectation."""
    try:
        reading = read(page.snapshot, site)
    except NotAnArticle as reason:
        return {"articles": [], "reason": str(reason)}
    except SourceError as error:
        return {"raises": type(error).__name__, "reason": str(error)}
    if reading.links:
        return {"links": list(reading.links)}
    found: dict[str, Any] = {"articles": [stated(article) for article in reading.articles]}
    if reading.problems:
        found["problems"] = [str(problem) for problem in reading.problems]
    return found


def stated(article: Article) -> dict[str, Any]:
    """The fields that an expectation can state."""
    values = json.loads(json.dumps(article.to_dict()))
    return {name: values[name] for name in STATED}


def check(page: StoredPage, site: Site) -> Iterator[Result]:
    """Every result of one page; a page without an expectation fails as a whole."""
    found = outcome(page, site)
    expected = page.expected
    if expected is None:
        yield _result(page, site, "expectation", "a file .expected.json beside the page", None, False)
    elif "raises" in expected:
        yield _compared(page, site, "raises", expected["raises"], found.get("raises") or _kind(found))
    elif "links" in expected:
        yield _compared(
            page, site, "links", expected["links"], found.get("links") or found.get("reason") or _kind(found)
        )
    else:
        yield from _articles(page, site, expected["articles"], found)


def _articles(page: StoredPage, site: Site, expected: list[dict[str, Any]], found: dict[str, Any]) -> Iterator[Result]:
    articles = found.get("articles")
    number = len(articles) if articles is not None else found.get("reason") or _kind(found)
    yield _compared(page, site, "articles", len(expected), number)
    if found.get("problems"):
        yield _result(page, site, "problems", [], found["problems"], False)
    for index, (one, other) in enumerate(zip(expected, articles or (), strict=False)):
        for name, value in one.items():
            yield _field(page, site, f"{index}.{name}", value, other)


def _field(page: StoredPage, site: Site, field: str, expected: Any, article: dict[str, Any]) -> Result:
    name = field.partition(".")[2]
    body: str = article["body"]
    if name in BODY:
        return _result(page, site, field, expected, body, BODY[name](body, expected))
    found = article.get(name)
    if name == "rights" and isinstance(expected, dict) and isinstance(found, dict):
        found = {key: found.get(key) for key in expected}
    return _compared(page, site, field, expected, found)


def _kind(found: dict[str, Any]) -> str:
    return next(iter(found))


def _compared(page: StoredPage, site: Site, field: str, expected: Any, found: Any) -> Result:
    return _result(page, site, field, expected, found, expected == found)


def _result(page: StoredPage, site: Site, field: str, expected: Any, found: Any, passed: bool) -> Result:
    return Result(source=site.name, page=page.path.name, field=field, expected=expected, found=found, passed=passed)


def accept(page: StoredPage, site: Site, reason: str) -> Path:
    """Write today's outcome as the page's expectation, with the reason; the file, for a person to review."""
    path = beside(page.path, ".expected.json")
    values = {**outcome(page, site), "accepted": reason}
    values.pop("problems", None)
    path.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path
