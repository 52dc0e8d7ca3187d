"""300 articles in three languages, five subscriptions, receivers that answer 500 at random, a crawler killed 12 times.

Every other time it is a watch, which holds lists back. Meanwhile a source fails, so the operator has alarms. Every
subscription gets exactly what it wants. A receiver gets a message twice only if the kill came before the ledger was
written.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.local_site import LocalArticle
from support.process_tree import is_alive, kill_processes, list_descendants
from support.sandbox import Sandbox
from support.waiting import wait_until
from support.webhook_server import WebhookServer

from crawler.notify.dispatcher import MAX_PARALLEL_DELIVERIES
from crawler.notify.retry_delays import LEASE_DURATION
from crawler.store import ArticleState, DeliveryState, Store

pytestmark = pytest.mark.slow

SUBSCRIPTIONS = {
    "articles": 'unit = "article"\nburst = 100',
    "english": 'unit = "article"\nburst = 100\nlanguages = ["en"]\nsources = ["mfa"]',
    "stories": 'burst = 100\nlanguage = "ru"',
    "digest": 'when = "daily 08:30"',
    "bursts": 'unit = "article"\nburst = 2',
}
OPERATOR = "operator"
KILLS = 12
OUTAGE = range(3, 8)
"""During these kills the site of kt.kz refuses."""


@dataclass
class InterruptedDesk:
    """Sites, receivers and a user's machine."""

    place: Sandbox
    gov: GovSite
    ktkz: KtkzSite
    hooks: dict[str, WebhookServer]

    def publish(self) -> list[LocalArticle]:
        """Add articles to both sites. Return those about the Red Cross."""
        added = (*self.gov.add_articles(20), *self.ktkz.add_articles(10))
        return [article for article in added if article.on_topic and "ru" in article.texts]  # kt.kz is read in Russian


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InterruptedDesk]:
    folder = tmp_path_factory.mktemp("alerts")
    with ExitStack() as stack:
        gov, ktkz = stack.enter_context(GovSite(90)), stack.enter_context(KtkzSite(28))
        names = (*SUBSCRIPTIONS, OPERATOR)
        hooks = {name: stack.enter_context(WebhookServer(seed=number)) for number, name in enumerate(names)}
        channels = "\n".join(f'{name} = "{hook.address}"' for name, hook in hooks.items())
        sections = "\n".join(
            f'[subscriptions.{name}]\nchannels = ["{name}"]\n{options}' for name, options in SUBSCRIPTIONS.items()
        )
        place = Sandbox(folder, {"mfa": gov, "ktkz": ktkz})
        place.work_dir.mkdir(parents=True)
        alarms = f'[alarms]\nchannels = ["{OPERATOR}"]'
        text = f"[channels]\n{channels}\n{alarms}\n{sections}\n"
        (place.work_dir / "crawler.toml").write_text(text, encoding="utf-8")
        yield InterruptedDesk(place, gov, ktkz, hooks)


def run_crawl(desk: InterruptedDesk, *codes: int) -> str:
    done = desk.place.run_crawler("crawl", "mfa", "ktkz", timeout=200)
    assert done.code in (codes or (0, 14)), done.all_output
    return done.all_output


def kill_after(desk: InterruptedDesk, seconds: float, *, watch: bool) -> None:
    """Start a crawl, or a watch with runs that are due, and kill all its processes after a while."""
    if watch:
        desk.place.run_many(("schedule", "run", "mfa"), ("schedule", "run", "ktkz"))
    with desk.place.start_crawler("watch" if watch else "crawl", "mfa", "ktkz") as process:
        time.sleep(seconds)
        below = list_descendants(process.pid)
        kill_processes(process.pid, *below)
        process.communicate(timeout=120)
        wait_until(lambda: not any(map(is_alive, below)), 60)


def is_settled(desk: InterruptedDesk) -> None:
    """Send until nothing is pending. Leases of killed senders end at once."""
    for _ in range(30):
        with desk.place.open_store() as store:
            now = datetime.now(UTC)
            for _, delivery in store.deliveries.list_due(now + LEASE_DURATION, 10_000):
                store.deliveries.save_result(delivery, replace(delivery, next_try_at=now))
        desk.place.run_crawler("alerts", "retry")
        with desk.place.open_store() as store:
            if not store.deliveries.count_by_state().get(DeliveryState.PENDING):
                return
    raise AssertionError("messages still wait after 30 tries")


def count_recorded(desk: InterruptedDesk) -> Counter[str]:
    """Return how often each message that the ledger calls sent was accepted."""
    with desk.place.open_store() as store:
        sent = {m.key for m, d in store.deliveries.list_newest(limit=10_000) if d.state is DeliveryState.SENT}
    accepted = sum((hook.keys for hook in desk.hooks.values()), Counter())
    return Counter({key: accepted[key] for key in sent})


def list_versions(articles: list[LocalArticle]) -> list[str]:
    """Return the titles of all language versions."""
    return [text.title for article in articles for text in article.texts.values()]


def list_named_articles(store: Store, article: LocalArticle) -> list[ArticleState]:
    """Return what is stored of an article of either site."""
    return [
        k for source in ("mfa", "ktkz") for k in store.articles.get_states(source, [article.id]).get(article.id, [])
    ]


