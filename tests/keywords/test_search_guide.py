"""The examples of docs/search.md are true, in the matcher and in the index."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.factories import make_article

from crawler.keywords.search_query import interpret_query
from crawler.publish.search import ArticleSearch
from crawler.store import Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
GUIDE = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```search\n(.*?)```", GUIDE, re.DOTALL)
INTERPRETED = [
    line.split(" → ")
    for block in re.findall(r"```interpreted\n(.*?)```", GUIDE, re.DOTALL)
    for line in block.splitlines()
]


def list_examples() -> list[tuple[str, list[str], list[str]]]:
    """Return each query with the texts that it finds and those that it does not find."""
    examples: list[tuple[str, list[str], list[str]]] = []
    for line in "".join(BLOCKS).splitlines():
        sign, text = line[0], line[2:]
        if sign == "?":
            examples.append((text, [], []))
        else:
            examples[-1][1 if sign == "+" else 2].append(text)
    return examples


def test_guide_has_examples() -> None:
    assert len(list_examples()) > 12
    assert len(INTERPRETED) > 4


@pytest.mark.parametrize(("query", "found", "not_found"), list_examples())
def test_example_finds_what_the_guide_says(store: Store, query: str, found: list[str], not_found: list[str]) -> None:
    for number, text in enumerate([*found, *not_found]):
        named, _, body = text.rpartition(": ") if text[2:4] == ": " else ("", "", text)
        language = named or ("ru" if re.search("[а-я]", body) else "en")
        article = make_article(str(number), body=body, language=language)
        store.articles.save(article, content_hash="h", run_id=None, seen_at=NOON)
    hits = {int(hit.article.native_id) for hit in ArticleSearch(store, query, UTC).iter_hits()}
    assert hits == set(range(len(found)))


@pytest.mark.parametrize(("typed", "understood"), INTERPRETED)
def test_interpreted_query_is_that_of_the_guide(typed: str, understood: str) -> None:
    assert interpret_query(typed).text == understood
