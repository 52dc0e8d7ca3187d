"""What happens between: a subscription that changes its rhythm, a page that comes back, quiet hours that begin while a
message waits, articles that are no longer there, a store that begins anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.webhook_server import WebhookServer

from crawler.config import Config, Subscription
from crawler.items import Article, Verdict
from crawler.notify.digests import make_due_digests
from crawler.notify.dispatcher import Dispatcher
from crawler.notify.rendering import MessageRenderer
from crawler.notify.routing import route_events
from crawler.publish.entries import Entry
from crawler.store import Decision, DeliveryState, Message, Store, open_store

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'crawler.db'}") as opened:
        yield opened


def config(address: str = "json://127.0.0.1:1", **press: Any) -> Config:
    subscription = {"channels": ["desk"], **press}
    return Config.model_validate({"channels": {"desk": address}, "subscriptions": {"press": subscription}})


def told(room: ArticlePublisher, settings: Config) -> list[Message]:
    """Sort what is new and make what is due; every message so far, the earliest first."""
    room.cluster_articles()
    route_events(room.store, settings, room.clock)
    make_due_digests(room.store, settings, room.clock)
    return [message for message, _ in reversed(room.store.deliveries.list_newest())]


def begun(store: Store) -> ArticlePublisher:
    store.subscriptions.get_or_start(["press"], NOON - DAY)
    return ArticlePublisher(store)


def test_what_waits_for_a_digest_is_told_when_the_subscription_is_told_at_once_from_now_on(store: Store) -> None:
    room = begun(store)
    room.publish("1")
    waiting = told(room, config(when="daily 08:30"))
    assert [message.kind for message in waiting] == ["digest"]  # of the day before: empty
    room.clock += timedelta(minutes=1)
    messages = told(room, config(when="realtime"))
    assert [message.kind for message in messages] == ["digest", "digest"]
    letter = MessageRenderer(config(), store).render(messages[-1])
    assert letter is not None
    assert "О встрече 1" in letter.text
    assert len(told(room, config())) == 2


def test_a_first_digest_after_alerts_tells_nothing_that_was_told_with_them(store: Store) -> None:
    room = begun(store)
    room.publish("1", "en")
    told(room, config())
    room.publish("1", "ru")  # another language of what was told
    told(room, config())
    room.clock += DAY
    body = "Делегация МККК посетила Шымкент и встретилась с акимом города."
    other = room.publish("2", title="О поездке", body=body)
    told(room, config())
    assert store.notifications.list_by_article(other.id)[0].decision is Decision.ALERT
    kinds = {message.kind for message in told(room, config(when="daily 08:30", empty="always"))}
    assert kinds == {"alert"}  # the digest of that morning would say that there was nothing
    room.clock += DAY
    digest = told(room, config(when="daily 08:30", empty="always"))[-1]
    assert (digest.kind, digest.period_start) == ("digest", NOON + DAY + timedelta(minutes=3))
    assert store.notifications.list_by_message(digest.id) == []


def test_who_heard_that_a_page_is_gone_hears_that_it_is_back(store: Store) -> None:
    room = begun(store)
    gone = room.take_down(room.publish("1"))
    told(room, config())
    room.save(replace(gone, version=3, verdict=Verdict.REPUBLISHED, fetched_at=room.clock))
    last = told(room, config())[-1]
    letter = MessageRenderer(config(), store).render(last)
    assert letter is not None
    assert letter.subject.startswith("Back again: ")
    room.publish("1", "kk", topic="гуманитарлық мәселелер")
    assert told(room, config())[-1] == last


def test_an_alert_that_is_late_does_not_come_in_quiet_hours(store: Store) -> None:
    now = datetime.now(ZoneInfo("Asia/Almaty"))
    quiet = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
    with WebhookServer() as hook:
        settings = config(hook.address, quiet=quiet, timezone="Asia/Almaty")
        room = begun(store)
        room.publish("1")
        told(room, config(hook.address))  # due at once, as one that failed before
        assert not Dispatcher(settings, store).send_due()
        ((_, delivery),) = store.deliveries.list_newest()
        assert timedelta(minutes=58) < delivery.next_try_at - datetime.now(UTC) <= timedelta(hours=1)
        store.deliveries.retry_failed(datetime.now(UTC))
        assert hook.requests == []
        with store.transaction():
            store.deliveries.save_result(delivery, replace(delivery, next_try_at=NOON))
        assert Dispatcher(settings, store).send_due(ignore_quiet_hours=True).sent == 1


def test_a_message_that_cannot_be_written_holds_up_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = MessageRenderer.build_entry

    def entry(self: MessageRenderer, subscription: Subscription, article: Article) -> Entry:
        if article.id == "mfa:2:ru":
            raise OverflowError
        return whole(self, subscription, article)

    monkeypatch.setattr(MessageRenderer, "build_entry", entry)
    with WebhookServer() as hook:
        settings, room = config(hook.address, unit="article"), begun(store)
        for name in ("1", "2", "3"):
            room.publish(name)
        told(room, settings)
        sent = Dispatcher(settings, store).send_due()
        assert (sent.sent, sent.failed) == (2, 1)
        ((_, waits),) = store.deliveries.list_newest(failed=True)
        assert waits.failure == "it could not be written (OverflowError)"


@pytest.mark.parametrize("year", [1, 9999])
def test_a_day_beyond_all_zones_is_told(store: Store, year: int) -> None:
    room = begun(store)
    day = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 23 if year > 1 else 1, tzinfo=UTC)
    room.save(replace(room.publish("1"), id="mfa:2:ru", published_at=day))
    for zone in ("Asia/Almaty", "America/Lima"):
        settings = config(unit="article", timezone=zone)
        letters = [MessageRenderer(settings, store).render(message) for message in told(room, settings)]
        assert len([letter for letter in letters if letter and letter.text]) == 2


def test_a_bundle_of_which_nothing_is_left_is_not_sent(store: Store) -> None:
    room = begun(store)
    bundle = store.messages.add(
        key="k", subscription="press", kind="bundle", channels=["desk"], created_at=room.clock, due_at=room.clock
    )
    message = store.messages.get(bundle)
    assert message is not None
    assert MessageRenderer(config(), store).render(message) is None


def test_the_keys_of_another_store_are_others(store: Store, tmp_path: Path) -> None:
    keys = []
    with open_store(f"sqlite:///{tmp_path / 'another.db'}") as another:
        for name, each in (("1", store), ("2", another)):
            room = begun(each)
            room.publish(name)
            keys += [message.key for message in told(room, config())]
    assert len(set(keys)) == 2


def test_what_failed_is_listed_however_much_waits(store: Store) -> None:
    room = begun(store)
    new = {"subscription": "press", "kind": "alert", "channels": ["desk"], "created_at": room.clock, "due_at": NOON}
    number, *_ = [store.messages.add(key=str(n), **new) for n in range(5)]  # type: ignore[arg-type]
    ((_, first),) = store.deliveries.list_newest(message_id=number)
    store.deliveries.save_result(first, replace(first, state=DeliveryState.DEAD, failure="no"))
    assert [message.id for message, _ in store.deliveries.list_newest(failed=True, limit=2)] == [number]


def test_what_another_run_stores_meanwhile_waits_until_its_story_is_known(store: Store) -> None:
    room = begun(store)
    room.publish("1", "en")
    room.cluster_articles()
    late = room.publish("1", "ru")  # after the judging, before the sorting
    route_events(store, config(), room.clock)
    assert [news.article_id for news in store.events.list_undecided(9)] == [late.id]
    assert len(told(room, config())) == 1
    assert [notice.decision for notice in store.notifications.list_by_article(late.id)] == [Decision.COVERED]
    never = room.publish("2")
    route_events(store, config(), room.clock + timedelta(minutes=11))  # whatever ails the judging
    assert [notice.decision for notice in store.notifications.list_by_article(never.id)] == [Decision.ALERT]


def test_what_is_read_in_the_second_in_which_a_subscription_begins_is_told(store: Store) -> None:
    store.subscriptions.get_or_start(["press"], NOON.replace(microsecond=400_000))
    room = ArticlePublisher(store)
    room.publish("1")  # at 12:00:00, for pages have whole seconds
    assert len(told(room, config())) == 1


def test_a_further_correction_is_told_whichever_language_it_begins_in(store: Store) -> None:
    room = begun(store)
    ru, en = room.publish("1", "ru"), room.publish("1", "en")
    assert len(told(room, config())) == 1
    ru, en = room.revise(ru, "в Астане", "в Астане 7"), room.revise(en, "in Astana", "in Astana 7")
    assert len(told(room, config())) == 2  # one correction, with the English one in front
    room.revise(ru, "в Астане 7", "в Астане 9")
    assert len(told(room, config())) == 3
    room.revise(en, "in Astana 7", "in Astana 9")
    assert len(told(room, config())) == 3


def test_of_two_revisions_that_are_told_at_once_the_newer_one_is_shown(store: Store) -> None:
    room = begun(store)
    first = room.publish("1")
    told(room, config())
    room.revise(room.revise(first, "в Астане", "в Астане 7"), "в Астане 7", "в Астане 9")
    letter = MessageRenderer(config(), store).render(told(room, config())[-1])
    assert letter is not None
    assert "Астане 9" in letter.text
