"""Article queries: grouped by story, stories complete whatever the limit, with a lasting first article."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crawler.config import Config
from crawler.items import Article, Match, Strength, Verdict
from crawler.publish.builder import EntryBuilder, EntryRequest
from crawler.publish.query import ArticleQuery, list_articles, list_stories
from crawler.store import Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
PRESIDENT = (
    "Президент Казахстана принял главу Красного Креста Ингрид Лундквист. Касым-Жомарт Токаев рассказал о "
    "мёде с Алтая. Собеседники обсудили выставку в Иордании и 14 совместных пасек."
)
REPRINT = f"Новости дня. {PRESIDENT} Читайте нас каждый день."


def make_matched_article(
    name: str, body: str, after: int = 0, *, strength: Strength = Strength.STRONG, **values: object
) -> Article:
    word = body.split()[0]
    found = {"rule": "red-cross", "term": word, "surface": word, "field": "body", "sentence": body}
    given = {
        "id": f"mfa:{name}:ru",
        "source": "mfa",
        "url": f"https://mfa.example/{name}",
        "body": body,
        "language": "ru",
        "published_at": NOON + timedelta(hours=after),
        "fetched_at": NOON + timedelta(hours=after),
        "verdict": Verdict.NEW,
        "version": 1,
        "matches": (Match(**found, start=0, end=len(word), strength=strength),),
    }
    return Article(**{**given, **values})  # type: ignore[arg-type]


def save_article(store: Store, *articles: Article, at: datetime = NOON) -> None:
    for article in articles:
        store.articles.save(article, content_hash=article.body, run_id=None, seen_at=at)
    store.clusters.assign_pending(ZoneInfo("Asia/Almaty"))


def list_names(stories: list[tuple[Article, ...]]) -> list[str]:
    return ["".join(article.native_id for article in story) for story in stories]


@pytest.fixture
def told(store: Store) -> Store:
    """A store with a story, its reprint an hour later, and an article about something else between them."""
    save_article(
        store,
        make_matched_article("a", PRESIDENT),
        make_matched_article("x", "Совсем иное дело.", 1),
        make_matched_article("b", REPRINT, 2),
    )
    return store


def test_the_latest_story_and_its_first_article_come_first(told: Store) -> None:
    assert list_names(list_stories(told, ArticleQuery())) == ["ab", "x"]


def test_a_limit_counts_stories(told: Store) -> None:
    assert list_names(list_stories(told, ArticleQuery(), limit=1)) == ["ab"]


def test_times_select_articles_or_whole_stories(told: Store) -> None:
    late = ArticleQuery(since=NOON + timedelta(hours=1))
    assert list_names(list_stories(told, late)) == ["b", "x"]
    assert list_names(list_stories(told, late, include_earlier=True)) == ["ab", "x"]
    early = ArticleQuery(until=NOON + timedelta(hours=1))
    assert list_names(list_stories(told, early)) == ["a"]


def test_articles_without_a_match_are_included_on_request(store: Store) -> None:
    weak = make_matched_article("w", "Слабое слово.", strength=Strength.WEAK)
    save_article(
        store,
        weak,
        make_matched_article("n", "Нет ничего.", matches=()),
        make_matched_article("k", "Мәтін.", language="kk"),
    )
    assert list_names(list_stories(store, ArticleQuery())) == ["k"]
    assert list_names(list_stories(store, ArticleQuery(strength=Strength.WEAK))) == ["w", "k"]
    assert {article.native_id for article in list_articles(store, ArticleQuery(include_unmatched=True))} == {
        "w",
        "n",
        "k",
    }
    assert [
        article.native_id for article in list_articles(store, ArticleQuery(include_unmatched=True, languages=("kk",)))
    ] == ["k"]
    assert list_names(list_stories(store, ArticleQuery(rules=("ihl",)))) == []


def test_an_anchor_stays_when_stories_merge_or_addresses_change(store: Store) -> None:
    maker = EntryBuilder(Config(), store)
    save_article(store, make_matched_article("b", REPRINT, 2), at=NOON + timedelta(hours=2))
    save_article(
        store, make_matched_article("a", PRESIDENT, 0), at=NOON + timedelta(hours=3)
    )  # published before, seen after
    (story,) = list_stories(store, ArticleQuery())
    assert [article.native_id for article in story] == ["a", "b"]
    (entry,) = maker.build([EntryRequest(article=story[0])])
    assert entry.anchor == "mfa:b:ru"
    assert [other.id for other in entry.others] == ["mfa:b:ru"]
    save_article(
        store,
        replace(story[0], url="https://mfa.example/moved", verdict=Verdict.UNCHANGED),
        at=NOON + timedelta(days=1),
    )
    (again,) = maker.build([EntryRequest(article=list_stories(store, ArticleQuery())[0][0])])
    assert (again.anchor, again.url) == ("mfa:b:ru", "https://mfa.example/moved")
    (alone,) = maker.build([EntryRequest(article=story[0], with_related=False)])
    assert alone.others == ()


def test_words_beyond_the_share_are_not_named(store: Store) -> None:
    body = " ".join(f"слово{at:02}" for at in range(50)) + "."
    matches = tuple(
        Match(
            rule="r",
            term="t",
            surface=word,
            field="body",
            start=body.index(word),
            end=body.index(word) + 7,
            sentence="",
        )
        for word in body.rstrip(".").split()
    )
    save_article(store, make_matched_article("m", body, matches=matches, title="Заголовок"))
    (article,) = list_articles(store, ArticleQuery())
    (entry,) = EntryBuilder(Config(), store).build([EntryRequest(article=article)])
    shown = {word for piece in entry.excerpt.pieces for word in piece.text.split()}
    shown |= {found.surface for found in entry.matches if found.surface}
    assert shown
    assert sum(len(word) for word in shown) <= 0.3 * len(body)


@pytest.mark.parametrize(
    ("times", "number"),
    [
        ({"until": NOON}, 0),
        ({"until": NOON + timedelta(hours=1)}, 1),
        ({"since": NOON}, 1),
        ({"since": NOON + timedelta(hours=1)}, 0),
    ],
)
def test_an_article_without_a_date_counts_by_first_sight(store: Store, times: dict[str, datetime], number: int) -> None:
    save_article(store, make_matched_article("1", PRESIDENT, published_at=None, fetched_at=None), at=NOON)
    wanted = ArticleQuery(**times)  # type: ignore[arg-type]
    assert len(list(list_articles(store, wanted))) == number
    assert len(list_stories(store, wanted)) == number