def list_sent_articles(hook: WebhookServer) -> Counter[str]:
    """Return the sent headlines, each key once."""
    return Counter(title.rpartition(" – ")[0] for title in hook.titles)


@pytest.mark.campaign
def test_every_subscription_gets_exactly_what_it_wants(desk: InterruptedDesk) -> None:
    said = run_crawl(desk)
    assert "mfa: baseline: " in said
    assert "stored, none sent" in said
    is_settled(desk)
    assert not any(hook.requests for name, hook in desk.hooks.items() if name != "digest")

    fresh = desk.publish()
    assert len(fresh) >= 5
    chance = random.Random(5)
    for hook in desk.hooks.values():
        hook.failing = 0.3
    for number in range(KILLS):
        recorded = count_recorded(desk)
        kill_after(desk, chance.uniform(0.4, 6.0), watch=number % 2 == 1)
        now_accepted = count_recorded(desk)
        assert {key: now_accepted[key] for key in recorded} == recorded  # what is recorded is never sent again
        if number == OUTAGE.start:
            desk.ktkz.add_fault("*", "403_challenge")
            run_crawl(desk, 11)
        if number == OUTAGE.stop:
            desk.ktkz.heal()
        if number == KILLS // 2:  # a correction, while no watch runs
            run_crawl(desk, 11)
            corrected = next(article for article in fresh if "en" in article.texts and len(article.texts) == 3)
            text = corrected.texts["en"]
            desk.gov.edit_article(
                corrected.id, "en", paragraphs=(*text.paragraphs, "Three delegates of the ICRC were hurt.")
            )
    run_crawl(desk)
    run_crawl(desk)
    is_settled(desk)

    expected = Counter(list_versions(fresh))
    revised = Counter({f"Revised: {text.title}": 1})
    heard = list_sent_articles(desk.hooks["articles"])
    assert (heard - expected - revised, expected - heard) == (Counter(), Counter())
    in_english = Counter(a.texts["en"].title for a in fresh if "en" in a.texts and a.id in desk.gov._articles)
    assert list_sent_articles(desk.hooks["english"]) - revised == in_english
    with desk.place.open_store() as store:
        ids = [known.id for article in fresh for known in list_named_articles(store, article)]
        stories = {store.stories.get_id_by_article(each) or each for each in ids}
        heard_of = [
            notice
            for each in ids
            for notice in store.notifications.list_by_article(each)
            if notice.subscription == "stories"
        ]
        new = [notice for notice in heard_of if notice.decision == "told" and store.events.get_many([notice.event_id])]
        assert len({store.stories.get_id_by_article(notice.article_id) or notice.article_id for notice in new}) == len(
            stories
        )
        assert len(desk.hooks["stories"].keys) == len(stories) + 1  # and the correction
    keys = [set(hook.keys) for hook in desk.hooks.values()]
    assert sum(map(len, keys)) == len(set().union(*keys))
    with desk.place.open_store() as store:
        assert store.articles.count() >= 300
        assert set(store.deliveries.count_by_state()) <= {DeliveryState.SENT, DeliveryState.REPLACED}
        assert store.events.list_undecided(1) == []
        ledger = store.deliveries.list_newest(limit=10_000)
        assert set().union(*keys) == {m.key for m, each in ledger if each.state is DeliveryState.SENT}
        raise_if_alarm_is_lost(desk, store)
        raise_if_listed_article_is_lost(desk, store, ids)
    twice = sum(count - 1 for hook in desk.hooks.values() for count in hook.keys.values())
    print(f"{KILLS} kills: {len(set().union(*keys))} messages arrived, {twice} of them twice.")
    assert twice <= KILLS * MAX_PARALLEL_DELIVERIES


def raise_if_alarm_is_lost(desk: InterruptedDesk, store: Store) -> None:
    """The operator was told of the outage and of its end, of each once."""
    assert store.alarms.list_pending() == []
    assert store.alarms.get_open("ktkz") is None
    delays = ("ktkz: delayed", "ktkz: messages are in time again")  # the sites' articles are hours old
    titles = [each for each in desk.hooks[OPERATOR].titles if each.startswith("ktkz") and each not in delays]
    assert "ktkz: blocked" in titles or "ktkz: blocked, worse than before" in titles
    assert titles[-1] == "ktkz is well again"
    assert all(title != following for title, following in pairwise(titles))


def raise_if_listed_article_is_lost(desk: InterruptedDesk, store: Store, ids: list[str]) -> None:
    """Every article is in one message of the subscription with a low limit, alone or in a list."""
    notices = [n for each in ids for n in store.notifications.list_by_article(each) if n.subscription == "bursts"]
    assert {notice.article_id for notice in notices if notice.decision == "told"} == set(ids)
    messages = {notice.message_id: store.messages.get(notice.message_id or 0) for notice in notices}
    assert "bundle" in {message.kind for message in messages.values() if message}
    hook = desk.hooks["bursts"]
    assert {message.key for message in messages.values() if message} == set(hook.keys)
    shown = [article for request in hook.requests for article in json.loads(request.body)["articles"]]
    assert {each["id"] for article in shown for each in (article, *article["related"])} >= set(ids)
