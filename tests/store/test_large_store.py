"""A large store has the rows of saving and clustering; otherwise the benchmarks would measure another store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from support.vectors import list_compressions

from benchmarks.large_store import BATCH, copy_to_postgres, get_store_file, make_store, save_articles
from benchmarks.store_articles import LANGUAGES, ZONE, is_reprint, make_article, make_text, make_versions
from crawler.keywords.index_query import EVERYTHING, IndexPhrase
from crawler.store import Store, open_store
from crawler.store.complete_schema import metadata
from crawler.store.search_index import search_entries

SIZE = 2 * BATCH


def read_rows(store: Store) -> dict[str, list[Any]]:
    """Return every row of every table, and of the full-text index, without the times at which diffs were made."""
    read = store.database.fetch_all
    tables = [*metadata.sorted_tables, search_entries]
    columns = {table.name: [each for each in table.columns if each.name != "judged_at"] for table in tables}
    return {name: sorted(map(tuple, read(select(*found))), key=repr) for name, found in columns.items()}


def read_index(store: Store) -> list[Any]:
    """Return the number of words in each entry of the FTS5 table, entries and places of each word, and all words."""
    queries = (
        "SELECT id, sz FROM search_texts_docsize",
        "SELECT term, doc, cnt FROM search_vocabulary ORDER BY term",
        "SELECT word FROM search_words ORDER BY word",
    )
    return [list(map(tuple, store.database.fetch_all(text(query)))) for query in queries]


def save_batch(store: Store, start: int) -> None:
    """Save the articles of a batch as a crawl does."""
    save_articles(store, [article for number in range(start, start + BATCH) for article in make_versions(number)])


def test_articles_are_the_same_each_time_and_in_three_languages() -> None:
    first = [list(make_versions(number)) for number in range(101)]
    assert first == [list(make_versions(number)) for number in range(101)]
    assert [make_article(number).language for number in range(3)] == list(LANGUAGES)
    assert [number for number, versions in enumerate(first) if len(versions) > 1] == [0, 100]
    assert [number for number in range(101) if is_reprint(number)] == [49, 99]
    assert set(make_text(99).split(". ")) < set(make_text(92).split(". "))


@pytest.mark.slow
def test_store_has_the_rows_of_saving(tmp_path: Path) -> None:
    file = get_store_file(SIZE, tmp_path)
    with open_store(f"sqlite:///{tmp_path}/saved.db") as saved, open_store(f"sqlite:///{file}") as made:
        for start in range(0, SIZE, BATCH):
            save_batch(saved, start)
        expected, found = read_rows(saved), read_rows(made)
        assert {table for table in expected if found[table] != expected[table]} == set()
        assert read_index(made) == read_index(saved)
        assert len(expected["news"]) > SIZE // 50
    made_at = file.stat().st_ino
    assert get_store_file(SIZE, tmp_path).stat().st_ino == made_at  # it is not made again


@pytest.mark.slow
@pytest.mark.campaign
def test_clustered_store_has_the_rows_of_clustering(tmp_path: Path, postgres_url: str) -> None:
    file = tmp_path / "made.db"
    make_store(file, SIZE, is_clustered=True, part_size=BATCH)
    copy_to_postgres(postgres_url, file)
    with open_store(f"sqlite:///{tmp_path}/clustered.db") as store:
        for start in range(0, SIZE, BATCH):
            save_batch(store, start)
            store.clusters.assign_pending(ZONE)
        expected = read_rows(store)
        for url in (f"sqlite:///{file}", postgres_url):
            with open_store(url) as made:
                found = read_rows(made)
                assert {table for table in expected if found[table] != expected[table]} == set()
        save_batch(store, SIZE)
        store.clusters.assign_pending(ZONE)
        expected = read_rows(store)
    for url in (f"sqlite:///{file}", postgres_url):
        with open_store(url) as made:  # later articles continue the numbers
            save_batch(made, SIZE)
            made.clusters.assign_pending(ZONE)
            found = read_rows(made)
            assert {table for table in expected if found[table] != expected[table]} == set()
    assert len(expected["boilerplate"]) >= len(LANGUAGES)
    assert len(expected["stories"]) == len(expected["links"]) == (SIZE + BATCH) // 50


@pytest.mark.slow
def test_index_in_postgres_finds_what_was_saved(tmp_path: Path, postgres_url: str) -> None:
    file = get_store_file(BATCH, tmp_path)
    copy_to_postgres(postgres_url, file)
    with open_store(f"sqlite:///{file}") as small, open_store(postgres_url) as store:
        assert not store.search.has_waiting()
        assert list(store.integrity.check_index()) == []
        assert set(list_compressions(store).values()) == {None}
        for query in (IndexPhrase(("red", "cross")), IndexPhrase(("крест",)), EVERYTHING):
            expected = [(entry.article.id, entry.version) for entry in small.search.iter_newest(query)]
            assert [(entry.article.id, entry.version) for entry in store.search.iter_newest(query)] == expected


def test_only_whole_batches_are_made(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="whole batches"):
        make_store(tmp_path / "made.db", BATCH + 1)
