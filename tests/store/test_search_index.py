"""The full-text index: it has every stored version, whatever its text, and nothing else. Over both stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from store.conftest import NOON
from support.factories import make_article

from crawler.errors import StoreError
from crawler.items import Article, Match, Strength, Verdict
from crawler.keywords.index_query import MARKS, make_index_query
from crawler.keywords.query import And
from crawler.keywords.search_query import SearchedState, interpret_query
from crawler.store import Store, open_store, search, search_index, search_lookup
from crawler.store.search import SearchConditions
from crawler.store.search_index import NUMBERS_PER_MINUTE, UNORDERED_ENTRY, fold_fields, list_facets, list_words
from crawler.store.statements import IndexScanQuery

Save = Callable[..., int]


def find(store: Store, query: str, **conditions: Any) -> list[tuple[str, int]]:
    """Return native id and version of what the index finds, in its order."""
    node = make_index_query(interpret_query(query).node, store.search.list_words).node
    found = store.search.iter_newest(node, SearchConditions(**conditions))
    return [(entry.article.native_id, entry.version) for entry in found]


def make_revision(first: Article, body: str, version: int = 2, **values: Any) -> Article:
    return make_article(first.native_id, body=body, version=version, verdict=Verdict.REVISED, **values)


def test_saved_versions_are_found_the_newest_article_first(store: Store, save: Save) -> None:
    for number, days in (("1", 0), ("2", 5), ("3", 2)):
        save(make_article(number, body=f"Визит делегации {number}", published_at=NOON + timedelta(days=days)))
    save(make_revision(make_article("3"), "Визит делегации отменён", published_at=NOON + timedelta(days=2)))
    assert find(store, "визит") == [("2", 1), ("3", 2), ("3", 1), ("1", 1)]
    assert find(store, "отменён") == [("3", 2)]
    assert find(store, "визит", states=frozenset({SearchedState.SUPERSEDED})) == [("3", 1)]
    assert find(store, "визит", states=frozenset({SearchedState.CURRENT})) == [("2", 1), ("3", 2), ("1", 1)]
    assert find(store, "визит", states=frozenset({SearchedState.REVISED})) == [("3", 2), ("3", 1)]


def test_unchanged_text_adds_no_entry(store: Store, save: Save) -> None:
    first = make_article(body="Визит делегации")
    save(first)
    save(make_article(body="Визит делегации", verdict=Verdict.UNCHANGED))
    save(first)
    assert find(store, "визит") == [("1", 1)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title:visit", ["1"]),
        ("body:visit", ["2"]),
        ("lead:visit", ["3"]),
        ("visit", ["3", "2", "1"]),
        ('"final visit"', []),
        ("title:(visit OR office) office", []),
        ("-title:visit visit", ["3", "2"]),
        ("lang:kk", ["3"]),
        ("source:mfa visit", ["3", "2"]),
        ("source:none visit", []),
        ("vis*", ["3", "2", "1"]),
        ("lang:en OR lead:visit", ["3", "1"]),
        ("nothing", []),
        ("NOT visit", []),
        ("NOT lang:ru", ["3", "1"]),
        ("source* OR any* OR lang* OR date*", []),
        ('"source mfa" OR any OR "lang kk"', []),
    ],
)
def test_fields_and_facets(store: Store, save: Save, query: str, expected: list[str]) -> None:
    save(make_article("1", source="ktkz", language="en", title="A visit", body="Text"), seen_at=NOON)
    save(make_article("2", title="The final", body="Visit"), seen_at=NOON + timedelta(hours=1))
    save(make_article("3", language="kk", lead="A visit", body="Text"), seen_at=NOON + timedelta(hours=2))
    assert [number for number, _ in find(store, query)] == expected


@given(st.text())
def test_no_word_of_a_text_has_the_colon_of_a_facet(text: str) -> None:
    assert not any(":" in word for word in list_words(fold_fields({"body": text})))
    marks = *list_facets(text, text, NOON), UNORDERED_ENTRY
    assert all(":" in mark and mark.startswith(MARKS) for mark in marks)


def test_conditions_on_time_rule_and_page(store: Store, save: Save) -> None:
    match = Match(rule="ihl", term="t", surface="t", field="body", start=0, end=1, sentence="t")
    weak = Match(rule="ihl", term="t", surface="t", field="body", start=0, end=1, sentence="t", strength=Strength.WEAK)
    save(make_article("1", body="word", matches=(match,), published_at=NOON))
    save(make_article("2", body="word", matches=(weak,), published_at=NOON + timedelta(seconds=30)))
    save(make_article("3", body="word", published_at=NOON + timedelta(days=1)))
    save(make_article("3", body="word", published_at=NOON + timedelta(days=1), version=2, verdict=Verdict.UNPUBLISHED))
    assert find(store, "word", rules=("ihl",)) == [("1", 1)]
    assert find(store, "word", states=frozenset({SearchedState.UNPUBLISHED})) == [("3", 2), ("3", 1)]
    assert {number for number, _ in find(store, "word", since=NOON + timedelta(seconds=10))} == {"2", "3"}
    assert {number for number, _ in find(store, "word", until=NOON + timedelta(seconds=10))} == {"1"}
    assert find(store, "word", since=NOON + timedelta(days=2)) == []


def test_time_counts_where_a_number_is_one_of_the_next_minute(
    store: Store, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute_number = search_index.compute_number
    monkeypatch.setattr(search_index, "compute_number", lambda *values: compute_number(*values) + NUMBERS_PER_MINUTE)
    for number, seconds in (("1", -1), ("2", 0), ("3", 59), ("4", 600)):
        save(make_article(number, body="word", published_at=NOON + timedelta(seconds=seconds)))
    for conditions, expected in (({"since": NOON}, {"2", "3", "4"}), ({"until": NOON}, {"1"})):
        assert {number for number, _ in find(store, "word", **conditions)} == expected
        node = make_index_query(interpret_query("word").node, store.search.list_words).node
        count = store.search.count_articles(node, SearchConditions(**conditions))
        assert count == (len(expected), True)


def test_corrected_date_moves_the_article(store: Store, save: Save) -> None:
    save(make_article("1", body="word one", published_at=NOON))
    save(make_revision(make_article("1"), "word two", published_at=NOON))
    save(make_article("2", body="word", published_at=NOON + timedelta(hours=1)))
    for hours in (2, 0, 2):  # there and back: a number that was used once is not used again
        later = NOON + timedelta(hours=hours)
        save(
            make_article("1", body="word two", published_at=later, version=2, verdict=Verdict.UNCHANGED),
            seen_at=NOON + timedelta(days=1),
        )
    assert find(store, "word") == [("1", 2), ("1", 1), ("2", 1)]
    assert find(store, "one") == [("1", 1)]
    save(make_revision(make_article("1"), "word three", 3, published_at=NOON))
    assert find(store, "word") == [("2", 1), ("1", 3), ("1", 2), ("1", 1)]


def test_failed_save_leaves_no_entry(store: Store, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr("crawler.store.article_writer.save_pending", fail)
    with pytest.raises(StoreError):
        save(make_article(body="Визит"))
    monkeypatch.undo()
    assert find(store, "визит") == []
    save(make_article(body="Приезд"))
    assert (find(store, "визит"), find(store, "приезд")) == ([], [("1", 1)])


def test_words_of_a_failed_save_are_listed_by_the_next_one(
    store: Store, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    save(make_article("1", body="Приезд"))
    monkeypatch.setattr("crawler.store.article_writer.save_pending", fail)
    with pytest.raises(StoreError):
        save(make_article("2", body="Визитами"))
    monkeypatch.undo()
    save(make_article("2", body="Визитами"))
    assert find(store, "визит") == [("2", 1)]
    assert list(store.integrity.check_index()) == []


def test_words_are_listed_again_after_another_process_emptied_the_index(url: str, store: Store, save: Save) -> None:
    save(make_article("1", body="Визитами"))
    with open_store(url) as other:
        other.search.reset()
    assert store.search.list_words([("визит", "визиу")]) == []
    save(make_article("2", body="Визитами"))
    assert find(store, "визит") == [("2", 1)]


def test_deleted_article_is_not_found(store: Store, save: Save) -> None:
    save(make_article("1", body="Визит"))
    with store.database.transaction() as connection:
        connection.execute(text("DELETE FROM articles"))
    assert find(store, "визит") == []
    save(make_article("1", body="Приезд"))
    assert (find(store, "визит"), find(store, "приезд")) == ([], [("1", 1)])


def test_articles_of_one_minute_have_numbers_of_their_own(
    store: Store, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "compute_number", lambda *_: 5)
    for number in range(20):
        save(make_article(str(number), body="Визит"))
    assert sorted(int(number) for number, _ in find(store, "визит")) == list(range(20))


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ("NUL \0 и суррогат \ud800 рядом", "суррогат рядом"),
        ("x" * 5000 + " конец", "x" * 5000),
        ("слово " * 70_000 + "итог", "слово итог"),
        (" ".join(f"слово{number}" for number in range(60_000)), "слово7"),
        ("漢字 и 𝒳 и ﬁ", "漢字"),
        ("МККК3 сообщает", "МККК"),
        ("О'Нил и AT&T — \"'\\ :*^{}", "AT&T"),
    ],
    ids=["broken", "long word", "many places", "many words", "scripts", "footnote", "marks"],
)
@pytest.mark.slow
def test_any_text_is_indexed(store: Store, save: Save, body: str, query: str) -> None:
    save(make_article("1", body=body), content_hash="1")
    save(make_article("2", body="другое"))
    assert find(store, query) == [("1", 1)]
    assert list(store.integrity.check_index()) == []


@pytest.mark.parametrize("query", ["12", "covid19", '"12 мая"', "x5", "1949", "a", '"covid19 a"', "covid19*"])
def test_word_with_numbers_is_found(store: Store, save: Save, query: str) -> None:
    save(make_article("1", body="12 мая 1949: covid19 a x5"))
    assert find(store, query) == [("1", 1)]


def test_phrase_in_a_very_long_text(store: Store, save: Save) -> None:
    body = "слово и дело " * 10_000 + "красный крест"
    save(make_article("1", body=body), content_hash="1")
    assert find(store, '"красный крест"') == [("1", 1)]
    assert find(store, '-"красный лев" слово') == [("1", 1)]


def test_reset_index_is_made_again_in_batches(store: Store, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "VERSIONS_PER_BATCH", 3)
    for number in range(8):
        save(make_article(str(number), body="Визит", published_at=NOON + timedelta(hours=number)))
    expected = find(store, "визит")
    assert not store.search.has_waiting()
    store.search.reset()
    assert store.search.has_waiting()
    assert (find(store, "визит"), store.search.get_state()) == ([], search.IndexState(0, 8))
    assert store.search.index_pending(lambda: True) == 3
    assert find(store, "визит") == expected[:3]  # the newest first
    save(make_article("9", body="Визит", published_at=NOON + timedelta(hours=9)))
    assert store.search.index_pending() == 5
    assert find(store, "визит") == [("9", 1), *expected]
    assert store.search.get_state() == search.IndexState(9, 0)


def test_index_of_another_folding_is_made_again(store: Store, save: Save) -> None:
    save(make_article("1", body="Визит"))
    with store.database.transaction() as connection:
        connection.execute(text("UPDATE search_state SET folding = 0"))
    assert store.search.has_waiting()
    assert store.search.index_pending() == 1
    assert not store.search.has_waiting()
    assert find(store, "визит") == [("1", 1)]


def test_counts_and_relevance(store: Store, save: Save) -> None:
    for number in range(5):
        save(make_article(str(number), body="Визит делегации. " + "Прочее. " * 50))
    save(make_article("6", title="Визит", body="Визит за визитом"))
    save(make_revision(make_article("6"), "Визит за визитом и визит"))
    node = make_index_query(interpret_query("визит").node, store.search.list_words).node
    assert store.search.count_articles(node) == (6, True)
    assert store.search.count_articles(node, SearchConditions(states=frozenset({SearchedState.SUPERSEDED}))) == (
        1,
        True,
    )
    ranked = [entry.article.native_id for entry in store.search.iter_most_relevant(node)]
    assert ranked[:2] == ["6", "6"]
    assert sorted(ranked[2:]) == ["0", "1", "2", "3", "4"]
    nothing = make_index_query(interpret_query("nowhere").node, store.search.list_words).node
    assert list(store.search.iter_most_relevant(nothing)) == []


def test_hits_of_a_state_are_ranked_once(store: Store, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        save(make_article(str(number), body="Визит делегации"))
    save(make_revision(make_article("3"), "Визит отменён"))
    node = make_index_query(interpret_query("визит").node, store.search.list_words).node
    index = store.search._index
    ranked: list[int] = []

    def rank_numbers(*values: Any) -> list[int]:
        found = rank(*values)
        ranked.append(len(found))
        return found

    rank = index.rank_numbers
    monkeypatch.setattr(index, "max_hits", 6)
    monkeypatch.setattr(index, "rank_numbers", rank_numbers)
    conditions = SearchConditions(states=frozenset({SearchedState.SUPERSEDED}))
    assert [entry.article.native_id for entry in store.search.iter_most_relevant(node, conditions)] == ["3"]
    assert ranked == [6]


def test_frequent_words_are_ranked_by_title_and_lead(store: Store, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_lookup, "MAX_WEIGHED", 2)
    texts = (
        ("Визит", "Лид"),
        ("Тема", "Визит и встреча"),
        ("Тема", "Лид"),
        ("Визит и встреча", "Лид"),
        ("Визит", "Лид"),
    )
    for number, (title, lead) in enumerate(texts):
        body = "Визит и встреча"
        save(make_article(str(number), title=title, lead=lead, body=body, published_at=NOON + timedelta(days=number)))
    node = make_index_query(interpret_query("визит -нет lang:ru").node, store.search.list_words).node
    ranked = [int(entry.article.native_id) for entry in store.search.iter_most_relevant(node)]
    assert ranked == [4, 3, 0, 1, 2]


def test_newest_of_many_days_months_and_years_are_found_in_order(
    store: Store, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_lookup, "MIN_WINDOW", 2)
    monkeypatch.setattr(search_lookup, "WINDOW_PER_HIT", 1)
    monkeypatch.setattr(search_lookup, "WINDOW_GROWTH", 2)
    monkeypatch.setattr(search, "NUMBERS_PER_READ", (2, 3))
    days = (0, 0, 1, 3, 40, 45, 100, 900, 901, 2000, 3000, 9000, 30_000)
    for number, age in enumerate(days):
        body = "Визит делегации" if number % 3 else "Визит"
        save(make_article(str(number), body=body, published_at=NOON - timedelta(days=age, minutes=number)))
    assert [int(number) for number, _ in find(store, "визит")] == list(range(len(days)))
    assert [int(number) for number, _ in find(store, "делегация")] == [1, 2, 4, 5, 7, 8, 10, 11]
    assert [int(number) for number, _ in find(store, "-делегация")] == [0, 3, 6, 9, 12]
    assert [int(number) for number, _ in find(store, "визит", until=NOON - timedelta(days=99))] == list(range(6, 13))


def test_everything_is_found_without_words(store: Store, save: Save) -> None:
    save(make_article("1"))
    assert [entry.article.native_id for entry in store.search.iter_newest(make_index_query(And(()), list).node)] == [
        "1"
    ]


@pytest.mark.slow
def test_words_are_read_while_another_process_writes(url: str, store: Store, save: Save) -> None:
    save(make_article("first", body="Женевада кездесу"))
    with open_store(url) as reader:
        for number in range(80):  # often enough for the database to merge what the reader has seen
            save(make_article(str(number), body=f"Женевада кездесу {number}"))
            assert len(find(reader, "kk:Женева kk:кездесу")) == number + 2


def test_planner_takes_an_index_for_the_query_alone(reused_postgres_url: str) -> None:
    plan, values = text("EXPLAIN SELECT number FROM search_entries WHERE number + 0 < :last"), {"last": 9}
    with open_store(reused_postgres_url) as store:
        for _ in range(2):
            assert "Seq Scan" in str(store.database.fetch_all(plan, values))
            assert "Seq Scan" not in str(store.database.fetch_all(IndexScanQuery(plan), values))
