"""Search on texts that were labelled by reading. The texts are in a folder that the environment names; see below.

`SEARCH_TEXTS` is a folder with JSON lines that have `id`, `lang` and `text`. Without it this test is skipped: the texts
belong to their publishers.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.factories import make_article

from crawler.publish.search import ArticleSearch
from crawler.store import open_store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
FOLDER = os.environ.get("SEARCH_TEXTS")
LINES = (Path(__file__).parent / "labelled" / "search_pairs.tsv").read_text(encoding="utf-8").splitlines()
PAIRS = [tuple(line.split("\t")) for line in LINES if not line.startswith("#")]
MIN_RECALL, MIN_PRECISION = 0.97, 0.95


def test_there_are_enough_pairs_in_each_language() -> None:
    assert len(set(PAIRS)) == len(PAIRS) >= 100
    assert min(Counter(language for language, *_ in PAIRS).values()) >= 30


@pytest.mark.skipif(FOLDER is None, reason="SEARCH_TEXTS names no folder with texts")
def test_recall_and_precision() -> None:
    texts = {
        record["id"]: record
        for file in Path(str(FOLDER)).glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
        if "text" in (record := json.loads(line))
    }
    found: Counter[tuple[bool, bool]] = Counter()
    with open_store("sqlite://") as store:
        for name, record in texts.items():
            article = make_article(name, body=record["text"], language=record["lang"])
            store.articles.save(article, content_hash=name, run_id=None, seen_at=NOON)
        for _, query, name, label in PAIRS:
            hits = {hit.article.native_id for hit in ArticleSearch(store, query, UTC).iter_hits()}
            found[(name in hits, label == "yes")] += 1
    assert found[True, True] / (found[True, True] + found[False, True]) >= MIN_RECALL
    assert found[True, True] / (found[True, True] + found[True, False]) >= MIN_PRECISION
