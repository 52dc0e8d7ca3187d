"""Which events cause alerts: one a story, revisions as revisions, none of a first run, a reason for each skip."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.factories import make_config

from crawler.config import Config
from crawler.items import Verdict
from crawler.notify.rendering import MessageRenderer
from crawler.notify.routing import route_events
from crawler.store import Decision, Notification, Store

DAY = timedelta(days=1)


def make_config_of(**subscriptions: dict[str, Any]) -> Config:
    """Return a configuration with these subscriptions, `press` by default, each on the channel `desk`."""
    named = {name: {"channels": ["desk"], **options} for name, options in (subscriptions or {"press": {}}).items()}
    return make_config(settings={"subscriptions": named})


class RoutingDesk:
    """A store with subscriptions that began before anything was published."""

    def __init__(self, store: Store, **subscriptions: dict[str, Any]) -> None:
        self.store, self.config, self.publisher = store, make_config_of(**subscriptions), ArticlePublisher(store)
        store.subscriptions.get_or_start(list(self.config.subscriptions), NOON - DAY)

    def route(self) -> int:
        self.publisher.cluster_articles()
        return route_events(self.store, self.config, self.publisher.clock)

    def list_notifications(self, article_id: str, subscription: str = "press") -> list[Notification]:
        return [n for n in self.store.notifications.list_by_article(article_id) if n.subscription == subscription]

    def list_decisions(self, article_id: str, subscription: str = "press") -> list[Decision]:
        return [notice.decision for notice in self.list_notifications(article_id, subscription)]

    def list_subjects(self) -> list[str]:
        """Return the subjects of the messages, the earliest first."""
        writer = MessageRenderer(self.config, self.store)
        letters = [writer.render(message) for message, _ in reversed(self.store.deliveries.list_newest())]
        return [letter.subject for letter in letters if letter]


def test_a_matching_article_is_one_alert(store: Store) -> None:
    desk = RoutingDesk(store)
    article = desk.publisher.publish("1")
    assert [desk.route(), desk.route(), desk.route()] == [1, 0, 0]
    assert desk.list_decisions(article.id) == [Decision.ALERT]


def test_an_article_without_a_match_adds_no_event(store: Store) -> None:
    desk = RoutingDesk(store)
    article = desk.publisher.publish("1", body="Министр открыл выставку ковров в Шымкенте.", title="О выставке")
    assert desk.route() == 0
    assert desk.list_notifications(article.id) == []
    assert store.events.list_by_article(article.id) == []


def test_languages_and_copies_of_a_story_are_one_alert(store: Store) -> None:
    desk = RoutingDesk(store)
    ru = desk.publisher.publish("1", "ru")
    en = desk.publisher.publish("1", "en", topic="humanitarian cooperation")
    copy = desk.publisher.publish("9", "ru", source="ktkz", verdict=Verdict.COPY)
    assert desk.route() == 1
    assert desk.list_decisions(en.id) == [Decision.ALERT]  # the subscriber reads English
    assert desk.list_decisions(ru.id) == desk.list_decisions(copy.id) == [Decision.COVERED]
    late = desk.publisher.publish("1", "kk", topic="ынтымақтастықты")
    assert desk.route() == 0
    assert desk.list_decisions(late.id) == [Decision.COVERED]
    assert "an earlier message has its story (mfa:1:en" in (desk.list_notifications(late.id)[0].reason or "")


TABLE = "МККК передал больнице в Таразе операционный стол. Его привезли из Женевы в пятницу."
SURGEONS = "В Таразе хирурги больницы получили новый стол. Подарок МККК довезли поездом до вокзала."


@pytest.mark.parametrize(
    ("language", "phrase"),
    [
        ("en", "Possibly the same as"),
        ("ru", "Возможно, о том же событии"),
        ("kk", "Осы оқиға туралы болуы мүмкін"),
    ],
)
def test_an_article_whose_story_is_only_possible_has_its_own_alert(store: Store, language: str, phrase: str) -> None:
    desk = RoutingDesk(store, press={"language": language})
    first = desk.publisher.publish("1", body=TABLE, title="Стол для больницы")
    assert desk.route() == 1
    second = desk.publisher.publish("8", source="ktkz", body=SURGEONS, title="Хирурги Тараза")
    assert desk.route() == 1
    assert store.stories.get_id_by_article(first.id) == store.stories.get_id_by_article(second.id) is not None
    assert desk.list_decisions(second.id) == [Decision.ALERT]
    newest = MessageRenderer(desk.config, store).render(store.deliveries.list_newest()[0][0])
    assert newest is not None
    assert f"{phrase}:" in newest.text
    assert first.url in newest.text


def test_unit_article_alerts_for_each_article(store: Store) -> None:
    desk = RoutingDesk(store, press={"unit": "article"})
    desk.publisher.publish("1", "ru")
    desk.publisher.publish("1", "en")
    assert desk.route() == 2


@pytest.mark.parametrize(
    ("revisions", "decisions"),
    [
        (None, [Decision.SKIP, Decision.ALERT, Decision.ALERT]),
        ("substantive", [Decision.SKIP, Decision.SKIP, Decision.ALERT]),
        ("cosmetic", [Decision.ALERT, Decision.ALERT, Decision.ALERT]),
    ],
)
def test_every_revision_that_is_severe_enough_is_an_alert(
    store: Store, revisions: str | None, decisions: list[Decision]
) -> None:
    desk = RoutingDesk(store, press={"revisions": revisions} if revisions else {})
    article = desk.publisher.publish("1")
    desk.route()
    for old, new in (
        ("Собеседники", "собеседники"),
        ("обсудили", "рассмотрели"),
        ("в ближайшие месяцы", "не позднее 15 мая 2026 года"),
    ):
        article = desk.publisher.revise(article, old, new)
        desk.route()
    assert desk.list_decisions(article.id) == [Decision.ALERT, *decisions]
    skipped = [n for n in desk.list_notifications(article.id) if n.decision is Decision.SKIP]
    assert all("the revision is cosmetic" in (n.reason or "") for n in skipped[:1])
    subjects = desk.list_subjects()
    assert [subject.startswith("Revised: ") for subject in subjects] == [
        False,
        *[True] * decisions.count(Decision.ALERT),
    ]


def test_another_correction_of_the_same_story_is_another_alert(store: Store) -> None:
    desk = RoutingDesk(store)
    russian = desk.publisher.publish("1", "ru")
    copy = desk.publisher.publish("9", "ru", source="ktkz", verdict=Verdict.COPY)
    desk.route()
    desk.publisher.revise(russian, "в ближайшие месяцы", "не позднее 15 мая 2026 года")
    assert desk.route() == 1
    desk.publisher.revise(copy, "в ближайшие месяцы", "не позднее 20 мая 2026 года")
    assert desk.route() == 1
    assert desk.list_decisions(copy.id)[-1] is Decision.ALERT


def test_a_revision_that_removes_the_match_is_an_alert(store: Store) -> None:
    desk = RoutingDesk(store)
    article = desk.publisher.publish(
        "1", body="Министр принял президента МККК. Они говорили долго и подробно обо всём."
    )
    desk.route()
    desk.publisher.revise(article, "президента МККК", "гостя")
    assert desk.route() == 1


def test_a_removed_match_is_an_alert_whatever_was_sent_before(store: Store) -> None:
    desk = RoutingDesk(store)
    russian = desk.publisher.publish("1")
    english = desk.publisher.publish(
        "1", "en", body="The minister met the ICRC president. They spoke long about everything."
    )
    desk.route()
    desk.publisher.revise(russian, "в Астане", "в Астане 7")
    assert desk.route() == 1
    desk.publisher.revise(english, "ICRC president", "guest")
    assert desk.route() == 1
    assert [subject.startswith("Revised: ") for subject in desk.list_subjects()] == [False, True, True]


def test_a_revision_that_adds_the_match_is_new(store: Store) -> None:
    desk = RoutingDesk(store)
    article = desk.publisher.publish("1", body="Министр принял гостя. Они говорили долго и подробно обо всём.")
    desk.publisher.revise(article, "гостя", "президента МККК")
    assert desk.route() == 1
    assert desk.list_decisions(article.id) == [Decision.ALERT]


def test_one_correction_in_three_languages_is_one_alert(store: Store) -> None:
    desk = RoutingDesk(store)
    versions = [desk.publisher.publish("1", language) for language in ("ru", "en", "kk")]
    desk.route()
    for article, old in zip(versions, ("в Астане", "in Astana", "Астанада"), strict=True):
        desk.publisher.revise(article, old, f"{old} 7")
    assert desk.route() == 1
    assert sum(desk.list_decisions(article.id)[-1] is Decision.ALERT for article in versions) == 1


def test_two_corrections_at_once_are_two_alerts(store: Store) -> None:
    desk = RoutingDesk(store)
    russian = desk.publisher.publish("1", "ru")
    copy = desk.publisher.publish("9", "ru", source="ktkz", verdict=Verdict.COPY)
    desk.route()
    desk.publisher.revise(russian, "в ближайшие месяцы", "не позднее 15 мая 2026 года")
    desk.publisher.revise(copy, "обсудили", "отказались обсуждать")
    assert desk.route() == 2


def test_two_revisions_of_an_article_at_once_are_shown_as_one_change(store: Store) -> None:
    desk = RoutingDesk(store)
    article = desk.publisher.publish("1", "ru")
    desk.route()
    article = desk.publisher.revise(article, "обсудили", "отказались обсуждать")
    desk.publisher.revise(article, "в ближайшие месяцы", "не позднее 15 мая 2026 года")
    assert desk.route() == 1
    writer = MessageRenderer(desk.config, store)
    (newest, _), *_ = desk.store.deliveries.list_newest()
    letter = writer.render(newest)
    assert letter is not None
    assert "crawler diff mfa:1:ru --from 1 --to 3" in letter.text
    assert "отказались" in letter.text
    assert "15 мая" in letter.text


def test_a_page_taken_down_is_an_alert(store: Store) -> None:
    desk = RoutingDesk(store)
    article = desk.publisher.publish("1")
    desk.route()
    desk.publisher.take_down(article)
    assert desk.route() == 1
    assert desk.list_subjects()[-1].startswith("Taken down: ")


@pytest.mark.parametrize("quiet", ["baseline", "backfill", "replay"])
def test_a_first_run_a_backfill_and_a_replay_cause_no_alert(store: Store, quiet: str) -> None:
    desk = RoutingDesk(store)
    run = desk.publisher.begin_run()
    for number in range(3):
        desk.publisher.publish(str(number), quiet=quiet, topic=f"вопрос {number}", title=f"Встреча {number}")
    assert desk.route() == 0
    assert store.events.count_suppressed([run]) == {quiet: 3}
    assert store.events.list_undecided(10) == []


def test_a_new_subscription_skips_earlier_events(store: Store) -> None:
    desk = RoutingDesk(store)
    old = desk.publisher.publish("1")
    desk.config = make_config_of(press={}, late={})
    desk.route()
    assert desk.list_decisions(old.id, "late") == [Decision.SKIP]
    assert "older than the subscription" in (desk.list_notifications(old.id, "late")[0].reason or "")
    desk.publisher.clock += DAY
    new = desk.publisher.publish("2", title="О другом", body="Делегация МККК посетила Шымкент и встретилась с акимом.")
    desk.route()
    assert desk.list_decisions(new.id, "late") == [Decision.ALERT]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"sources": ["ktkz"]}, "asks for ktkz only"),
        ({"languages": ["kk"]}, "articles in kk only"),
        ({"rules": ["geneva-conventions"]}, "no rule of geneva-conventions matches it"),
        ({"tell": ["unpublished"]}, "this is new"),
    ],
)
def test_skipped_events_have_a_reason(store: Store, options: dict[str, Any], reason: str) -> None:
    desk = RoutingDesk(store, press=options)
    article = desk.publisher.publish("1")
    assert desk.route() == 0
    assert reason in (desk.list_notifications(article.id)[0].reason or "")


def test_quiet_hours_hold_an_alert_until_they_end(store: Store) -> None:
    desk = RoutingDesk(store, press={"quiet": "16:00-08:00", "timezone": "Asia/Almaty"})
    desk.publisher.publish("1")  # noon in UTC is 17:00 in Almaty
    desk.route()
    ((message, delivery),) = store.deliveries.list_newest()
    assert f"{delivery.next_try_at:%d %H:%M}" == "07 03:00"
    assert message.deferred


def test_events_of_a_digest_subscription_are_pending(store: Store) -> None:
    desk = RoutingDesk(store, press={"when": "daily 08:30"})
    article = desk.publisher.publish("1")
    assert desk.route() == 0
    assert desk.list_decisions(article.id) == [Decision.DIGEST]
    assert store.deliveries.list_newest() == []
