"""300 articles in three languages, four subscriptions, receivers that answer 500 at random, a crawler killed 20 times.

Every subscription gets exactly what it wants.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.local_site import LocalArticle
from support.process_tree import is_alive, kill_processes, list_descendants, wait_until
from support.sandbox import Sandbox
from support.webhook_server import WebhookServer

from crawler.notify.retry_delays import LEASE_DURATION
from crawler.store import ArticleState, DeliveryState, Store

pytestmark = pytest.mark.slow

SUBSCRIPTIONS = {
    "articles": 'unit = "article"\nburst = 100',
    "english": 'unit = "article"\nburst = 100\nlanguages = ["en"]\nsources = ["mfa"]',
    "stories": 'burst = 100\nlanguage = "ru"',
    "digest": 'when = "daily 08:30"',
}
KILLS = 20


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
        hooks = {name: stack.enter_context(WebhookServer(seed=number)) for number, name in enumerate(SUBSCRIPTIONS)}
        channels = "\n".join(f'{name} = "{hook.address}"' for name, hook in hooks.items())
        sections = "\n".join(
            f'[subscriptions.{name}]\nchannels = ["{name}"]\n{options}' for name, options in SUBSCRIPTIONS.items()
        )
        place = Sandbox(folder, {"mfa": gov, "ktkz": ktkz})
        place.work_dir.mkdir(parents=True)
        (place.work_dir / "crawler.toml").write_text(f"[channels]\n{channels}\n{sections}\n", encoding="utf-8")
        yield InterruptedDesk(place, gov, ktkz, hooks)


def run_crawl(desk: InterruptedDesk) -> str:
    done = desk.place.run_crawler("crawl", "mfa", "ktkz", timeout=200)
    assert done.code in (0, 14), done.all_output
    return done.all_output


def kill_after(desk: InterruptedDesk, seconds: float) -> None:
    """Start a crawl and kill all its processes after a while."""
    with desk.place.start_crawler("crawl", "mfa", "ktkz") as process:
        time.sleep(seconds)
        below = list_descendants(process.pid)
        kill_processes(process.pid, *below)
        process.communicate(timeout=60)
        wait_until(lambda: not any(map(is_alive, below)), 60)


def is_settled(desk: InterruptedDesk) -> None:
    """Send until nothing is pending. Leases of killed senders end at once."""
    for _ in range(30):
        with desk.place.open_store() as store:
            now = datetime.now(UTC)
            for _, delivery in store.deliveries.list_due(now + LEASE_DURATION, 10_000):
                store.deliveries.claim(delivery, now)
        desk.place.run_crawler("alerts", "retry")
        with desk.place.open_store() as store:
            if not store.deliveries.count_by_state().get(DeliveryState.PENDING):
                return
    raise AssertionError("messages still wait after 30 tries")


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
        kill_after(desk, chance.uniform(0.4, 6.0))
        if number == KILLS // 2:  # a correction, while no watch runs
            run_crawl(desk)
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
        assert set(store.deliveries.count_by_state()) == {DeliveryState.SENT}
        assert store.events.list_undecided(1) == []
        sent = {message.key for message, _ in store.deliveries.list_newest(limit=10_000)}
        assert set().union(*keys) == sent
