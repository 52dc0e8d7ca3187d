"""Test the comparison of two texts: edits of one text, quoted passages, stories, and symmetry."""

from __future__ import annotations

import random
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.edited_texts import BOILERPLATE, EDITS, make_release, replace_lead

from crawler.similarity.comparison import SimilarityType, are_one_text, compare_documents, decide_relation
from crawler.similarity.documents import Document, make_document
from crawler.similarity.shingles import limit_shared_shingles, segment_text

ROOT = Path(__file__).parents[2]
DAY = date(2026, 3, 6)
PRESIDENT = (
    "Астана. Президент Казахстана принял главу Всемирного союза пасечников Ингрид Лундквист. Касым-Жомарт Токаев "
    "рассказал гостье о мёде с Алтая. Собеседники обсудили выставку в Иордании и 14 совместных пасек."
)
DEPUTY = (
    "Астана. Заместитель министра иностранных дел Ержан Ашикбаев встретился с главой Всемирного союза пасечников "
    "Ингрид Лундквист. Стороны обсудили выставку в Иордании и 14 совместных пасек."
)
ENGLISH = (
    "Kassym-Jomart Tokayev, President of Kazakhstan, received Ingrid Lundqvist, head of the World Union of Beekeepers. "
    "They spoke of an exhibition in Jordan and of 14 joint apiaries."
)


