"""What a store and its archive hold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from support.factories import make_article

from crawler.service.store_statistics import collect_statistics
from crawler.store import Store

NEW_YEAR = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
SPRING = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def test_everything_is_counted(store: Store, tmp_path: Path) -> None:
    for number, (source, at) in enumerate([("mfa", NEW_YEAR), ("mfa", SPRING), ("ktkz", SPRING)]):
        article = make_article(str(number), source=source, published_at=at)
        store.articles.save(article, content_hash=str(number), run_id=None, seen_at=SPRING)
    (tmp_path / "mfa").mkdir()
    for name, size in (("2026-03-06", 10), ("2026-03-06-2", 5), ("2026-04-01", 3)):
        (tmp_path / "mfa" / f"{name}.warc.gz").write_bytes(b"x" * size)
    found = collect_statistics(store, tmp_path)
    assert found.articles == 3
    assert [tuple(each) for each in found.years] == [("ktkz", 2026, 1), ("mfa", 2025, 1), ("mfa", 2026, 1)]
    assert [tuple(each) for each in found.months] == [("2026-03", 3)]
    assert tuple(found.times) == (NEW_YEAR, SPRING)
    assert found.waiting == {"index": 0, "comparison": 3}
    assert found.archive == {("mfa", "2026-03"): 15, ("mfa", "2026-04"): 3}
    assert found.sum_archive_by_source() == {"mfa": 18}
    relations = {each.name: each for each in found.relations}
    assert relations["versions"].bytes > 0
    assert relations["ix_articles_url_key"].is_index
    assert relations["ix_articles_url_key"].table == "articles"
    if found.has_exact_rows:
        names = ("articles", "versions", "matches", "unjudged", "ix_articles_url_key")
        assert [relations[name].rows for name in names] == [3, 3, 0, 3, 3]
    assert sum(each.bytes for each in found.relations) <= found.bytes
    assert found.to_dict()["years"][0] == {"source": "ktkz", "year": 2026, "articles": 1}


def test_empty_store_has_no_times(store: Store, tmp_path: Path) -> None:
    found = collect_statistics(store, tmp_path / "absent")
    assert (found.articles, tuple(found.times), found.archive) == (0, (None, None), {})
