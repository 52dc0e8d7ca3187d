"""What changes meanwhile: a schedule, a page that returns, quiet hours, removed articles, a new store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.empty_stores import open_test_store
from support.factories import make_config
from support.webhook_server import WebhookServer

from crawler.config import Config, Subscription
from crawler.items import Article, Verdict
from crawler.notify.digests import make_due_digests
from crawler.notify.dispatcher import Dispatcher
from crawler.notify.rendering import MessageRenderer
from crawler.notify.routing import route_events
from crawler.publish.entries import Entry
from crawler.store import Decision, DeliveryState, Message, Store

DAY = timedelta(days=1)


def list_messages(publisher: ArticlePublisher, settings: Config) -> list[Message]:
    """Route new events and add due digests. Return every message so far, the earliest first."""
    publisher.cluster_articles()
    route_events(publisher.store, settings, publisher.clock)
    make_due_digests(publisher.store, settings, publisher.clock)
    return [message for message, _ in reversed(publisher.store.deliveries.list_newest())]


def start_subscription(store: Store) -> ArticlePublisher:
    store.subscriptions.get_or_start(["press"], NOON - DAY)
    return ArticlePublisher(store)


def test_pending_events_get_a_last_digest_after_a_switch_to_real_time(store: Store) -> None:
    publisher = start_subscription(store)
    publisher.publish("1")
    waiting = list_messages(publisher, make_config(when="daily 08:30"))
    assert [message.kind for message in waiting] == ["digest"]  # of the day before: empty
    publisher.clock += timedelta(minutes=1)
    messages = list_messages(publisher, make_config(when="realtime"))
    assert [message.kind for message in messages] == ["digest", "digest"]
    letter = MessageRenderer(make_config(), store).render(messages[-1])
    assert letter is not None
    assert "О встрече 1" in letter.text
    assert len(list_messages(publisher, make_config())) == 2


def test_a_first_digest_repeats_no_alert(store: Store) -> None:
    publisher = start_subscription(store)
    publisher.publish("1", "en")
    list_messages(publisher, make_config())
    publisher.publish("1", "ru")  # another language of the same story
    list_messages(publisher, make_config())
    publisher.clock += DAY
    body = "Делегация МККК посетила Шымкент и встретилась с акимом города."
    other = publisher.publish("2", title="О поездке", body=body)
    list_messages(publisher, make_config())
    assert store.notifications.list_by_article(other.id)[0].decision is Decision.ALERT
    kinds = {message.kind for message in list_messages(publisher, make_config(when="daily 08:30", empty="always"))}
    assert kinds == {"alert"}  # the digest of that morning would be empty
    publisher.clock += DAY
    digest = list_messages(publisher, make_config(when="daily 08:30", empty="always"))[-1]
    assert (digest.kind, digest.period_start) == ("digest", NOON + DAY + timedelta(minutes=3))
    assert store.notifications.list_by_message(digest.id) == []


def test_a_page_that_returns_causes_an_alert(store: Store) -> None:
    publisher = start_subscription(store)
    gone = publisher.take_down(publisher.publish("1"))
    list_messages(publisher, make_config())
    publisher.save(replace(gone, version=3, verdict=Verdict.REPUBLISHED, fetched_at=publisher.clock))
    last = list_messages(publisher, make_config())[-1]
    letter = MessageRenderer(make_config(), store).render(last)
    assert letter is not None
    assert letter.subject.startswith("Back again: ")
    publisher.publish("1", "kk", topic="гуманитарлық мәселелер")
    assert list_messages(publisher, make_config())[-1] == last


def test_a_late_alert_waits_for_the_end_of_quiet_hours(store: Store) -> None:
    now = datetime.now(ZoneInfo("Asia/Almaty"))
    quiet = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
    with WebhookServer() as hook:
        settings = make_config(hook.address, quiet=quiet, timezone="Asia/Almaty")
        publisher = start_subscription(store)
        publisher.publish("1")
        list_messages(publisher, make_config(hook.address))  # due at once, like one that failed before
        assert not Dispatcher(settings, store).send_due()
        ((_, delivery),) = store.deliveries.list_newest()
        assert timedelta(minutes=58) < delivery.next_try_at - datetime.now(UTC) <= timedelta(hours=1)
        store.deliveries.retry_failed(datetime.now(UTC))
        assert hook.requests == []
        with store.transaction():
            store.deliveries.save_result(delivery, replace(delivery, next_try_at=NOON))
        assert Dispatcher(settings, store).send_due(ignore_quiet_hours=True).sent == 1


def test_a_message_that_cannot_be_rendered_holds_up_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = MessageRenderer.build_entry

    def entry(self: MessageRenderer, subscription: Subscription, article: Article, base: int | None = None) -> Entry:
        if article.id == "mfa:2:ru":
            raise OverflowError
        return whole(self, subscription, article, base)

    monkeypatch.setattr(MessageRenderer, "build_entry", entry)
    with WebhookServer() as hook:
        settings, publisher = make_config(hook.address, unit="article"), start_subscription(store)
        for name in ("1", "2", "3"):
            publisher.publish(name)
        list_messages(publisher, settings)
        sent = Dispatcher(settings, store).send_due()
        assert (sent.sent, sent.failed) == (2, 1)
        ((_, waits),) = store.deliveries.list_newest(failed=True)
        assert waits.failure == "it could not be rendered (OverflowError)"


@pytest.mark.parametrize("year", [1, 9999])
def test_a_day_outside_all_time_zones(store: Store, year: int) -> None:
    publisher = start_subscription(store)
    day = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 23 if year > 1 else 1, tzinfo=UTC)
    publisher.save(replace(publisher.publish("1"), id="mfa:2:ru", published_at=day))
    for zone in ("Asia/Almaty", "America/Lima"):
        settings = make_config(unit="article", timezone=zone)
        letters = [MessageRenderer(settings, store).render(message) for message in list_messages(publisher, settings)]
        assert len([letter for letter in letters if letter and letter.text]) == 2


def test_an_empty_bundle_is_not_sent(store: Store) -> None:
    publisher = start_subscription(store)
    bundle = store.messages.add(
        key="k",
        subscription="press",
        kind="bundle",
        channels=["desk"],
        created_at=publisher.clock,
        due_at=publisher.clock,
    )
    message = store.messages.get(bundle)
    assert message is not None
    assert MessageRenderer(make_config(), store).render(message) is None


def test_another_store_has_other_keys(store: Store, tmp_path: Path) -> None:
    keys = []
    with open_test_store(f"sqlite:///{tmp_path / 'another.db'}") as another:
        for name, each in (("1", store), ("2", another)):
            publisher = start_subscription(each)
            publisher.publish(name)
            keys += [message.key for message in list_messages(publisher, make_config())]
    assert len(set(keys)) == 2


def test_failures_are_listed_whatever_is_pending(store: Store) -> None:
    publisher = start_subscription(store)
    new = {
        "subscription": "press",
        "kind": "alert",
        "channels": ["desk"],
        "created_at": publisher.clock,
        "due_at": NOON,
    }
    number, *_ = [store.messages.add(key=str(n), **new) for n in range(5)]  # type: ignore[arg-type]
    ((_, first),) = store.deliveries.list_newest(message_id=number)
    store.deliveries.save_result(first, replace(first, state=DeliveryState.DEAD, failure="no"))
    assert [message.id for message, _ in store.deliveries.list_newest(failed=True, limit=2)] == [number]


def test_an_event_waits_until_its_story_is_known(store: Store) -> None:
    publisher = start_subscription(store)
    publisher.publish("1", "en")
    publisher.cluster_articles()
    late = publisher.publish("1", "ru")  # after the clustering, before the routing
    route_events(store, make_config(), publisher.clock)
    assert [news.article_id for news in store.events.list_undecided(9)] == [late.id]
    assert len(list_messages(publisher, make_config())) == 1
    assert [notice.decision for notice in store.notifications.list_by_article(late.id)] == [Decision.COVERED]
    never = publisher.publish("2")
    route_events(store, make_config(), publisher.clock + timedelta(minutes=11))  # even if clustering fails
    assert [notice.decision for notice in store.notifications.list_by_article(never.id)] == [Decision.ALERT]


def test_an_event_in_the_second_of_the_subscriptions_start(store: Store) -> None:
    store.subscriptions.get_or_start(["press"], NOON.replace(microsecond=400_000))
    publisher = ArticlePublisher(store)
    publisher.publish("1")  # at 12:00:00, because pages have whole seconds
    assert len(list_messages(publisher, make_config())) == 1


def test_a_further_correction_is_another_alert_in_any_language(store: Store) -> None:
    publisher = start_subscription(store)
    ru, en = publisher.publish("1", "ru"), publisher.publish("1", "en")
    assert len(list_messages(publisher, make_config())) == 1
    ru, en = publisher.revise(ru, "в Астане", "в Астане 7"), publisher.revise(en, "in Astana", "in Astana 7")
    assert len(list_messages(publisher, make_config())) == 2  # one correction, the English one leads
    publisher.revise(ru, "в Астане 7", "в Астане 9")
    assert len(list_messages(publisher, make_config())) == 3
    publisher.revise(en, "in Astana 7", "in Astana 9")
    assert len(list_messages(publisher, make_config())) == 3


def test_of_two_revisions_in_one_alert_the_newer_one_is_shown(store: Store) -> None:
    publisher = start_subscription(store)
    first = publisher.publish("1")
    list_messages(publisher, make_config())
    publisher.revise(publisher.revise(first, "в Астане", "в Астане 7"), "в Астане 7", "в Астане 9")
    letter = MessageRenderer(make_config(), store).render(list_messages(publisher, make_config())[-1])
    assert letter is not None
    assert "Астане 9" in letter.text


def test_a_pause_ends_with_one_digest_of_what_was_found_in_it(store: Store) -> None:
    publisher = start_subscription(store)
    publisher.publish("1", topic="воду", title="О воде")
    paused = make_config(paused_until="2026-03-08", timezone="Asia/Almaty", unit="article")
    assert list_messages(publisher, paused) == []
    publisher.clock = datetime(2026, 3, 7, 18, 58, tzinfo=UTC)  # 23:58 in Almaty
    publisher.publish("2", topic="зерно Костаная и хлеб", title="О хлебе")
    assert list_messages(publisher, paused) == []
    publisher.clock += timedelta(minutes=1)
    publisher.publish("3", topic="архив пленных 1943 года", title="Об архиве")
    publisher.clock += timedelta(minutes=10)
    messages = list_messages(publisher, paused)
    assert sorted(message.kind for message in messages) == ["alert", "digest"]
    (digest,) = (message for message in messages if message.kind == "digest")
    letter = MessageRenderer(paused, store).render(digest)
    assert letter is not None
    assert "О воде" in letter.text
    assert len(list_messages(publisher, paused)) == 2


def test_a_paused_digest_contains_every_missed_day(store: Store) -> None:
    publisher = start_subscription(store)
    paused = make_config(when="daily 08:30", paused_until="2026-03-10")
    publisher.publish("1")
    for _ in range(3):
        assert list_messages(publisher, paused) == []
        publisher.clock += DAY
    publisher.clock += DAY
    (digest,) = list_messages(publisher, paused)
    letter = MessageRenderer(paused, store).render(digest)
    assert letter is not None
    assert "О встрече 1" in letter.text


def test_a_message_from_before_a_pause_waits(store: Store) -> None:
    publisher = start_subscription(store)
    publisher.publish("1")
    tomorrow = (datetime.now(UTC) + 2 * DAY).date()
    with WebhookServer() as hook:
        list_messages(publisher, make_config(hook.address))
        assert Dispatcher(make_config(hook.address, paused_until=tomorrow), store).send_due().sent == 0
        ((_, delivery),) = store.deliveries.list_newest()
        assert (delivery.state, delivery.tries) == (DeliveryState.PENDING, 0)
        assert delivery.next_try_at <= datetime.now(UTC) + timedelta(hours=1)  # so that an early end is noticed
        store.deliveries.save_result(delivery, replace(delivery, next_try_at=NOON))
        assert Dispatcher(make_config(hook.address, paused_until="2026-03-01"), store).send_due().sent == 1
