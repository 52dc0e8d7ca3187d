"""News and the outbox over both stores: written with the version, sorted once, delivered once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.items import Article, Match, Run, Strength, Verdict
from crawler.store import ChangeEvent, Decision, Delivery, DeliveryState, Notification, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MATCH = Match(rule="ihl", term="IHL", surface="IHL", field="body", start=0, end=3, sentence="", strength=Strength.WEAK)


def save(store: Store, name: str = "1", version: int = 1, *, matched: bool = True, quiet: str | None = None) -> Article:
    article = Article(
        id=f"mfa:{name}:en",
        source="mfa",
        url=f"https://example.org/{name}",
        body=f"IHL {version}",
        version=version,
        verdict=Verdict.NEW if version == 1 else Verdict.REVISED,
        matches=(MATCH,) if matched else (),
    )
    store.articles.save(article, content_hash=f"{name}/{version}", run_id=None, seen_at=NOON, suppressed_because=quiet)
    return article


def notice(news: ChangeEvent, outcome: Decision = Decision.ALERT, **values: object) -> Notification:
    given = {"subscription": "press", "event_id": news.id, "article_id": news.article_id, "reason": None}
    return Notification(**{**given, "decision": outcome, "decided_at": NOON, **values})  # type: ignore[arg-type]


def message(store: Store, key: str = "k", *channels: str, due: datetime = NOON) -> int:
    return store.messages.add(
        key=key, subscription="press", kind="alert", channels=channels or ("desk",), created_at=NOON, due_at=due
    )


def test_a_version_that_matches_or_revises_is_news_and_no_other(store: Store) -> None:
    save(store, "1")
    save(store, "1")  # the same once more
    save(store, "2", matched=False)
    save(store, "2", 2, matched=False)
    save(store, "3", quiet="baseline")
    found = [(n.article_id, n.version, n.verdict, n.suppressed_because) for n in store.events.list_undecided(10)]
    assert found == [
        ("mfa:1:en", 1, Verdict.NEW, None),
        ("mfa:2:en", 2, Verdict.REVISED, None),
        ("mfa:3:en", 1, Verdict.NEW, "baseline"),
    ]


def test_news_and_its_version_are_written_together_or_not_at_all(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        save(store)
        raise RuntimeError
    assert store.events.list_undecided(10) == []
    assert store.articles.get_state("mfa:1:en") is None


def test_what_is_sorted_is_not_asked_about_again(store: Store) -> None:
    save(store, "1")
    save(store, "2")
    first, second = store.events.list_undecided(10)
    store.events.save_decisions([first.id], [notice(first)], NOON)
    assert store.events.list_undecided(10) == [second]
    assert store.notifications.list_by_article("mfa:1:en") == [notice(first)]
    assert store.notifications.list_past("press", ["mfa:1:en", "mfa:2:en"])[0].article_id == "mfa:1:en"
    assert store.notifications.list_past("others", ["mfa:1:en"]) == []


def test_what_waits_for_a_digest_is_attached_to_it_once(store: Store) -> None:
    for name in "123":
        save(store, name)
    one, two, three = store.events.list_undecided(10)
    found = [notice(one, Decision.DIGEST), notice(two, Decision.COVERED), notice(three, Decision.SKIP)]
    store.events.save_decisions([n.id for n in (one, two, three)], found, NOON)
    waiting = store.notifications.list_pending("press", NOON + MINUTE)
    assert [n.event_id for n in waiting] == [one.id, two.id]
    assert store.notifications.list_pending("press", NOON) == []
    number = message(store)
    store.notifications.assign_message("press", [n.event_id for n in waiting], number)
    assert store.notifications.list_pending("press", NOON + MINUTE) == []
    assert [n.event_id for n in store.notifications.list_by_message(number)] == [one.id, two.id]


def test_a_subscription_begins_when_it_is_first_named(store: Store) -> None:
    assert store.subscriptions.get_or_start(["press"], NOON)["press"].started_at == NOON
    later = store.subscriptions.get_or_start(["press", "late"], NOON + MINUTE)
    assert [later["press"].started_at, later["late"].started_at] == [NOON, NOON + MINUTE]
    store.subscriptions.record_digest("press", NOON + MINUTE, 2)
    again = store.subscriptions.get_or_start(["press"], NOON + 2 * MINUTE)["press"]
    assert (again.digest_until, again.empty_digests) == (NOON + MINUTE, 2)


def test_quiet_news_is_counted_by_run(store: Store) -> None:
    run = store.runs.record_start(Run(source="mfa", started_at=NOON))
    article = save(store, "9")
    other = replace(article, id="mfa:8:en", url="https://example.org/8")
    store.articles.save(other, content_hash="8", run_id=run.id, seen_at=NOON, suppressed_because="baseline")
    assert run.id is not None
    assert store.events.count_suppressed([run.id]) == {"baseline": 1}


def test_a_delivery_is_taken_by_one_and_settled_by_that_one(store: Store) -> None:
    message(store)
    ((_, due),) = store.deliveries.list_due(NOON, 10)
    taken = store.deliveries.claim(due, NOON + 10 * MINUTE)
    assert taken is not None
    assert store.deliveries.claim(due, NOON + 20 * MINUTE) is None
    assert store.deliveries.list_due(NOON + MINUTE, 10) == []
    sent = replace(taken, state=DeliveryState.SENT, tries=1, sent_at=NOON + MINUTE)
    assert not store.deliveries.save_result(due, sent)
    assert store.deliveries.save_result(taken, sent)
    assert store.deliveries.list_newest()[0][1] == sent
    assert store.deliveries.count_by_state() == {DeliveryState.SENT: 1}


def test_one_who_dies_leaves_a_delivery_to_the_next(store: Store) -> None:
    message(store)
    ((_, due),) = store.deliveries.list_due(NOON, 10)
    store.deliveries.claim(due, NOON + 10 * MINUTE)
    ((_, again),) = store.deliveries.list_due(NOON + 10 * MINUTE, 10)
    assert store.deliveries.claim(again, NOON + 20 * MINUTE) is not None


def test_deliveries_come_in_the_order_of_their_messages_when_they_are_due(store: Store) -> None:
    message(store, "later", due=NOON + MINUTE)
    message(store, "b", "two", "one")
    message(store, "a")
    due = [(m.key, d.channel) for m, d in store.deliveries.list_due(NOON, 10)]
    assert due == [("b", "one"), ("b", "two"), ("a", "desk")]
    assert [d.channel for _, d in store.deliveries.list_due(NOON, 10, excluded_channels=["one", "desk"])] == ["two"]
    assert len(store.deliveries.list_due(NOON + MINUTE, 2)) == 2


def test_what_failed_is_tried_again_when_asked_for_and_what_never_failed_is_left(store: Store) -> None:
    for key in "abc":
        message(store, key, due=NOON + 60 * MINUTE)
    for key, state, failure in (("a", DeliveryState.DEAD, "gone"), ("b", DeliveryState.PENDING, "down")):
        _, delivery = next(pair for pair in store.deliveries.list_newest() if pair[0].key == key)
        store.deliveries.save_result(delivery, replace(delivery, state=state, tries=9, failure=failure))
    assert store.deliveries.retry_failed(NOON, channel="none") == 0
    assert store.deliveries.retry_failed(NOON) == 2
    assert sorted(m.key for m, _ in store.deliveries.list_due(NOON, 10)) == ["a", "b"]


def test_two_messages_with_one_key_cannot_be(store: Store) -> None:
    message(store)
    with pytest.raises(Exception, match="could not be written"):
        message(store)
    assert len(store.deliveries.list_newest()) == 1


def test_threads_that_take_at_once_take_each_delivery_once(store: Store) -> None:
    for number in range(20):
        message(store, f"{number:02}")
    taken: list[Delivery] = []

    def take() -> None:
        for _, delivery in store.deliveries.list_due(NOON, 50):
            if (mine := store.deliveries.claim(delivery, NOON + 10 * MINUTE)) is not None:
                taken.append(mine)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({delivery.message_id for delivery in taken}) == len(taken) == 20
