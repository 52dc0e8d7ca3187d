"""The store as it was before a run: what that run and later ones brought is not there, what was before is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from store.conftest import NOON

from crawler.items import Article, Run, Verdict
from crawler.store import Memory, Store, open_store
from crawler.store.rewind import rewind

HOUR = timedelta(hours=1)


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'copy.db'}") as copy:
        yield copy


def ran(store: Store, hours: int, source: str = "mfa") -> Run:
    """A run that began so many hours after noon and ended."""
    run = store.runs.begin(Run(source=source, started_at=NOON + hours * HOUR + timedelta(milliseconds=400)))
    ended = replace(run, finished_at=NOON + hours * HOUR + timedelta(minutes=1), complete=True)
    store.runs.finish(ended)
    return ended


def keep(store: Store, run: Run, article: Article, text: str, after: int = 0) -> None:
    """Store a text in a run; its page's time has whole seconds, so it may lie before the run's own."""
    at = run.started_at.replace(microsecond=0) + timedelta(seconds=after)
    store.articles.save(replace(article, body=text), content_hash=text, run_id=run.id, seen_at=at)


@pytest.fixture
def lived(store: Store, an_article: Callable[..., Article]) -> dict[str, Any]:
    """Three runs: a first text, an edited text with a further article, and a look at both that finds nothing new."""
    first, second, third = (ran(store, hours) for hours in (0, 1, 2))
    one, other = an_article("1"), an_article("2")
    keep(store, first, one, "first")
    keep(store, second, replace(one, version=2, verdict=Verdict.REVISED, title="Edited"), "second")
    keep(store, second, other, "other")
    for each, text in ((one, "second"), (other, "other")):
        keep(store, third, replace(each, verdict=Verdict.UNCHANGED), text)
    return {"runs": (first, second, third), "one": one, "other": other}


def test_before_the_second_run_only_the_first_text_is_known(store: Store, copy: Store, lived: dict[str, Any]) -> None:
    first, second, _ = lived["runs"]
    assert rewind(store, copy, "mfa", second.started_at) is True
    assert copy.articles.find("mfa:2:ru") is None
    known = copy.articles.find("mfa:1:ru")
    assert known is not None
    assert (known.version, known.content_hash, known.verdict) == (1, "first", Verdict.NEW)
    assert (known.first_run_id, known.last_seen_at) == (first.id, NOON)
    assert [article.body for article in copy.articles.versions("mfa:1:ru")] == ["first"]
    assert copy.articles.get("mfa:1:ru") == store.articles.get("mfa:1:ru", 1)
    assert [run.id for run in copy.runs.recent()] == [first.id]
    assert copy.runs.last_complete_id("mfa") == first.id


def test_a_store_that_knows_nothing_later_is_copied_as_it_is(store: Store, copy: Store, lived: dict[str, Any]) -> None:
    assert rewind(store, copy, "mfa", NOON + 3 * HOUR) is False
    for key in ("mfa:1:ru", "mfa:2:ru"):
        assert copy.articles.find(key) == store.articles.find(key)
        assert copy.articles.versions(key) == store.articles.versions(key)
    assert copy.runs.recent() == store.runs.recent()


def test_before_the_first_run_nothing_is_known(store: Store, copy: Store, lived: dict[str, Any]) -> None:
    assert rewind(store, copy, "mfa", lived["runs"][0].started_at) is True
    assert (list(copy.articles.select()), copy.runs.recent()) == ([], [])


def test_other_sources_are_as_they_were_too(
    store: Store, copy: Store, lived: dict[str, Any], an_article: Callable[..., Article]
) -> None:
    early, late = ran(store, 0, "ktkz"), ran(store, 2, "ktkz")
    keep(store, early, an_article(id="ktkz:1:ru", source="ktkz"), "the same")
    keep(store, late, an_article(id="ktkz:2:ru", source="ktkz"), "later")
    assert rewind(store, copy, "mfa", lived["runs"][1].started_at) is True
    assert [article.id for article in copy.articles.select(source="ktkz")] == ["ktkz:1:ru"]
    assert copy.articles.twin("the same", other_than="mfa:9:ru") == "ktkz:1:ru"
    assert copy.articles.twin("later", other_than="mfa:9:ru") is None


def test_what_is_written_over_is_left_out_when_it_is_of_later(store: Store, copy: Store, lived: dict[str, Any]) -> None:
    second = lived["runs"][1].started_at
    old = Memory(source="mfa", url="https://old.example", checked_at=NOON)
    store.memory.put(old, Memory(source="mfa", url="https://new.example", checked_at=NOON + 2 * HOUR))
    store.memory.fail("mfa", "https://gone.example", "Gone", "HTTP 404", NOON)
    store.memory.fail("mfa", "https://gone.example", "Gone", "HTTP 404", NOON + 2 * HOUR)
    store.memory.fail("mfa", "https://later.example", "Gone", "HTTP 404", NOON + 2 * HOUR)
    rewind(store, copy, "mfa", second)
    assert copy.memory.get("mfa", "https://old.example") == old
    assert copy.memory.get("mfa", "https://new.example") is None
    (failure,) = copy.memory.open_failures("mfa")
    assert (failure.url, failure.tries, failure.last_at) == ("https://gone.example", 1, NOON)


def test_a_run_can_go_on_in_the_copy(store: Store, copy: Store, lived: dict[str, Any]) -> None:
    rewind(store, copy, "mfa", lived["runs"][1].started_at)
    again = ran(copy, 1)
    keep(copy, again, replace(lived["one"], version=2, verdict=Verdict.REVISED), "second")
    assert [article.body for article in copy.articles.of_run(again.id or 0)] == ["second"]
    assert len(copy.articles.versions("mfa:1:ru")) == 2
