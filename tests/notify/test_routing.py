"""Who hears of what: one story once, revisions as revisions, nothing of a first run, and a reason for each silence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.article_publisher import NOON, ArticlePublisher

from crawler.config import Config
from crawler.items import Verdict
from crawler.notify.rendering import MessageRenderer
from crawler.notify.routing import route_events
from crawler.store import Decision, Notification, Store, open_store

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'crawler.db'}") as opened:
        yield opened


def config(**subscriptions: dict[str, Any]) -> Config:
    named = {name: {"channels": ["desk"], **options} for name, options in (subscriptions or {"press": {}}).items()}
    return Config.model_validate({"channels": {"desk": "json://127.0.0.1:1"}, "subscriptions": named})


class Desk:
    """A store with subscriptions that began before anything was published."""

    def __init__(self, store: Store, **subscriptions: dict[str, Any]) -> None:
        self.store, self.config, self.room = store, config(**subscriptions), ArticlePublisher(store)
        store.subscriptions.get_or_start(list(self.config.subscriptions), NOON - DAY)

    def sort(self) -> int:
        self.room.cluster_articles()
        return route_events(self.store, self.config, self.room.clock)

    def notices(self, article_id: str, subscription: str = "press") -> list[Notification]:
        return [n for n in self.store.notifications.list_by_article(article_id) if n.subscription == subscription]

    def outcomes(self, article_id: str, subscription: str = "press") -> list[Decision]:
        return [notice.decision for notice in self.notices(article_id, subscription)]

    def subjects(self) -> list[str]:
        """What the messages would say, the earliest first."""
        writer = MessageRenderer(self.config, self.store)
        letters = [writer.render(message) for message, _ in reversed(self.store.deliveries.list_newest())]
        return [letter.subject for letter in letters if letter]


def test_a_matching_article_is_told_once_however_often_it_is_asked(store: Store) -> None:
    desk = Desk(store)
    article = desk.room.publish("1")
    assert [desk.sort(), desk.sort(), desk.sort()] == [1, 0, 0]
    assert desk.outcomes(article.id) == [Decision.ALERT]


def test_what_matches_nothing_is_no_news(store: Store) -> None:
    desk = Desk(store)
    article = desk.room.publish("1", body="Министр открыл выставку ковров в Шымкенте.", title="О выставке")
    assert desk.sort() == 0
    assert desk.notices(article.id) == []
    assert store.events.list_by_article(article.id) == []


def test_languages_and_copies_of_one_story_are_told_as_one(store: Store) -> None:
    desk = Desk(store)
    ru = desk.room.publish("1", "ru")
    en = desk.room.publish("1", "en", topic="humanitarian cooperation")
    copy = desk.room.publish("9", "ru", source="ktkz", verdict=Verdict.COPY)
    assert desk.sort() == 1
    assert desk.outcomes(en.id) == [Decision.ALERT]  # the subscriber reads English
    assert desk.outcomes(ru.id) == desk.outcomes(copy.id) == [Decision.COVERED]
    late = desk.room.publish("1", "kk", topic="ынтымақтастықты")
    assert desk.sort() == 0
    assert desk.outcomes(late.id) == [Decision.COVERED]
    assert "its story was told (mfa:1:en" in (desk.notices(late.id)[0].reason or "")


def test_by_article_each_is_told(store: Store) -> None:
    desk = Desk(store, press={"unit": "article"})
    desk.room.publish("1", "ru")
    desk.room.publish("1", "en")
    assert desk.sort() == 2


def test_a_substantive_revision_is_told_as_one_and_an_editorial_one_is_not(store: Store) -> None:
    desk = Desk(store)
    article = desk.room.publish("1")
    desk.sort()
    edited = desk.room.revise(article, "обсудили", "рассмотрели")
    desk.sort()
    desk.room.revise(edited, "в ближайшие месяцы", "не позднее 15 мая 2026 года")
    desk.sort()
    assert desk.outcomes(article.id) == [Decision.ALERT, Decision.SKIP, Decision.ALERT]
    assert "editorial" in (desk.notices(article.id)[1].reason or "")
    assert [subject.startswith("Revised: ") for subject in desk.subjects()] == [False, True]


def test_a_revision_that_takes_the_match_away_is_told(store: Store) -> None:
    desk = Desk(store)
    article = desk.room.publish("1", body="Министр принял президента МККК. Они говорили долго и подробно обо всём.")
    desk.sort()
    desk.room.revise(article, "президента МККК", "гостя")
    assert desk.sort() == 1


def test_a_revision_that_takes_the_match_away_is_told_whatever_was_told_of_its_story(store: Store) -> None:
    desk = Desk(store)
    russian = desk.room.publish("1")
    english = desk.room.publish(
        "1", "en", body="The minister met the ICRC president. They spoke long about everything."
    )
    desk.sort()
    desk.room.revise(russian, "в Астане", "в Астане 7")
    assert desk.sort() == 1
    desk.room.revise(english, "ICRC president", "guest")
    assert desk.sort() == 1
    assert [subject.startswith("Revised: ") for subject in desk.subjects()] == [False, True, True]


def test_a_revision_that_brings_the_match_is_new(store: Store) -> None:
    desk = Desk(store)
    article = desk.room.publish("1", body="Министр принял гостя. Они говорили долго и подробно обо всём.")
    desk.room.revise(article, "гостя", "президента МККК")
    assert desk.sort() == 1
    assert desk.outcomes(article.id) == [Decision.ALERT]


def test_one_correction_of_three_languages_is_told_once(store: Store) -> None:
    desk = Desk(store)
    versions = [desk.room.publish("1", language) for language in ("ru", "en", "kk")]
    desk.sort()
    for article, old in zip(versions, ("в Астане", "in Astana", "Астанада"), strict=True):
        desk.room.revise(article, old, f"{old} 7")
    assert desk.sort() == 1
    assert sum(desk.outcomes(article.id)[-1] is Decision.ALERT for article in versions) == 1


def test_a_page_taken_down_is_told(store: Store) -> None:
    desk = Desk(store)
    article = desk.room.publish("1")
    desk.sort()
    desk.room.take_down(article)
    assert desk.sort() == 1
    assert desk.subjects()[-1].startswith("Taken down: ")


@pytest.mark.parametrize("quiet", ["baseline", "backfill", "replay"])
def test_a_first_run_a_backfill_and_a_replay_alert_nobody(store: Store, quiet: str) -> None:
    desk = Desk(store)
    run = desk.room.begin_run()
    for number in range(3):
        desk.room.publish(str(number), quiet=quiet, topic=f"вопрос {number}", title=f"Встреча {number}")
    assert desk.sort() == 0
    assert store.events.count_suppressed([run]) == {quiet: 3}
    assert store.events.list_undecided(10) == []


def test_a_new_subscription_hears_only_of_what_comes_after_it(store: Store) -> None:
    desk = Desk(store)
    old = desk.room.publish("1")
    desk.config = config(press={}, late={})
    desk.sort()
    assert desk.outcomes(old.id, "late") == [Decision.SKIP]
    assert "before the subscription began" in (desk.notices(old.id, "late")[0].reason or "")
    desk.room.clock += DAY
    new = desk.room.publish("2", title="О другом", body="Делегация МККК посетила Шымкент и встретилась с акимом.")
    desk.sort()
    assert desk.outcomes(new.id, "late") == [Decision.ALERT]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"sources": ["ktkz"]}, "asks for ktkz only"),
        ({"languages": ["kk"]}, "articles in kk only"),
        ({"rules": ["geneva-conventions"]}, "no rule of geneva-conventions matches it"),
        ({"tell": ["unpublished"]}, "this is new"),
    ],
)
def test_what_a_subscription_does_not_ask_for_is_not_told_and_it_is_said_why(
    store: Store, options: dict[str, Any], reason: str
) -> None:
    desk = Desk(store, press=options)
    article = desk.room.publish("1")
    assert desk.sort() == 0
    assert reason in (desk.notices(article.id)[0].reason or "")


def test_a_burst_comes_in_one_message(store: Store) -> None:
    desk = Desk(store, press={"burst": 3})
    towns = "Шымкент Тараз Актау Павлодар Костанай Уральск Кокшетау".split()
    for number, town in enumerate(towns):
        body = (
            f"Делегация МККК посетила {town}. Встреча прошла {number + 3} марта в {number + 20} школе, {town} доволен."
        )
        desk.room.publish(str(number), title=f"О поездке в {town}", body=body)
    desk.sort()
    kinds = [message.kind for message, _ in reversed(store.deliveries.list_newest())]
    assert kinds == ["alert", "alert", "alert", "bundle"]
    bundle = store.deliveries.list_newest()[0][0]
    assert len(store.notifications.list_by_message(bundle.id)) == 4


def test_quiet_hours_hold_an_alert_until_they_end(store: Store) -> None:
    desk = Desk(store, press={"quiet": "16:00-08:00", "timezone": "Asia/Almaty"})
    desk.room.publish("1")  # noon in UTC is 17:00 in Almaty
    desk.sort()
    ((_, delivery),) = store.deliveries.list_newest()
    assert f"{delivery.next_try_at:%d %H:%M}" == "07 03:00"


def test_a_digest_subscription_waits(store: Store) -> None:
    desk = Desk(store, press={"when": "daily 08:30"})
    article = desk.room.publish("1")
    assert desk.sort() == 0
    assert desk.outcomes(article.id) == [Decision.DIGEST]
    assert store.deliveries.list_newest() == []
