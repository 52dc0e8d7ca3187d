"""Two hundred queries find the same in SQLite and PostgreSQL, in the same order: what the matcher confirms.

The expected articles are found without an index: the matcher reads every version of every article.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from store.conftest import NOON
from support.factories import make_article

from benchmarks.corpus import make_release, revise_release
from crawler.items import Article, Match, Verdict
from crawler.keywords import Matcher, load_rules
from crawler.keywords.index_query import MAX_PHRASE_WORDS
from crawler.keywords.matcher import QueryMatcher
from crawler.keywords.search_query import interpret_query, list_facets
from crawler.publish.search import ArticleSearch, find_articles_with_terms
from crawler.store import Store, open_store, search, search_lookup

COUNT = 45
QUERIES = 200
REAL_COUNT = 25
REAL_TEXTS = (
    "Делегация Международного Комитета Красного Креста (МККК2) посетила задержанных. Женева, 12 марта.",
    "Красный, как крест. Гуманитарная помощь и гуманитарное право; помощь гуманитарная.",
    "Халықаралық Қызыл Крест комитетінің өкілдері Женевада. Женева конвенциялары қолданылады.",
    "Halyqaralyq Qyzyl Krest komıteti gýmanıtarlyq kómek berdi.",
    "The Red Cross visited detainees; the ICRC visits a prison. Red-Cross staff said: Geneva first.",
    "The red flag and a cross. Staff of AT&T in Geneva.",
)
REAL_QUERIES = (
    *('"Красный Крест"', "Красный Крест", "МККК", "задержанные", "гуманитарный", "гуманитарный near/1 право", "=крест"),
    *('"гуманитарная помощь"', "Женева -задержанный", '"Қызыл Крест"', "конвенция", "Женева lang:kk", '"Красная, как"'),
    *('"Red Cross"', "visit", "detainee near/3 Red", '"Red Cross staff"', "AT&T", '"Крест МККК"', "крес*", "lang:kk"),
    *(
        "title:Женева",
        "body:Женева",
        "NOT lang:ru",
        "is:superseded",
        "is:revised lang:en",
        "is:unpublished",
        "rule:ihl",
    ),
    *("since:2026-03-10", "until:2026-03-10 -lang:kk", "source:mfa", "-(lang:ru OR lang:en)", "rule:ihl OR is:revised"),
    *('"Geneva first" OR "крест комитет"', "-rule:ihl", "is:current -is:revised", "комитет near/2 (крест OR женева)"),
)


def make_versions(number: int) -> Iterator[Article]:
    """Yield the versions of one article of the corpus. Each article has a minute of its own."""
    at = NOON + timedelta(hours=7 * number)
    match = Match(rule="ihl", term="t", surface="t", field="body", start=0, end=1, sentence="t")
    values = {"published_at": at, "matches": (match,) if number % 4 == 0 else ()}
    if number < len(REAL_TEXTS):
        language = ("ru", "ru", "kk", "kk", "en", "en")[number]
        yield make_article(str(number), body=REAL_TEXTS[number], language=language, **values)
        return
    releases = [make_release(number)]
    releases += [revise_release(releases[0])] if number % 5 == 0 else []
    for version, release in enumerate(releases, start=1):
        verdict = Verdict.NEW if version == 1 else Verdict.REVISED
        body = "\n".join(release.paragraphs)
        texts = {"title": release.title, "lead": release.lead, "body": body, "language": release.language}
        yield make_article(str(number), version=version, verdict=verdict, **texts, **values)
    if number % 9 == 0:
        last = make_article(str(number), **texts, **values)
        yield replace(last, version=len(releases) + 1, verdict=Verdict.UNPUBLISHED)


@cache
def list_corpus() -> list[list[Article]]:
    return [list(make_versions(number)) for number in range(COUNT)]


def make_queries() -> list[str]:
    """Return the queries: real ones, and random ones of the corpus's words."""
    chance = random.Random(14)
    words = sorted({word.strip(".,") for versions in list_corpus() for word in versions[0].body.split()})
    made: list[str] = []
    while len(made) + len(REAL_QUERIES) < QUERIES:
        text = chance.choice(list_corpus())[0].body.replace("\n", " ").split()
        at = chance.randrange(len(text) - 4)
        phrase = " ".join(text[at : at + 3])
        one, two = chance.sample(words, 2)
        common = chance.choice(text)
        shapes = (
            *(one, f"{one} OR {two}", f"{common} {text[at]}", f'"{phrase}"', f"{common} -{text[at]}"),
            *(f"{common[:4]}*", f"title:{common}", f"{text[at]} near/3 {text[at + 2]}", f"lang:ru {common}"),
            f"={common}",
        )
        made.append(chance.choice(shapes))
    return [*REAL_QUERIES, *made]


