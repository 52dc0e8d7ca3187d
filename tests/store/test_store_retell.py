"""What had been told when a run's news was sorted, copied: earlier answers are there, the run's own and later not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from store.conftest import NOON

from crawler.items import Article, Match, Run, Strength
from crawler.store import News, Notice, Outcome, Store, open_store
from crawler.store.retell import RELATED, Decided, decided, retell
from crawler.store.rewind import rewind

ZONE, HOUR = UTC, timedelta(hours=1)
MATCH = Match(rule="a", term="b", surface="b", field="body", start=0, end=1, sentence="", strength=Strength.STRONG)
SAME = "Делегация Международного комитета Красного Креста посетила Астану и провела переговоры о праве."
TOLD = NOON + 2 * HOUR + timedelta(minutes=5)
"""When what the second run and its neighbour brought was sorted."""


@dataclass
class Lived:
    """A first run that was told of, a second run and one of another source that were sorted together, a later run."""

    store: Store
    article: Callable[..., Article]
    runs: dict[str, Run]

    def run(self, name: str, hours: float, source: str = "mfa", at_minute: int = 0) -> None:
        """A run that finds one article, of its own name."""
        began = NOON + hours * HOUR
        run = self.store.runs.begin(Run(source=source, started_at=began))
        self.runs[name] = replace(run, finished_at=began + timedelta(minutes=1), complete=True)
        self.store.runs.finish(self.runs[name])
        found = self.article(name, id=f"{source}:{name}:ru", source=source, body=SAME, matches=(MATCH,))
        seen = began + timedelta(minutes=at_minute)
        self.store.articles.save(found, content_hash=name, run_id=run.id, seen_at=seen)

    def sort(self, at_hours: float, message: str | None = None) -> None:
        """Everything unsorted is told, by one message or by a digest to come."""
        at = TOLD + at_hours * HOUR
        number = message and self.store.outbox.put(
            key=message, subscription="press", kind="alert", channels=["desk"], at=at, due=at
        )
        news = self.store.news.unsorted(10)
        outcome = Outcome.TOLD if message else Outcome.DIGEST
        self.store.news.sort([n.id for n in news], [told(n, outcome, number or None, at_hours) for n in news], at)


def told(news: News, outcome: Outcome, message: int | None, hours: float) -> Notice:
    return Notice(
        subscription="press",
        news_id=news.id,
        article_id=news.article_id,
        outcome=outcome,
        why=None,
        message_id=message,
        decided_at=TOLD + hours * HOUR,
    )


@pytest.fixture
def lived(store: Store, an_article: Callable[..., Article]) -> Lived:
    lived = Lived(store, an_article, {})
    store.news.subscribed(["press"], NOON - HOUR)
    lived.run("first", 0)
    lived.sort(-2)
    lived.run("second", 2)
    lived.run("neighbour", 2, source="ktkz", at_minute=2)
    lived.sort(0, "alert")
    lived.run("third", 3)
    lived.run("late", 3, source="ktkz")
    lived.sort(1, "later")
    store.news.attach("press", [n.id for n in store.news.of_article("mfa:first:ru")], 2)  # a digest of later
    store.news.subscribed(["young"], TOLD + HOUR)
    return lived


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'desk.db'}") as desk:
        yield desk


def test_what_was_decided_of_a_run_has_its_time_and_its_answers(lived: Lived) -> None:
    found = decided(lived.store, lived.runs["second"])
    assert found == Decided(TOLD, {("mfa:second:ru", 1, "press"): (Outcome.TOLD, None)}, {("mfa:second:ru", 1): 2})


def test_a_run_that_brought_no_news_would_have_been_asked_about_at_its_end(lived: Lived) -> None:
    run = lived.store.runs.begin(Run(source="mfa", started_at=NOON + 9 * HOUR))
    ended = replace(run, finished_at=NOON + 10 * HOUR)
    assert decided(lived.store, ended) == Decided(NOON + 10 * HOUR, {}, {})


def test_of_news_that_nobody_was_asked_about_nothing_is_known(lived: Lived) -> None:
    lived.run("unsorted", 5)
    assert decided(lived.store, lived.runs["unsorted"]) is None


def test_the_others_are_there_and_what_came_later_is_not(lived: Lived, desk: Store) -> None:
    second = lived.runs["second"]
    rewind(lived.store, desk, "mfa", second.started_at, others=TOLD)
    assert {article.id for article in desk.articles.select()} == {"mfa:first:ru", "ktkz:neighbour:ru"}
    retell(lived.store, desk, second.id or 0, TOLD)
    assert [(n.article_id, n.run_id) for n in desk.news.unsorted(10)] == [
        ("ktkz:neighbour:ru", lived.runs["neighbour"].id)
    ]
    assert desk.news.begun() == {"press"}
    (heard,) = desk.news.notices("mfa:first:ru")
    assert (heard.outcome, heard.message_id) == (Outcome.DIGEST, None)
    assert desk.outbox.ledger() == []
    assert desk.same.waiting() == 2


def test_what_was_told_before_has_its_message(lived: Lived, desk: Store) -> None:
    rewind(lived.store, desk, "mfa", lived.runs["third"].started_at, others=TOLD + HOUR)
    retell(lived.store, desk, lived.runs["third"].id or 0, TOLD + HOUR)
    (heard,) = desk.news.notices("mfa:second:ru")
    assert (heard.outcome, heard.message_id) == (Outcome.TOLD, 1)
    assert desk.news.notices("mfa:third:ru") == []


def test_a_person_s_word_counts_until_it_was_taken_back(lived: Lived, desk: Store) -> None:
    store = lived.store
    store.same.settle(ZONE)
    assert "mfa:second:ru" in store.same.together("mfa:first:ru")
    store.same.split(store.same.story_of("mfa:first:ru") or 0, "mfa:second:ru", TOLD)
    store.same.undo(store.same.story_of("mfa:first:ru") or 0, TOLD + 2 * HOUR)
    assert "mfa:second:ru" in store.same.together("mfa:first:ru")
    rewind(store, desk, "mfa", lived.runs["third"].started_at, others=TOLD + HOUR)
    retell(store, desk, lived.runs["third"].id or 0, TOLD + HOUR)
    desk.same.settle(ZONE)
    assert "mfa:second:ru" not in desk.same.together("mfa:first:ru")
    assert "ktkz:neighbour:ru" in desk.same.together("mfa:first:ru")


def test_old_articles_are_not_judged_again(lived: Lived, desk: Store, an_article: Callable[..., Article]) -> None:
    old = an_article("old", published_at=TOLD - RELATED - HOUR)
    lived.store.articles.save(old, content_hash="old", run_id=None, seen_at=NOON)
    rewind(lived.store, desk, "mfa", lived.runs["second"].started_at, others=TOLD)
    retell(lived.store, desk, lived.runs["second"].id or 0, TOLD)
    assert desk.articles.find("mfa:old:ru") is not None
    assert desk.same.waiting() == 2