@pytest.mark.parametrize(
    "sentences", [pytest.param(4, marks=pytest.mark.slow), 8, pytest.param(20, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("kind", EDITS)
def test_edited_text_is_a_near_duplicate(kind: str, sentences: int) -> None:
    edit, needed = EDITS[kind]
    found = 0
    for seed in range(60):
        rng = random.Random(f"{kind} {sentences} {seed}")
        text = make_release(rng, sentences)
        found += compare_documents(make_document(text), make_document(edit(text, rng))).relation.is_one_text
    assert found >= needed * 60


@pytest.mark.parametrize("sentences", [1, 2, 3])
@pytest.mark.parametrize("published", [None, DAY])
def test_short_releases_that_quote_one_passage_are_not_one_text(sentences: int, published: date | None) -> None:
    assert len(BOILERPLATE) >= 560
    rng = random.Random(sentences)
    texts = [make_document(f"{make_release(rng, sentences)}\n{BOILERPLATE}", published=published) for _ in range(16)]
    assert not any(compare_documents(a, b).relation.is_one_text for a, b in combinations(texts, 2))


def test_boilerplate_does_not_count() -> None:
    a, b = (make_document(f"Короткая новость номер {n}.\n{BOILERPLATE}") for n in ("один", "девять"))
    found = compare_documents(a, b, segment_text(BOILERPLATE).passages)
    assert compare_documents(a, b).relation is SimilarityType.NEAR_DUPLICATE
    assert found.relation is SimilarityType.DIFFERENT
    assert len(found.ignored) == 5


def test_the_same_words_are_the_same_text() -> None:
    found = compare_documents(make_document("«Красный Крест» — помощь."), make_document("Красный крест\n\nПОМОЩЬ"))
    assert found.relation is SimilarityType.EXACT


def test_two_meetings_of_one_guest_on_one_day_are_two_stories() -> None:
    found = compare_documents(make_document(PRESIDENT, published=DAY), make_document(DEPUTY, published=DAY))
    assert found.relation is SimilarityType.DIFFERENT
    assert found.contradiction == "different hosts: deputy minister and head of state"


def test_one_meeting_in_two_languages_is_one_story() -> None:
    found = compare_documents(make_document(PRESIDENT, published=DAY), make_document(ENGLISH, published=DAY))
    assert found.relation is SimilarityType.SAME_STORY
    assert {"lndkvst", "14", "jordan"} <= set(found.common)


def test_the_same_news_a_week_later_is_another_story() -> None:
    found = compare_documents(
        make_document(PRESIDENT, published=DAY), make_document(ENGLISH, published=date(2026, 3, 13))
    )
    assert (found.relation, found.contradiction) == (SimilarityType.DIFFERENT, "7 days apart")


def test_the_language_versions_of_one_release_are_one_story() -> None:
    a = make_document("Совсем другие слова стоят здесь.", release_id="gov.kz/1")
    b = make_document("Мүлдем бөлек мәтін тұр мұнда.", release_id="gov.kz/1")
    assert compare_documents(a, b).relation is SimilarityType.SAME_STORY


def test_the_two_documents_with_one_background_passage_are_different() -> None:
    files = ("snapshots/mfa/000_efeb8921cb83161c.txt", "snapshots/qazmonitor/004_e20d83a56e785f98.txt")
    a, b = (make_document((ROOT / file).read_text(encoding="utf-8")) for file in files)
    assert compare_documents(a, b).relation is SimilarityType.DIFFERENT


TEXTS = st.lists(
    st.sampled_from(
        [PRESIDENT, DEPUTY, ENGLISH, BOILERPLATE, "Токаев.", "14 пасек в Иордании.", "first", "третий раунд"]
    ),
    max_size=4,
).map("\n".join)
DAYS = st.none() | st.dates(date(2026, 3, 1), date(2026, 3, 8))


@given(TEXTS | st.text(max_size=200), TEXTS | st.text(max_size=200), DAYS, DAYS)
def test_comparison_is_symmetric(one: str, other: str, day: date | None, its: date | None) -> None:
    a, b = make_document(one, published=day), make_document(other, published=its)
    found, back = compare_documents(a, b), compare_documents(b, a)
    assert (found.relation, found.scores, found.contradiction) == (back.relation, back.scores, back.contradiction)
    assert compare_documents(a, b) == found


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_comparison_of_edits_is_symmetric(seed: int) -> None:
    rng = random.Random(seed)
    text = make_release(rng, rng.randint(1, 6)) + rng.choice(["", "\n" + BOILERPLATE])
    edit = rng.choice([replace_lead, *(edit for edit, _ in EDITS.values())])
    a, b = make_document(text, published=DAY), make_document(edit(text, rng), published=DAY)
    assert compare_documents(a, b).relation == compare_documents(b, a).relation


def make_pair(seed: int) -> tuple[Document, Document, frozenset[int]]:
    """Return two documents, of which one is often an edit of the other, and some of their passages."""
    rng = random.Random(seed)
    text = rng.choice([PRESIDENT, ENGLISH, make_release(rng, rng.randint(1, 6))]) + rng.choice(["", f"\n{BOILERPLATE}"])
    edit = rng.choice([replace_lead, *(edit for edit, _ in EDITS.values())])
    other = rng.choice([edit(text, rng), DEPUTY, f"{make_release(rng, 2)}\n{BOILERPLATE}"])
    a, b = make_document(text, published=DAY, title=text[:40]), make_document(other, published=DAY)
    ignored = frozenset(key for key in a.text.passages | b.text.passages if rng.random() < 0.4)
    return a, b, ignored


@given(st.integers(0, 10**6))
def test_decision_is_that_of_the_whole_comparison(seed: int) -> None:
    a, b, ignored = make_pair(seed)
    for boilerplate in (frozenset(), ignored):
        found, decision = compare_documents(a, b, boilerplate), decide_relation(a, b, boilerplate)
        assert (decision.relation, decision.contradiction) == (found.relation, found.contradiction)
        assert decision.is_one_release == found.is_one_release
        assert decision.score == found.scores.get("event", 0.0)
    assert are_one_text(a, b) == compare_documents(a, b).relation.is_one_text
    assert len(a.text.shingles & b.text.shingles) <= limit_shared_shingles(a.text, b.text)


@given(st.integers(0, 10**6))
def test_features_of_a_shortened_document_are_those_of_its_own_text(seed: int) -> None:
    known, _, ignored = make_pair(seed)
    new = make_pair(seed)[0]
    assert known.features.names is not None
    known, new = known.remove_passages(ignored), new.remove_passages(ignored)
    for name in ("names", "places", "numbers", "counts", "concepts"):
        assert getattr(known.features, name) == getattr(new.features, name)
        assert getattr(known.features.lead, name) == getattr(new.features.lead, name)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_result_does_not_depend_on_earlier_comparisons(seed: int) -> None:
    a, b, ignored = make_pair(seed)
    for boilerplate in (ignored, frozenset(sorted(ignored)[:1]), frozenset(), ignored):
        assert compare_documents(a, b, boilerplate) == compare_documents(*make_pair(seed)[:2], boilerplate)


def test_document_is_shortened_once_for_the_same_passages() -> None:
    document = make_document(f"{PRESIDENT}\n{BOILERPLATE}")
    passages = segment_text(BOILERPLATE).passages
    assert document.remove_passages(passages) is document.remove_passages({*passages, 1})
    assert document.remove_passages({1}) is document