def find_without_index(query: str) -> list[str]:
    """Return the native ids that the matcher finds, the newest first."""
    node = interpret_query(query).node
    matcher, facets, found = QueryMatcher(node), list_facets(node), []
    for versions in reversed(list_corpus()):
        for article in versions:
            held = {(facet.name, facet.value) for facet in facets if holds(facet.name, facet.value, article, versions)}
            is_fulfilled = matcher.is_fulfilled(article.texts, held)
            assert is_fulfilled == (matcher.find_places(article.texts, held) is not None)
            if is_fulfilled:
                found.append(article.native_id)
                break
    return found


def holds(name: str, value: str, article: Article, versions: list[Article]) -> bool:
    assert article.published_at is not None
    if name in ("since", "until"):
        return (article.published_at >= datetime.fromisoformat(value).replace(tzinfo=UTC)) == (name == "since")
    is_current = article.version == versions[-1].version
    return {
        "lang": article.language == value,
        "source": article.source == value,
        "rule": any(match.rule == value for match in article.matches),
        "is": {
            "superseded": not is_current,
            "current": is_current,
            "revised": any(each.verdict is Verdict.REVISED for each in versions),
            "unpublished": versions[-1].verdict is Verdict.UNPUBLISHED,
        }.get(value, False),
    }[name]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with the corpus, in the order of days backwards, as a first crawl stores it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('search')}/crawler.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres_url")
    with open_store(url) as store:
        for versions in reversed(list_corpus()):
            for article in versions:
                key = f"{article.id} {article.version}"
                store.articles.save(article, content_hash=key, run_id=None, seen_at=NOON)
        yield store


@pytest.mark.parametrize("start", range(0, QUERIES, 40))
@pytest.mark.slow
def test_queries_find_what_the_matcher_confirms_in_the_order_of_dates(filled: Store, start: int) -> None:
    queries = make_queries()[start : start + 40]
    expected = {query: find_without_index(query) for query in queries}
    found = {
        query: [hit.article.native_id for hit in ArticleSearch(filled, query, UTC, now=NOON).iter_hits()]
        for query in queries
    }
    assert found == expected
    if start == 0:
        assert sum(bool(each) for each in expected.values()) > 30, "the queries must find something"


@pytest.mark.slow
def test_exact_counts_are_those_of_the_hits(filled: Store) -> None:
    counted = 0
    for query in make_queries()[:REAL_COUNT]:
        search = ArticleSearch(filled, query, UTC, now=NOON)
        hits = [hit.article.id for hit in search.iter_hits()]
        count = search.count_articles()
        assert count.is_complete
        assert count.articles == len(hits) if search.is_count_exact else count.articles >= len(hits), query
        counted += search.is_count_exact
        assert sorted(hit.article.id for hit in search.iter_hits(by_relevance=True)) == sorted(hits), query
    assert counted > REAL_COUNT // 2


