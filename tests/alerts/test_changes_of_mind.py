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
from alerts.hook import Hook
from alerts.newsroom import NOON, Newsroom

from crawler.alerts.digests import make_due
from crawler.alerts.sending import Post
from crawler.alerts.sorting import sort
from crawler.alerts.writing import Writer
from crawler.config import Config, Subscription
from crawler.entries import Entry
from crawler.items import Article, Verdict
from crawler.rights import Door
from crawler.store import Message, Outcome, State, Store, open_store

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'crawler.db'}") as opened:
        yield opened


def config(address: str = "json://127.0.0.1:1", **press: Any) -> Config:
    subscription = {"channels": ["desk"], **press}
    return Config.model_validate({"channels": {"desk": address}, "subscriptions": {"press": subscription}})


def told(room: Newsroom, settings: Config) -> list[Message]:
    """Sort what is new and make what is due; every message so far, the earliest first."""
    room.judge()
    sort(room.store, settings, room.clock)
    make_due(room.store, settings, room.clock)
    return [message for message, _ in reversed(room.store.outbox.ledger())]


def begun(store: Store) -> Newsroom:
    store.news.subscribed(["press"], NOON - DAY)
    return Newsroom(store)


def test_what_waits_for_a_digest_is_told_when_the_subscription_is_told_at_once_from_now_on(store: Store) -> None:
    room = begun(store)
    room.publish("1")
    waiting = told(room, config(when="daily 08:30"))
    assert [message.kind for message in waiting] == ["digest"]  # of the day before: empty
    room.clock += timedelta(minutes=1)
    messages = told(room, config(when="realtime"))
    assert [message.kind for message in messages] == ["digest", "digest"]
    letter = Writer(config(), store).write(messages[-1])
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
    assert store.news.notices(other.id)[0].outcome is Outcome.TOLD
    kinds = {message.kind for message in told(room, config(when="daily 08:30", empty="always"))}
    assert kinds == {"alert"}  # the digest of that morning would say that there was nothing
    room.clock += DAY
    digest = told(room, config(when="daily 08:30", empty="always"))[-1]
    assert (digest.kind, digest.begins_at) == ("digest", NOON + DAY + timedelta(minutes=3))
    assert store.news.of_message(digest.id) == []


def test_who_heard_that_a_page_is_gone_hears_that_it_is_back(store: Store) -> None:
    room = begun(store)
    gone = room.take_down(room.publish("1"))
    told(room, config())
    room.save(replace(gone, version=3, verdict=Verdict.REPUBLISHED, fetched_at=room.clock))
    last = told(room, config())[-1]
    letter = Writer(config(), store).write(last)
    assert letter is not None
    assert letter.subject.startswith("Back again: ")
    room.publish("1", "kk", topic="гуманитарлық мәселелер")
    assert told(room, config())[-1] == last


def test_an_alert_that_is_late_does_not_come_in_quiet_hours(store: Store) -> None:
    now = datetime.now(ZoneInfo("Asia/Almaty"))
    quiet = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
    with Hook() as hook:
        settings = config(hook.address, quiet=quiet, timezone="Asia/Almaty")
        room = begun(store)
        room.publish("1")
        told(room, config(hook.address))  # due at once, as one that failed before
        assert not Post(settings, store).send()
        ((_, delivery),) = store.outbox.ledger()
        assert timedelta(minutes=58) < delivery.next_try_at - datetime.now(UTC) <= timedelta(hours=1)
        store.outbox.again(datetime.now(UTC))
        assert hook.posted == []
        with store.batch():
            store.outbox.settle(delivery, replace(delivery, next_try_at=NOON))
        assert Post(settings, store).send(at_any_hour=True).sent == 1


def test_a_message_that_cannot_be_written_holds_up_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Writer.entry

    def entry(self: Writer, subscription: Subscription, article: Article, door: Door) -> Entry:
        if article.id == "mfa:2:ru":
            raise OverflowError
        return whole(self, subscription, article, door)

    monkeypatch.setattr(Writer, "entry", entry)
    with Hook() as hook:
        settings, room = config(hook.address, unit="article"), begun(store)
        for name in ("1", "2", "3"):
            room.publish(name)
        told(room, settings)
        sent = Post(settings, store).send()
        assert (sent.sent, sent.failed) == (2, 1)
        ((_, waits),) = store.outbox.ledger(failed=True)
        assert waits.failure == "it could not be written (OverflowError)"


@pytest.mark.parametrize("year", [1, 9999])
def test_a_day_beyond_all_zones_is_told(store: Store, year: int) -> None:
    room = begun(store)
    day = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 23 if year > 1 else 1, tzinfo=UTC)
    room.save(replace(room.publish("1"), id="mfa:2:ru", published_at=day))
    for zone in ("Asia/Almaty", "America/Lima"):
        settings = config(unit="article", timezone=zone)
        letters = [Writer(settings, store).write(message) for message in told(room, settings)]
        assert len([letter for letter in letters if letter and letter.text]) == 2


def test_a_bundle_of_which_nothing_is_left_is_not_sent(store: Store) -> None:
    room = begun(store)
    bundle = store.outbox.put(
        key="k", subscription="press", kind="bundle", channels=["desk"], at=room.clock, due=room.clock
    )
    message = store.outbox.get(bundle)
    assert message is not None
    assert Writer(config(), store).write(message) is None


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
    new = {"subscription": "press", "kind": "alert", "channels": ["desk"], "at": room.clock, "due": NOON}
    number, *_ = [store.outbox.put(key=str(n), **new) for n in range(5)]  # type: ignore[arg-type]
    ((_, first),) = store.outbox.ledger(message_id=number)
    store.outbox.settle(first, replace(first, state=State.DEAD, failure="no"))
    assert [message.id for message, _ in store.outbox.ledger(failed=True, limit=2)] == [number]


def test_what_another_run_stores_meanwhile_waits_until_its_story_is_known(store: Store) -> None:
    room = begun(store)
    room.publish("1", "en")
    room.judge()
    late = room.publish("1", "ru")  # after the judging, before the sorting
    sort(store, config(), room.clock)
    assert [news.article_id for news in store.news.unsorted(9)] == [late.id]
    assert len(told(room, config())) == 1
    assert [notice.outcome for notice in store.news.notices(late.id)] == [Outcome.CARRIED]
    never = room.publish("2")
    sort(store, config(), room.clock + timedelta(minutes=11))  # whatever ails the judging
    assert [notice.outcome for notice in store.news.notices(never.id)] == [Outcome.TOLD]


def test_what_is_read_in_the_second_in_which_a_subscription_begins_is_told(store: Store) -> None:
    store.news.subscribed(["press"], NOON.replace(microsecond=400_000))
    room = Newsroom(store)
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
    letter = Writer(config(), store).write(told(room, config())[-1])
    assert letter is not None
    assert "Астане 9" in letter.text
