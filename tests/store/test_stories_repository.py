"""Clusters and stories in the store: found by signature and names, independent of order, overruled, never half made."""

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


def an_article(name: str, body: str, at: datetime = NOON, *, url: str | None = None) -> Article:
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


def save(store: Store, *articles: Article) -> None:
    for article in articles:
        store.articles.save(article, content_hash=article.body, run_id=None, seen_at=NOON)


def stories(store: Store) -> set[frozenset[str]]:
    return {frozenset(member.article.native_id for member in story.members) for story in store.stories.iter_newest()}


def clusters(store: Store, articles: list[Article]) -> set[frozenset[str]]:
    return {store.clusters.get_member_ids(article.id) for article in articles}


@pytest.fixture
def beekeepers(store: Store) -> Store:
    save(store, an_article("a", PRESIDENT), an_article("b", REPRINT), an_article("c", ENGLISH), an_article("d", DEPUTY))
    assert store.clusters.assign_pending(ZONE) == 4
    return store


def test_reprints_are_one_text_and_translations_one_story(beekeepers: Store) -> None:
    assert beekeepers.clusters.get_member_ids("mfa:a:ru") == {"mfa:a:ru", "mfa:b:ru"}
    assert stories(beekeepers) == {frozenset("abc")}
    assert beekeepers.stories.get_id_by_article("mfa:d:ru") is None
    assert beekeepers.clusters.count_pending() == 0
    assert beekeepers.clusters.assign_pending(ZONE) == 0


def test_a_story_keeps_its_number_when_it_grows(beekeepers: Store) -> None:
    number = beekeepers.stories.get_id_by_article("mfa:a:ru")
    save(beekeepers, an_article("e", f"{PRESIDENT} Дополнено вечером."))
    beekeepers.clusters.assign_pending(ZONE)
    assert stories(beekeepers) == {frozenset("abce")}
    assert beekeepers.stories.get_id_by_article("mfa:e:ru") == number


def test_stories_since_a_time(beekeepers: Store) -> None:
    assert len(list(beekeepers.stories.iter_newest(NOON))) == 1
    assert list(beekeepers.stories.iter_newest(NOON + timedelta(seconds=1))) == []


def test_a_revised_text_leaves_its_cluster_and_story(beekeepers: Store) -> None:
    other = make_release(random.Random(1), 5)
    save(beekeepers, replace(an_article("b", other), version=2, verdict=Verdict.REVISED))
    beekeepers.clusters.assign_pending(ZONE)
    assert beekeepers.clusters.get_member_ids("mfa:b:ru") == {"mfa:b:ru"}
    assert stories(beekeepers) == {frozenset("ac")}
    save(beekeepers, an_article("f", other + " Конец."))
    beekeepers.clusters.assign_pending(ZONE)
    assert beekeepers.clusters.get_member_ids("mfa:b:ru") == {"mfa:b:ru", "mfa:f:ru"}


def test_language_versions_are_one_story_by_identity(store: Store) -> None:
    base = "https://www.gov.kz/memleket/entities/mfa/press/news/details/7?lang="
    save(store, an_article("7", "Первый текст.", url=base + "ru"), an_article("8", "Екінші мәтін.", url=base + "kk"))
    store.clusters.assign_pending(ZONE)
    assert stories(store) == {frozenset("78")}


def test_a_person_may_split_and_take_it_back(beekeepers: Store) -> None:
    number = beekeepers.stories.get_id_by_article("mfa:c:ru")
    assert number is not None
    beekeepers.stories.split(number, "mfa:c:ru", NOON)
    assert stories(beekeepers) == {frozenset("ab")}
    save(beekeepers, an_article("e", ENGLISH + " More to come."))
    beekeepers.clusters.assign_pending(ZONE)
    assert not any({"a", "c"} <= members for members in stories(beekeepers))
    left = beekeepers.stories.get_id_by_article("mfa:a:ru")
    assert left is not None
    beekeepers.stories.undo(left, NOON)
    assert stories(beekeepers) == {frozenset("abce")}
    with pytest.raises(UsageError, match="nothing to undo"):
        beekeepers.stories.undo(left, NOON)


def test_a_person_may_merge_what_the_judge_set_apart(beekeepers: Store) -> None:
    save(beekeepers, an_article("x", f"{DEPUTY} Дополнено."))
    beekeepers.clusters.assign_pending(ZONE)
    assert stories(beekeepers) == {frozenset("abc"), frozenset("dx")}
    one, other = beekeepers.stories.get_id_by_article("mfa:a:ru"), beekeepers.stories.get_id_by_article("mfa:d:ru")
    assert one is not None
    assert other is not None
    merged = beekeepers.stories.merge(one, other, NOON)
    assert stories(beekeepers) == {frozenset("abcdx")}
    save(beekeepers, an_article("y", f"{DEPUTY} Ещё раз."))
    beekeepers.clusters.assign_pending(ZONE)
    assert stories(beekeepers) == {frozenset("abcdxy")}
    beekeepers.stories.undo(merged, NOON)
    assert stories(beekeepers) == {frozenset("abc"), frozenset("dxy")}


