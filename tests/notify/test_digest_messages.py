"""Digests of subscriptions: when they are due, what is in them, one for everything missed, an empty one once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.article_publisher import NOON, ArticlePublisher

from crawler.config import Config
from crawler.items import Health, Run, Verdict
from crawler.notify.bursts import collect_bursts
from crawler.notify.digests import make_due_digests
from crawler.notify.rendered_message import RenderedMessage
from crawler.notify.rendering import MessageRenderer
from crawler.notify.routing import route_events
from crawler.store import Store

ALMATY = ZoneInfo("Asia/Almaty")
DAY = timedelta(days=1)
MORNING = datetime(2026, 3, 7, 8, 31, tzinfo=ALMATY)
"""The morning after `NOON`, a minute after 08:30."""


class DigestDesk:
    """One subscriber to a daily digest, since the day before `NOON`."""

    def __init__(self, store: Store, **options: Any) -> None:
        press = {"channels": ["desk"], "when": "daily 08:30", **options}
        channels = {"desk": "json://127.0.0.1:1"}
        self.config = Config.model_validate({"channels": channels, "subscriptions": {"press": press}})
        self.store, self.publisher = store, ArticlePublisher(store)
        store.subscriptions.get_or_start(["press"], NOON - DAY)
        self.sent = make_due_digests(store, self.config, NOON)  # an empty one, of this morning

    def route(self) -> None:
        self.publisher.cluster_articles()
        route_events(self.store, self.config, self.publisher.clock)

    def render_messages(self) -> list[RenderedMessage]:
        """Return the messages since the last call, the earliest first."""
        found = [message for message, _ in reversed(self.store.deliveries.list_newest())][self.sent :]
        self.sent += len(found)
        letters = [MessageRenderer(self.config, self.store).render(message) for message in found]
        assert all(letters)
        return [letter for letter in letters if letter]


def test_a_daily_digest_has_the_events_of_the_day_once(store: Store) -> None:
    desk = DigestDesk(store)
    desk.publisher.publish("1", title="Первая встреча")
    desk.publisher.publish("2", title="Вторая встреча", body="Делегация МККК посетила школу номер 7 в Шымкенте.")
    desk.route()
    assert make_due_digests(store, desk.config, MORNING - timedelta(minutes=2)) == 0
    assert make_due_digests(store, desk.config, MORNING) == 1
    assert make_due_digests(store, desk.config, MORNING + timedelta(hours=5)) == 0
    (letter,) = desk.render_messages()
    assert "Первая встреча" in letter.text
    assert "Вторая встреча" in letter.text
    assert letter.subject.startswith("Digest: 2 stories")
    assert "<h1" in letter.html


def test_an_event_during_the_digest_is_in_the_next_one(store: Store) -> None:
    desk = DigestDesk(store)
    desk.publisher.clock = MORNING + timedelta(minutes=1)
    desk.publisher.publish("1", title="Первая встреча")
    desk.route()
    assert make_due_digests(store, desk.config, MORNING + timedelta(minutes=2)) == 0  # empty for the second time
    make_due_digests(store, desk.config, MORNING + DAY)
    (letter,) = desk.render_messages()
    assert "Первая встреча" in letter.text


def test_days_without_a_watch_are_in_one_digest(store: Store) -> None:
    desk = DigestDesk(store)
    desk.publisher.publish("1", title="Первая встреча")
    desk.route()
    assert make_due_digests(store, desk.config, MORNING + 3 * DAY) == 1
    (letter,) = desk.render_messages()
    assert "From 6 Mar 2026, 08:30 to 10 Mar 2026, 08:30" in letter.text


@pytest.mark.parametrize(("empty", "number"), [("once", 1), ("always", 3), ("never", 0)])
def test_an_empty_digest_is_sent_as_often_as_configured(store: Store, empty: str, number: int) -> None:
    desk = DigestDesk(store)
    desk.publisher.publish("1")
    desk.route()
    make_due_digests(store, desk.config, MORNING)
    desk.render_messages()
    press = desk.config.subscriptions["press"].model_copy(update={"empty": empty})
    desk.config = desk.config.model_copy(update={"subscriptions": {"press": press}})
    for day in (1, 2, 3):
        make_due_digests(store, desk.config, MORNING + day * DAY)
    letters = desk.render_messages()
    assert len(letters) == number
    assert all("Nothing new in this time." in letter.text for letter in letters)


def test_an_empty_digest_with_an_outage_is_always_sent(store: Store) -> None:
    desk = DigestDesk(store)
    for day in (1, 2):
        begun = store.runs.record_start(Run(source="mfa", started_at=NOON + day * DAY))
        store.runs.record_end(replace(begun, finished_at=NOON + day * DAY, health=Health.BLOCKED, exit_code=11))
    assert [make_due_digests(store, desk.config, MORNING + day * DAY) for day in (1, 2)] == [1, 1]
    letter = desk.render_messages()[-1]
    assert "Nothing new in this time." in letter.text
    assert "Ministry of Foreign Affairs of Kazakhstan: access refused since" in letter.text


def test_more_pages_of_a_sent_story_are_in_the_next_digest(store: Store) -> None:
    desk = DigestDesk(store)
    desk.publisher.publish("1", title="Первая встреча")
    desk.route()
    make_due_digests(store, desk.config, MORNING)
    desk.render_messages()
    desk.publisher.clock = MORNING
    desk.publisher.publish("9", source="ktkz", title="Перепечатка", verdict=Verdict.COPY)
    desk.route()
    make_due_digests(store, desk.config, MORNING + DAY)
    (letter,) = desk.render_messages()
    assert "Перепечатка" in letter.text or "page has this text" in letter.text


def test_a_bundle_is_a_digest_of_a_few_minutes(store: Store) -> None:
    desk = DigestDesk(store, when="realtime", burst=1)
    for number, town in enumerate(("Шымкент", "Тараз", "Актау")):
        body = (
            f"Делегация МККК посетила {town}. Встреча прошла {number + 3} марта в {number + 20} школе, {town} доволен."
        )
        desk.publisher.publish(str(number), title=f"О поездке в {town}", body=body)
    desk.route()
    collect_bursts(store, desk.config, desk.publisher.clock)
    alert, bundle = desk.render_messages()
    assert alert.subject.startswith("О поездке в")
    assert bundle.subject.startswith("Digest: 2 stories")


TABLE = "МККК передал больнице в Таразе операционный стол. Его привезли из Женевы в пятницу."
SURGEONS = "В Таразе хирурги больницы получили новый стол. Подарок МККК довезли поездом до вокзала."


@pytest.mark.parametrize(
    ("language", "phrase", "same"),
    [
        ("en", "Possibly the same as", "The same story"),
        ("ru", "Возможно, о том же событии", "О том же событии"),
        ("kk", "Осы оқиға туралы болуы мүмкін", "Осы оқиға туралы"),
    ],
)
def test_a_digest_marks_what_is_only_possibly_of_a_story(store: Store, language: str, phrase: str, same: str) -> None:
    desk = DigestDesk(store, language=language)
    first = desk.publisher.publish("1", body=TABLE, title="Стол для больницы")
    second = desk.publisher.publish("8", source="ktkz", body=SURGEONS, title="Хирурги Тараза")
    desk.route()
    make_due_digests(store, desk.config, MORNING)
    (letter,) = desk.render_messages()
    for words in (letter.text, letter.html):
        assert f"{same}:" not in words
        before, _, after = words.partition(f"{phrase}:")
        assert {first.url in before, second.url in before} == {
            True,
            False,
        }  # one is shown, the other is a link below it
        assert {first.url in after, second.url in after} == {True, False}
