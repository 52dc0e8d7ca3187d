"""Change events, notifications and deliveries, over both databases."""

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


def save_version(
    store: Store, name: str = "1", version: int = 1, *, matched: bool = True, quiet: str | None = None
) -> Article:
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


def make_notification(event: ChangeEvent, decision: Decision = Decision.ALERT, **values: object) -> Notification:
    defaults = {"subscription": "press", "event_id": event.id, "article_id": event.article_id, "reason": None}
    return Notification(**{**defaults, "decision": decision, "decided_at": NOON, **values})  # type: ignore[arg-type]


def add_message(store: Store, key: str = "k", *channels: str, due: datetime = NOON) -> int:
    return store.messages.add(
        key=key, subscription="press", kind="alert", channels=channels or ("desk",), created_at=NOON, due_at=due
    )


def test_matched_and_revised_versions_add_an_event(store: Store) -> None:
    save_version(store, "1")
    save_version(store, "1")  # the same once more
    save_version(store, "2", matched=False)
    save_version(store, "2", 2, matched=False)
    save_version(store, "3", quiet="baseline")
    found = [(n.article_id, n.version, n.verdict, n.suppressed_because) for n in store.events.list_undecided(10)]
    assert found == [
        ("mfa:1:en", 1, Verdict.NEW, None),
        ("mfa:2:en", 2, Verdict.REVISED, None),
        ("mfa:3:en", 1, Verdict.NEW, "baseline"),
    ]


def test_event_and_version_are_written_together(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        save_version(store)
        raise RuntimeError
    assert store.events.list_undecided(10) == []
    assert store.articles.get_state("mfa:1:en") is None


def test_decided_event_is_no_longer_undecided(store: Store) -> None:
    save_version(store, "1")
    save_version(store, "2")
    first, second = store.events.list_undecided(10)
    store.events.save_decisions([first.id], [make_notification(first)], NOON)
    assert store.events.list_undecided(10) == [second]
    assert store.notifications.list_by_article("mfa:1:en") == [make_notification(first)]
    assert store.notifications.list_past("press", ["mfa:1:en", "mfa:2:en"])[0].article_id == "mfa:1:en"
    assert store.notifications.list_past("others", ["mfa:1:en"]) == []


def test_pending_notification_gets_one_digest(store: Store) -> None:
    for name in "123":
        save_version(store, name)
    one, two, three = store.events.list_undecided(10)
    found = [
        make_notification(one, Decision.DIGEST),
        make_notification(two, Decision.COVERED),
        make_notification(three, Decision.SKIP),
    ]
    store.events.save_decisions([n.id for n in (one, two, three)], found, NOON)
    waiting = store.notifications.list_pending("press", NOON + MINUTE)
    assert [n.event_id for n in waiting] == [one.id, two.id]
    assert store.notifications.list_pending("press", NOON) == []
    number = add_message(store)
    store.notifications.assign_message("press", [n.event_id for n in waiting], number)
    assert store.notifications.list_pending("press", NOON + MINUTE) == []
    assert [n.event_id for n in store.notifications.list_by_message(number)] == [one.id, two.id]


def test_subscription_starts_when_first_named(store: Store) -> None:
    assert store.subscriptions.get_or_start(["press"], NOON)["press"].started_at == NOON
    later = store.subscriptions.get_or_start(["press", "late"], NOON + MINUTE)
    assert [later["press"].started_at, later["late"].started_at] == [NOON, NOON + MINUTE]
    store.subscriptions.record_digest("press", NOON + MINUTE, 2)
    again = store.subscriptions.get_or_start(["press"], NOON + 2 * MINUTE)["press"]
    assert (again.digest_until, again.empty_digests) == (NOON + MINUTE, 2)


def test_suppressed_events_are_counted_by_run(store: Store) -> None:
    run = store.runs.record_start(Run(source="mfa", started_at=NOON))
    article = save_version(store, "9")
    other = replace(article, id="mfa:8:en", url="https://example.org/8")
    store.articles.save(other, content_hash="8", run_id=run.id, seen_at=NOON, suppressed_because="baseline")
    assert run.id is not None
    assert store.events.count_suppressed([run.id]) == {"baseline": 1}


def test_only_the_claiming_sender_saves_the_delivery(store: Store) -> None:
    add_message(store)
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


def test_expired_claim_of_a_delivery_can_be_claimed_again(store: Store) -> None:
    add_message(store)
    ((_, due),) = store.deliveries.list_due(NOON, 10)
    store.deliveries.claim(due, NOON + 10 * MINUTE)
    ((_, again),) = store.deliveries.list_due(NOON + 10 * MINUTE, 10)
    assert store.deliveries.claim(again, NOON + 20 * MINUTE) is not None


def test_due_deliveries_are_in_the_order_of_their_messages(store: Store) -> None:
    add_message(store, "later", due=NOON + MINUTE)
    add_message(store, "b", "two", "one")
    add_message(store, "a")
    due = [(m.key, d.channel) for m, d in store.deliveries.list_due(NOON, 10)]
    assert due == [("b", "one"), ("b", "two"), ("a", "desk")]
    assert [d.channel for _, d in store.deliveries.list_due(NOON, 10, excluded_channels=["one", "desk"])] == ["two"]
    assert len(store.deliveries.list_due(NOON + MINUTE, 2)) == 2


def test_only_failed_deliveries_are_retried(store: Store) -> None:
    for key in "abc":
        add_message(store, key, due=NOON + 60 * MINUTE)
    for key, state, failure in (("a", DeliveryState.DEAD, "gone"), ("b", DeliveryState.PENDING, "down")):
        _, delivery = next(pair for pair in store.deliveries.list_newest() if pair[0].key == key)
        store.deliveries.save_result(delivery, replace(delivery, state=state, tries=9, failure=failure))
    assert store.deliveries.retry_failed(NOON, channel="none") == 0
    assert store.deliveries.retry_failed(NOON) == 2
    assert sorted(m.key for m, _ in store.deliveries.list_due(NOON, 10)) == ["a", "b"]


def test_second_message_with_the_same_key_is_refused(store: Store) -> None:
    add_message(store)
    with pytest.raises(Exception, match="could not be written"):
        add_message(store)
    assert len(store.deliveries.list_newest()) == 1


def test_threads_claim_each_delivery_once(store: Store) -> None:
    for number in range(20):
        add_message(store, f"{number:02}")
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