def test_what_no_story_has_is_said(beekeepers: Store) -> None:
    number = beekeepers.stories.get_id_by_article("mfa:a:ru")
    assert number is not None
    with pytest.raises(UsageError, match="There is no story 99"):
        beekeepers.stories.merge(number, 99, NOON)
    with pytest.raises(UsageError, match="is not in story"):
        beekeepers.stories.split(number, "mfa:d:ru", NOON)


def test_a_passage_of_four_clusters_counts_no_more_however_often_each_is_reprinted(store: Store) -> None:
    rng = random.Random(5)
    texts = [f"{make_release(rng, 3)}\n{BOILERPLATE}" for _ in range(4)]
    listed = [an_article(f"{i}-{copy}", f"{text} Повтор {copy}.") for i, text in enumerate(texts) for copy in range(3)]
    save(store, *listed)
    store.clusters.assign_pending(ZONE)
    assert store.database.fetch_all(select(func.count()).select_from(schema.boilerplate))[0][0] == 5
    tiny = [
        an_article(name, f"{line}\n{BOILERPLATE}") for name, line in (("p", "Котельная цела."), ("q", "Порт закрыт."))
    ]
    save(store, *tiny)
    store.clusters.assign_pending(ZONE)
    assert sorted(map(len, clusters(store, [*listed, *tiny]))) == [1, 1, 3, 3, 3, 3]


def corpus(count: int) -> list[Article]:
    """Releases over two months, a third of them edits of another one, a quarter with the one passage."""
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
        listed.append(an_article(str(number), text, at))
    return listed


def settled(articles: list[Article], url: str, runs: int) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Clusters and stories of articles that came in so many runs."""
    step = -(-len(articles) // runs)
    with open_store(url) as store:
        for start in range(0, len(articles), step):
            with store.transaction():
                save(store, *articles[start : start + step])
            store.clusters.assign_pending(ZONE)
        return clusters(store, articles), stories(store)


@pytest.mark.slow
def test_200_articles_end_in_the_same_clusters_and_stories_in_whatever_order_they_come() -> None:
    articles = corpus(200)
    found = settled(articles, "sqlite://", 1)
    assert len(found[0]) < 160
    assert len(found[1]) > 20
    for seed, runs in ((1, 1), (2, 7), (3, 40)):
        shuffled = list(articles)
        random.Random(seed).shuffle(shuffled)
        assert settled(shuffled, "sqlite://", runs) == found


def test_an_order_leaves_no_trace_in_either_database(url: str) -> None:
    articles = corpus(30)
    assert settled(articles[::-1], url, 3) == settled(articles, "sqlite://", 1)


CHILD = """
import sys
from zoneinfo import ZoneInfo
from crawler.store import open_store
with open_store(sys.argv[1]) as store:
    print("began", flush=True)
    store.clusters.assign_pending(ZoneInfo("Asia/Almaty"))
"""


@pytest.mark.parametrize("after", [0.05, 0.3, 0.8])
def test_a_kill_in_the_middle_leaves_no_half_story(url: str, after: float) -> None:
    articles = corpus(40)
    with open_store(url) as store:
        save(store, *articles)
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
        assert_whole(store)
        store.clusters.assign_pending(ZONE)
        assert_whole(store)
        assert (clusters(store, articles), stories(store)) == settled(articles, "sqlite://", 1)


def assert_whole(store: Store) -> None:
    """No story of one, none without articles, no link of an article that is not there, one signature an article."""
    read = store.database.fetch_all
    signatures, links = schema.signatures, schema.links
    members = read(select(signatures.c.story, func.count()).where(signatures.c.story.is_not(None)).group_by("story"))
    assert all(count > 1 for _, count in members)
    assert {story for story, _ in members} == {row[0] for row in read(select(schema.stories.c.id))}
    numbers = {row[0] for row in read(select(signatures.c.number))}
    assert {end for row in read(select(links.c.a, links.c.b)) for end in row} <= numbers
    banded = {row[0] for row in read(select(schema.bands.c.number).distinct())}
    assert banded == numbers


def test_saving_asks_for_judging_only_when_a_text_is_new(
    store: Store, save: Callable[..., int], an_article: Callable[..., Article]
) -> None:
    save(an_article())
    assert store.clusters.count_pending() == 1
    store.clusters.assign_pending(ZONE)
    save(an_article(verdict=Verdict.UNCHANGED))
    assert store.clusters.count_pending() == 0
