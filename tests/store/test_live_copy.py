"""`crawler store copy`: each kind of store into each kind, killed anywhere, while the store is written to."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from support.empty_stores import open_test_store
from support.factories import make_article
from support.filled_store import MATCH, NOON, fill_store, read_rows

from crawler.errors import ConfigError, CrawlerError, StoreError, UsageError
from crawler.items import Run
from crawler.keywords.index_query import IndexPhrase
from crawler.store import Store, live_copy
from crawler.store.live_copy import copy_store
from crawler.store.schema import articles, failures, matches, runs
from crawler.store.statements import insert_rows, select_columns


class Killed(Exception):
    """Ends a copy as a kill would."""


@pytest.fixture
def source_url(url: str) -> str:
    """The URL of a store with rows."""
    with open_test_store(url) as store:
        fill_store(store)
    return url


def make_target(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the URL of an empty database of this kind."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'target' / 'copy.db'}"
    return str(request.getfixturevalue("second_postgres_url"))


@pytest.fixture
def target_url(url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of the other kind."""
    return make_target("postgresql" if url.startswith("sqlite") else "sqlite", request, tmp_path)


def find_articles(url: str, word: str) -> list[tuple[str, int]]:
    with open_test_store(url) as store:
        return sorted((each.article.id, each.version) for each in store.search.iter_newest(IndexPhrase((word,))))


def kill_after(steps: int) -> Callable[..., None]:
    """Return a listener that raises at this step of a copy."""
    left = [steps]

    def listen(label: str, done: int, total: int) -> None:
        assert 0 <= done <= total, label
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return listen


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.slow
def test_copy_has_every_row_and_is_searched(
    source_url: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    target_url = make_target(kind, request, tmp_path)
    report = copy_store(source_url, target_url)
    assert read_rows(target_url) == read_rows(source_url)
    assert (report.counts["articles"], report.counts["versions"], report.indexed) == (3, 4, 4)
    assert not (report.was_continued or report.was_written or report.corrected)
    assert find_articles(target_url, "текст") == find_articles(source_url, "текст")
    with open_test_store(target_url) as copy:
        assert copy.leases.list_active() == []
        assert copy.runs.record_start(Run(source="mfa", started_at=NOON)).id == 2
        copy.articles.save(make_article("9", matches=(MATCH,)), content_hash="h", run_id=None, seen_at=NOON)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
@pytest.mark.slow
@pytest.mark.campaign
def test_copy_that_is_killed_anywhere_continues(
    source_url: str, target_url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_copy, "ROWS_PER_BATCH", 2)
    monkeypatch.setattr(live_copy, "VERSIONS_PER_INDEX_BATCH", 1)
    chance = random.Random(seed)
    kills, report = 0, None
    with open_test_store(source_url) as store:
        for number in range(60):
            try:
                report = copy_store(source_url, target_url, kill_after(chance.randrange(5, 60) + 25 * number))
                break
            except Killed:
                kills += 1
                if number < 6:
                    change_something(store, number, chance)
    assert kills > 2
    assert report is not None
    copied = read_rows(target_url)
    assert len(find_articles(target_url, "текст")) == len(copied["versions"])
    # A change while the index was made came after the moment that the copy shows.
    assert report.was_written or copied == read_rows(source_url)


def change_something(store: Store, number: int, chance: random.Random) -> None:
    """Add, change and delete rows of the store between two starts."""
    later = make_article(f"later{number}", body=f"Текст {number}.", matches=(MATCH,), published_at=NOON)
    store.articles.save(later, content_hash=f"l{number}", run_id=None, seen_at=NOON)
    with store.database.transaction() as connection:
        match chance.randrange(3):
            case 0:
                connection.execute(update(matches).values(term=f"term {number}"))
            case 1:
                connection.execute(delete(failures))
            case 2:
                connection.execute(delete(articles).where(articles.c.native_id == f"later{number - 1}"))


@pytest.mark.slow
def test_store_that_changes_between_two_starts_is_copied_as_it_is_at_the_second(
    source_url: str, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_copy, "ROWS_PER_BATCH", 2)
    seen: list[str] = []

    def stop_at_comparing(label: str, done: int, total: int) -> None:
        seen.append(label)
        if label == "comparing runs":
            raise Killed

    with pytest.raises(Killed):
        copy_store(source_url, target_url, stop_at_comparing)
    assert "copying deliveries" in seen
    with open_test_store(source_url) as store:
        for number in range(3):
            change_something(store, number, random.Random(number))
        with store.database.transaction() as connection:
            connection.execute(update(runs).values(reason="changed"))
            connection.execute(delete(articles).where(articles.c.native_id == "1"))
    report = copy_store(source_url, target_url)
    assert read_rows(target_url) == read_rows(source_url)
    assert report.was_continued
    assert report.corrected > 3


@pytest.mark.slow
def test_rows_that_are_written_meanwhile_are_reported(source_url: str, target_url: str) -> None:
    def save_later(label: str, done: int, total: int) -> None:
        if label == "copying articles" and done == 0:
            with open_test_store(source_url) as store:
                article = make_article("later", matches=(MATCH,))
                store.articles.save(article, content_hash="h", run_id=None, seen_at=NOON.replace(year=2027))

    before = read_rows(source_url)
    report = copy_store(source_url, target_url, save_later)
    assert report.was_written
    assert read_rows(target_url) == before


@pytest.mark.slow
def test_unfinished_copy_is_no_store(source_url: str, target_url: str, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        copy_store(source_url, target_url, kill_after(9))
    with pytest.raises(ConfigError, match="is an unfinished copy of another one: run the same"):
        open_test_store(target_url)
    other = f"sqlite:///{tmp_path / 'other.db'}"
    open_test_store(other).close()
    with pytest.raises(UsageError, match=r"is an unfinished copy of .*, not of .*other\.db"):
        copy_store(other, target_url)
    copy_store(source_url, target_url)
    with pytest.raises(UsageError, match=r"has rows already "):
        copy_store(source_url, target_url)


@pytest.mark.slow
def test_copy_that_differs_is_reported(source_url: str, target_url: str) -> None:
    # What the target writes otherwise is found by reading it again.
    def damage(label: str, done: int, total: int) -> None:
        if label == "comparing runs" and done == 0:
            engine_of_copy[0].execute(update(matches).values(term="damaged"))

    engine_of_copy: list[Any] = []
    read_tables = live_copy._Copy._compare_table

    def remember(self: Any, table: Any, expected: Any) -> None:
        engine_of_copy.append(self._writing)
        read_tables(self, table, expected)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_copy._Copy, "_compare_table", remember)
        with pytest.raises(CrawlerError, match=r"table matches differs: 3 rows of 3, digest .* it corrects it"):
            copy_store(source_url, target_url, damage)
    assert copy_store(source_url, target_url).corrected == 3
    assert read_rows(target_url) == read_rows(source_url)


def test_store_is_not_copied_into_itself(source_url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be copied into itself"):
        copy_store(source_url, source_url)
    with pytest.raises(UsageError, match="There is no store"):
        copy_store(f"sqlite:///{tmp_path / 'absent.db'}", source_url)
    assert not (tmp_path / "absent.db").exists()


def test_rows_that_are_there_already_are_refused(source_url: str) -> None:
    with open_test_store(source_url) as store, store.database.engine.connect() as reading:
        rows = reading.execute(select(*select_columns(runs, runs.columns.keys()))).all()
        assert rows
        reading.rollback()
        with pytest.raises(StoreError), store.database.transaction() as writing:
            insert_rows(writing, runs, rows)
        assert len(store.database.fetch_all(select(runs.c.id))) == len(rows)