def test_relevance_is_read_in_two_parts(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def list_ids() -> list[tuple[str, tuple[int, ...]]]:
        hits = ArticleSearch(filled, "комитет OR committee", UTC).iter_hits(by_relevance=True)
        return [(hit.article.id, hit.versions) for hit in hits]

    at_once = list_ids()
    assert len(at_once) > 4
    monkeypatch.setattr("crawler.store.search.FIRST_RANKED", 3)
    assert list_ids() == at_once


def test_windows_and_steps_of_any_size_find_the_same(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL looks at windows of the newest days, and reads the vectors of a phrase's candidates step by step."""
    nodes = [(query, ArticleSearch(filled, query, UTC, now=NOON)._index_query.node) for query in make_queries()[::3]]
    expected = {query: [entry.number for entry in filled.search.iter_newest(node)] for query, node in nodes}
    for name, value in {"MIN_WINDOW": 2, "WINDOW_PER_HIT": 0, "CHECKED_PER_HIT": 1, "MAX_CANDIDATES": 3}.items():
        monkeypatch.setattr(search_lookup, name, value)
    monkeypatch.setattr(search, "NUMBERS_PER_READ", (2,))
    assert {query: [entry.number for entry in filled.search.iter_newest(node)] for query, node in nodes} == expected
    assert sum(map(len, expected.values())) > 100


HOSTILE_QUERIES = (
    *("' OR 1=1 --", '"" NEAR(a b)', "title : x", "rowid:1", "{title}:x", "a ^ b", "x" * 10_000, "(" * 5000 + "x"),
    *("\0\ud800", "'a':*", "!a & b | c <-> d", "a\\", 'facets:"any:"', "a + b", "%s %(x)s :x ?", "-*", "NOT"),
    *("é ß ǆ 漢字", "x y " * 2500, '"' + "слово " * 600 + '"', "слово* " * 1400, "комитеті " * 1000),
    *(
        '"' + "красная " * 1200 + '"',
        "'; DROP TABLE articles; --",
        "\x01 visit \x1f \u202e visit",
        "-" * 10_000,
        "a OR " * 2000,
    ),
)


@pytest.mark.parametrize("query", HOSTILE_QUERIES)
def test_hostile_queries_are_answered(filled: Store, query: str) -> None:
    search = ArticleSearch(filled, query, UTC)
    list(search.iter_hits())
    list(search.iter_hits(by_relevance=True))
    search.count_articles()


def test_phrase_longer_than_the_index_is_asked_for_is_confirmed(filled: Store) -> None:
    article = max((versions[-1] for versions in list_corpus()), key=lambda each: len(each.body.split()))
    words = article.body.split()
    assert len(words) > MAX_PHRASE_WORDS + 1
    phrase = " ".join(words[: MAX_PHRASE_WORDS + 2])
    found = [hit.article.id for hit in ArticleSearch(filled, f'="{phrase}"', UTC).iter_hits()]
    other = f"{phrase.rpartition(' ')[0]} unrelated"
    assert found == [article.id]
    assert list(ArticleSearch(filled, f'="{other}"', UTC).iter_hits()) == []
    assert article.id in {hit.article.id for hit in ArticleSearch(filled, f'-"{other}"', UTC).iter_hits()}


def test_hit_names_the_versions_that_have_the_words(filled: Store) -> None:
    versions = next(each for each in list_corpus() if len(each) == 2 and each[1].verdict is Verdict.REVISED)
    first, second = (set(each.body.split()) for each in versions)
    gone, kept = sorted(first - second, key=len)[-1].strip(".,"), sorted(first & second, key=len)[-1].strip(".,")
    hits = {hit.article.id: hit for hit in ArticleSearch(filled, f"={gone}", UTC).iter_hits()}
    hit = hits[versions[0].id]
    assert (hit.article.version, hit.versions, hit.current_version, hit.is_current) == (1, (1,), 2, False)
    hits = {hit.article.id: hit for hit in ArticleSearch(filled, f"={kept}", UTC).iter_hits()}
    hit = hits[versions[0].id]
    assert (hit.article.version, hit.versions, hit.is_current) == (2, (1, 2), True)


@pytest.mark.slow
def test_rules_match_nothing_that_the_index_does_not_find(filled: Store) -> None:
    matcher = Matcher(load_rules())
    newest = [versions[-1] for versions in reversed(list_corpus())]
    expected = {article.id for article in newest if matcher.find_matches(article.texts, article.language, "mfa")}
    found = [article.id for article in find_articles_with_terms(filled, [matcher])]
    assert expected <= set(found)
    assert len(expected) > 3
    assert len(found) < COUNT / 2
    assert found == [article.id for article in newest if article.id in found]
    later = [article.id for article in find_articles_with_terms(filled, [matcher], NOON + timedelta(days=2))]
    assert 0 < len(later) < len(found)
