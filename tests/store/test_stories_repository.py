"""Clusters and stories over both databases: they do not depend on the order, and a person can override them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from support.edited_texts import BOILERPLATE, EDITS, make_release
from support.factories import make_article

from crawler.errors import UsageError
from crawler.items import Article, Verdict
from crawler.store import Store, open_store, schema

pytestmark = pytest.mark.slow

ZONE = ZoneInfo("Asia/Almaty")
NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
PRESIDENT = (
    "Президент Казахстана принял главу Всемирного союза пасечников Ингрид Лундквист. Касым-Жомарт Токаев рассказал о "
    "мёде с Алтая. Собеседники обсудили выставку в Иордании и 14 совместных пасек."
)
ENGLISH = (
    "Kassym-Jomart Tokayev, President of Kazakhstan, received Ingrid Lundqvist, head of the World Union of Beekeepers. "
    "They spoke of an exhibition in Jordan and of 14 joint apiaries."
)
REPRINT = f"Новости дня. {PRESIDENT} Читайте нас каждый день."
DEPUTY = (
    "Заместитель министра иностранных дел Ержан Ашикбаев встретился с главой Всемирного союза пасечников Ингрид "
    "Лундквист. Стороны подписали бумаги о выставке в Иордании и 14 новых ульях."
)


def make_member(name: str, body: str, at: datetime = NOON, *, url: str | None = None) -> Article:
    return Article(
        id=f"mfa:{name}:ru",
        source="mfa",
        url=url or f"https://mfa.example/{name}",
        body=body,
        language="ru",
        published_at=at,
        fetched_at=at,
        verdict=Verdict.NEW,
        version=1,
    )


def save_all(store: Store, *articles: Article) -> None:
    for article in articles:
        store.articles.save(article, content_hash=article.body, run_id=None, seen_at=NOON)


def get_stories(store: Store) -> set[frozenset[str]]:
    return {frozenset(member.article.native_id for member in story.members) for story in store.stories.iter_newest()}


def get_clusters(store: Store, articles: list[Article]) -> set[frozenset[str]]:
    return {store.clusters.get_member_ids(article.id) for article in articles}


@pytest.fixture
def beekeepers(store: Store) -> Store:
    save_all(
        store,
        make_member("a", PRESIDENT),
        make_member("b", REPRINT),
        make_member("c", ENGLISH),
        make_member("d", DEPUTY),
    )
    assert store.clusters.assign_pending(ZONE) == 4
    return store


def test_reprints_are_one_cluster_and_translations_one_story(beekeepers: Store) -> None:
    assert beekeepers.clusters.get_member_ids("mfa:a:ru") == {"mfa:a:ru", "mfa:b:ru"}
    assert get_stories(beekeepers) == {frozenset("abc")}
    assert beekeepers.stories.get_id_by_article("mfa:d:ru") is None
    assert beekeepers.clusters.count_pending() == 0
    assert beekeepers.clusters.assign_pending(ZONE) == 0


def test_growing_story_keeps_its_number(beekeepers: Store) -> None:
    number = beekeepers.stories.get_id_by_article("mfa:a:ru")
    save_all(beekeepers, make_member("e", f"{PRESIDENT} Дополнено вечером."))
    beekeepers.clusters.assign_pending(ZONE)
    assert get_stories(beekeepers) == {frozenset("abce")}
    assert beekeepers.stories.get_id_by_article("mfa:e:ru") == number


def test_stories_since_a_time(beekeepers: Store) -> None:
    assert len(list(beekeepers.stories.iter_newest(NOON))) == 1
    assert list(beekeepers.stories.iter_newest(NOON + timedelta(seconds=1))) == []


def test_revised_text_leaves_its_cluster_and_story(beekeepers: Store) -> None:
    other = make_release(random.Random(1), 5)
    save_all(beekeepers, replace(make_member("b", other), version=2, verdict=Verdict.REVISED))
    beekeepers.clusters.assign_pending(ZONE)
    assert beekeepers.clusters.get_member_ids("mfa:b:ru") == {"mfa:b:ru"}
    assert get_stories(beekeepers) == {frozenset("ac")}
    save_all(beekeepers, make_member("f", other + " Конец."))
    beekeepers.clusters.assign_pending(ZONE)
    assert beekeepers.clusters.get_member_ids("mfa:b:ru") == {"mfa:b:ru", "mfa:f:ru"}


def test_language_versions_are_one_story_by_identity(store: Store) -> None:
    base = "https://www.gov.kz/memleket/entities/mfa/press/news/details/7?lang="
    save_all(
        store, make_member("7", "Первый текст.", url=base + "ru"), make_member("8", "Екінші мәтін.", url=base + "kk")
    )
    store.clusters.assign_pending(ZONE)
    assert get_stories(store) == {frozenset("78")}


def test_split_can_be_undone(beekeepers: Store) -> None:
    number = beekeepers.stories.get_id_by_article("mfa:c:ru")
    assert number is not None
    beekeepers.stories.split(number, "mfa:c:ru", NOON)
    assert get_stories(beekeepers) == {frozenset("ab")}
    save_all(beekeepers, make_member("e", ENGLISH + " More to come."))
    beekeepers.clusters.assign_pending(ZONE)
    assert not any({"a", "c"} <= members for members in get_stories(beekeepers))
    left = beekeepers.stories.get_id_by_article("mfa:a:ru")
    assert left is not None
    beekeepers.stories.undo(left, NOON)
    assert get_stories(beekeepers) == {frozenset("abce")}
    with pytest.raises(UsageError, match="nothing to undo"):
        beekeepers.stories.undo(left, NOON)


def test_separated_stories_can_be_merged(beekeepers: Store) -> None:
    save_all(beekeepers, make_member("x", f"{DEPUTY} Дополнено."))
    beekeepers.clusters.assign_pending(ZONE)
    assert get_stories(beekeepers) == {frozenset("abc"), frozenset("dx")}
    one, other = beekeepers.stories.get_id_by_article("mfa:a:ru"), beekeepers.stories.get_id_by_article("mfa:d:ru")
    assert one is not None
    assert other is not None
    merged = beekeepers.stories.merge(one, other, NOON)
    assert get_stories(beekeepers) == {frozenset("abcdx")}
    save_all(beekeepers, make_member("y", f"{DEPUTY} Ещё раз."))
    beekeepers.clusters.assign_pending(ZONE)
    assert get_stories(beekeepers) == {frozenset("abcdxy")}
    beekeepers.stories.undo(merged, NOON)
    assert get_stories(beekeepers) == {frozenset("abc"), frozenset("dxy")}


def test_missing_story_is_reported(beekeepers: Store) -> None:
    number = beekeepers.stories.get_id_by_article("mfa:a:ru")
    assert number is not None
    with pytest.raises(UsageError, match="There is no story 99"):
        beekeepers.stories.merge(number, 99, NOON)
    with pytest.raises(UsageError, match="is not in story"):
        beekeepers.stories.split(number, "mfa:d:ru", NOON)


def test_passage_of_four_clusters_does_not_count(store: Store) -> None:
    rng = random.Random(5)
    texts = [f"{make_release(rng, 3)}\n{BOILERPLATE}" for _ in range(4)]
    listed = [make_member(f"{i}-{copy}", f"{text} Повтор {copy}.") for i, text in enumerate(texts) for copy in range(3)]
    save_all(store, *listed)
    store.clusters.assign_pending(ZONE)
    assert store.database.fetch_all(select(func.count()).select_from(schema.boilerplate))[0][0] == 5
    tiny = [
        make_member(name, f"{line}\n{BOILERPLATE}") for name, line in (("p", "Котельная цела."), ("q", "Порт закрыт."))
    ]
    save_all(store, *tiny)
    store.clusters.assign_pending(ZONE)
    assert sorted(map(len, get_clusters(store, [*listed, *tiny]))) == [1, 1, 3, 3, 3, 3]


def make_corpus(count: int) -> list[Article]:
    """Return releases of four months. A third are edits of another one, a quarter have the same passage."""
    rng = random.Random(11)
    listed: list[Article] = []
    originals: list[tuple[str, datetime]] = []
    for number in range(count):
        at = NOON + timedelta(days=rng.randrange(120))
        if originals and rng.random() < 0.35:
            text, day = rng.choice(originals)
            text, at = rng.choice(list(EDITS.values()))[0](text, rng), day + timedelta(days=rng.randrange(3))
        else:
            text = make_release(rng, rng.randint(2, 6)) + ("\n" + BOILERPLATE if rng.random() < 0.25 else "")
            originals.append((text, at))
        listed.append(make_member(str(number), text, at))
    return listed


def cluster_in_runs(articles: list[Article], url: str, runs: int) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Return the clusters and stories of articles that are saved in this many runs."""
    step = -(-len(articles) // runs)
    with open_store(url) as store:
        for start in range(0, len(articles), step):
            with store.transaction():
                save_all(store, *articles[start : start + step])
            store.clusters.assign_pending(ZONE)
        return get_clusters(store, articles), get_stories(store)


@pytest.mark.slow
@pytest.mark.campaign
def test_clusters_do_not_depend_on_the_order() -> None:
    articles = make_corpus(120)
    found = cluster_in_runs(articles, "sqlite://", 1)
    assert len(found[0]) < 96
    assert len(found[1]) > 12
    for seed, runs in ((1, 1), (2, 7), (3, 40)):
        shuffled = list(articles)
        random.Random(seed).shuffle(shuffled)
        assert cluster_in_runs(shuffled, "sqlite://", runs) == found


def test_rows_do_not_depend_on_the_order(url: str) -> None:
    articles = make_corpus(30)
    assert cluster_in_runs(articles[::-1], url, 3) == cluster_in_runs(articles, "sqlite://", 1)


CHILD = """
import sys
from zoneinfo import ZoneInfo
from crawler.store import open_store
with open_store(sys.argv[1]) as store:
    print("began", flush=True)
    store.clusters.assign_pending(ZoneInfo("Asia/Almaty"))
"""


@pytest.mark.parametrize("after", [0.05, 0.3, 0.8])
@pytest.mark.campaign
def test_kill_leaves_no_half_story(url: str, after: float) -> None:
    articles = make_corpus(40)
    with open_store(url) as store:
        save_all(store, *articles)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([sys.executable, "-c", CHILD, url], stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    with open_store(url) as store:
        assert_consistent(store)
        store.clusters.assign_pending(ZONE)
        assert_consistent(store)
        assert (get_clusters(store, articles), get_stories(store)) == cluster_in_runs(articles, "sqlite://", 1)


def assert_consistent(store: Store) -> None:
    """Every story has two articles or more, every link's articles exist, every article has one signature."""
    read = store.database.fetch_all
    signatures, links = schema.signatures, schema.links
    members = read(select(signatures.c.story, func.count()).where(signatures.c.story.is_not(None)).group_by("story"))
    assert all(count > 1 for _, count in members)
    assert {story for story, _ in members} == {row[0] for row in read(select(schema.stories.c.id))}
    numbers = {row[0] for row in read(select(signatures.c.number))}
    assert {end for row in read(select(links.c.a, links.c.b)) for end in row} <= numbers
    banded = {row[0] for row in read(select(schema.bands.c.number).distinct())}
    assert banded == numbers


def test_only_a_new_text_is_pending(store: Store, save: Callable[..., int]) -> None:
    save(make_article())
    assert store.clusters.count_pending() == 1
    store.clusters.assign_pending(ZONE)
    save(make_article(verdict=Verdict.UNCHANGED))
    assert store.clusters.count_pending() == 0
