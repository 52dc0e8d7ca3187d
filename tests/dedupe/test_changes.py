"""What an edit is, in three languages: kinds, severity, and that no edit is lost or invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.dedupe.alignment import Fate, align, apply, split
from crawler.dedupe.changes import Kind, Severity, between, between_texts
from crawler.items import Article, Verdict

ARTICLE = Article(
    id="mfa:1:en",
    source="mfa",
    url="https://mfa.example/1",
    title="Minister receives the delegation",
    lead=None,
    body="The minister received Ms Spoljaric in Astana. They spoke about 12 projects.\nThe talks were long.",
    verdict=Verdict.NEW,
    version=1,
)

# old, new, the kinds that must be found (and no others)
EDITS = [
    ("They helped 12 people in the town.", "They helped 15 people in the town.", {Kind.FIGURES}),
    ("Помощь получили 1 200 семей региона.", "Помощь получили 1 500 семей региона.", {Kind.FIGURES}),
    ("Погибли двое жителей этого города.", "Погибли трое жителей этого города.", {Kind.FIGURES}),
    ("Бюджет составил 5 млн тенге в год.", "Бюджет составил 5 млрд тенге в год.", {Kind.FIGURES}),
    ("Көмекті үш отбасы алды деп жазды.", "Көмекті бес отбасы алды деп жазды.", {Kind.FIGURES}),
    ("They met on 6 March 2026 in the city.", "They met on 7 March 2026 in the city.", {Kind.DATES}),
    ("Встреча прошла 6 марта в столице.", "Встреча прошла 6 апреля в столице.", {Kind.DATES}),
    ("Встреча прошла в пятницу в столице.", "Встреча прошла в субботу в столице.", {Kind.DATES}),
    ("Кездесу 2026 жылғы 6 наурызда өтті.", "Кездесу 2026 жылғы 9 наурызда өтті.", {Kind.DATES}),
    ("Кездесу бүгін елордада өтті деп жазды.", "Кездесу ертең елордада өтті деп жазды.", {Kind.DATES}),
    ("Talks with Kairat Umarov went on.", "Talks with Murat Umarov went on.", {Kind.NAMES}),
    ("На встрече был посол Иванов из Москвы.", "На встрече был посол Петров из Москвы.", {Kind.NAMES}),
    ("Кездесуде елші Тілеуберді сөз сөйледі.", "Кездесуде елші Смайылов сөз сөйледі.", {Kind.NAMES}),
    ("The treaty will be signed by them.", "The treaty will not be signed by them.", {Kind.NEGATION}),
    ("They could go to the border then.", "They couldn't go to the border then.", {Kind.NEGATION}),
    ("Договор был подписан обеими сторонами.", "Договор не был подписан обеими сторонами.", {Kind.NEGATION}),
    ("Пострадавшие есть среди мирных жителей.", "Пострадавших нет среди мирных жителей.", {Kind.NEGATION}),
    ("Делегация елордаға кеше кешке келді.", "Делегация елордаға кеше кешке келмеді.", {Kind.NEGATION}),
    ("Бұл ресми құжат болып саналады екен.", "Бұл ресми құжат емес болып саналады екен.", {Kind.NEGATION}),
    ("The ministry confirmed the long visit.", "The ministry denied the long visit.", {Kind.ATTRIBUTION}),
    ("По данным полиции, пожар потушен там.", "Якобы по версии полиции, пожар потушен там.", {Kind.ATTRIBUTION}),
    ("Министрлік бұл сапарды ресми растады.", "Министрлік бұл сапарды ресми мәлімдеді.", {Kind.ATTRIBUTION}),
    ("The talks were long and useful to all.", "The talks were short and useful to all.", {Kind.WORDING}),
    ("Переговоры были долгими и полезными.", "Переговоры были короткими и полезными.", {Kind.WORDING}),
    ("Вчера в Астане слушали речь посла Иванова.", "Вчера в Астане слушали, что посол Иванов скажет.", {Kind.WORDING}),
    ("Глава МККК Мирьяна Сполярич прибыла вчера.", "Президент МККК Мирьяна Сполярич прибыла вчера.", {Kind.WORDING}),
    ("The talks, long and useful, went on.", "The talks - long and useful - went on.", {Kind.FORM}),
    ("Министр принял делегацию и гостей.", "Министр принял Делегацию и гостей!", {Kind.FORM, Kind.NAMES}),
    ("В мае прошло 3 встречи по проекту.", "В мае прошло три встречи по проекту.", {Kind.WORDING}),
    ("Budget of 1,000,000 tenge was set.", "Budget of 1 000 000 tenge was set.", {Kind.FORM}),
]


@pytest.mark.parametrize(("old", "new", "kinds"), EDITS)
def test_an_edit_is_named(old: str, new: str, kinds: set[Kind]) -> None:
    found = between_texts(
        f"First words stay here. {old} Last words stay.", f"First words stay here. {new} Last words stay."
    )
    assert found.kinds == kinds or (Kind.FORM in kinds and found.kinds <= kinds)
    assert [edit.sentence.fate for edit in found.changed] == [Fate.EDITED]
    assert found.severity is {Kind.FORM: Severity.COSMETIC, Kind.WORDING: Severity.EDITORIAL}.get(
        next(iter(found.kinds)), Severity.SUBSTANTIVE
    )


def test_words_are_marked_inside_their_sentence() -> None:
    (edit,) = between_texts("They helped 12 people.", "They helped 15 people.").changed
    assert [(part.mark, part.text) for part in edit.sentence.parts] == [
        ("same", "They helped "),
        ("removed", "12"),
        ("added", "15"),
        ("same", " people."),
    ]
    assert edit.reason == "figures: 12 → 15"


def test_sentences_added_removed_and_moved() -> None:
    one, two, three = (
        "The first sentence stands here. ",
        "The second one follows it now. ",
        "A third is the last of all. ",
    )
    assert between_texts(one + three, one + two + three).kinds == {Kind.ADDED}
    assert between_texts(one + two + three, one + three).kinds == {Kind.REMOVED}
    moved = between_texts(one + two + three, two + three + one)
    assert (moved.kinds, moved.severity) == ({Kind.MOVED}, Severity.EDITORIAL)
    assert between_texts(one + two, one + two.rstrip()).severity is Severity.NONE
    assert between_texts(one + two, one + "\n" + two).severity is Severity.COSMETIC


def test_title_and_lead_are_named() -> None:
    title = between(ARTICLE, replace(ARTICLE, title="Minister meets the delegation"))
    assert (title.kinds, title.severity) == ({Kind.TITLE, Kind.WORDING}, Severity.EDITORIAL)
    assert title.reason == "title: other words"
    lead = between(ARTICLE, replace(ARTICLE, lead="They agreed on 12 further steps"))
    assert (lead.kinds, lead.severity) == ({Kind.LEAD, Kind.ADDED}, Severity.SUBSTANTIVE)


def test_headlines_in_capitals_claim_no_names() -> None:
    old = "Kazakh Diplomats Discuss Future Cooperation Plans"
    found = between(replace(ARTICLE, title=old), replace(ARTICLE, title=old.replace("Future", "Further")))
    assert found.kinds == {Kind.TITLE, Kind.WORDING}


def test_a_page_taken_away_and_back_is_substantive() -> None:
    gone = replace(ARTICLE, verdict=Verdict.UNPUBLISHED, version=2)
    assert (between(ARTICLE, gone).kinds, between(ARTICLE, gone).severity) == (
        {Kind.UNPUBLISHED},
        Severity.SUBSTANTIVE,
    )
    assert between(gone, ARTICLE).kinds == {Kind.REPUBLISHED}


def test_dates_and_attribution_of_the_page_count() -> None:
    day = datetime(2026, 3, 6, tzinfo=UTC)
    found = between(replace(ARTICLE, published_at=day), replace(ARTICLE, published_at=day.replace(day=5)))
    assert found.kinds == {Kind.DATES}
    assert between(ARTICLE, replace(ARTICLE, attribution="МИД РК")).kinds == {Kind.ATTRIBUTION}


def test_the_reason_counts_what_repeats() -> None:
    old = "".join(f"Sentence number {word} is about the garden there. " for word in ("ones", "twos", "tens"))
    found = between_texts(old + "They stay.", "They stay.")
    assert found.reason == "a sentence removed (3 times)"


def test_a_long_sentence_stays_whole_so_an_edit_at_its_beginning_moves_nothing() -> None:
    guests = ", ".join(f"господин Иванов{'аеиоу'[number % 5] * (number // 5)}" for number in range(80))
    old = f"В зале были {guests} и другие гости. Потом все ушли домой."
    assert [len(each) > 600 for each in split(old)] == [True, False]
    (edit,) = between_texts(old, old.replace("В зале были", "В большом зале вчера были")).changed
    assert edit.kinds == (Kind.DATES,)
    assert [part.text.strip() for part in edit.sentence.parts if part.mark != "same"] == ["большом", "вчера"]


def test_texts_without_an_end_of_a_sentence_are_compared_in_bounded_time() -> None:
    old = " ".join(f"слово{number % 7} " for number in range(1900))
    new = old.replace("слово3", "дело", 300)
    assert apply(old, align(old, new)) == new


def test_a_new_text_of_thousands_of_sentences_is_compared_too() -> None:
    old = "".join(f"The line {number} of the old text says so. " for number in range(400))
    new = "".join(f"Another row with number {number} stands in it. " for number in range(400))
    found = align(old + "Both have this.", new + "Both have this.")
    assert apply(old + "Both have this.", found) == new + "Both have this."


SENTENCES = st.sampled_from(
    """The minister met 12 people.|The minister met 15 people.|He did not agree.|He agreed.|Встреча прошла 6 марта.
|Встреча не прошла 7 марта.|Делегация келмеді.|Делегация келді.|«Да», — сообщил Иванов.|"Да" - заявил Петров!|x|... |
|По словам А. Б. Иванова, г. Алматы растёт.|According to Ms. Smith, U.N. staff left.|Ok""".split("|")
)
TEXTS = st.one_of(
    st.lists(st.tuples(SENTENCES, st.sampled_from([" ", "\n", "  ", "\n\n"])), max_size=9).map(
        lambda pairs: "".join(sentence + gap for sentence, gap in pairs)
    ),
    st.text(max_size=60),
)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
@example("a.\n", "a. ")
def test_the_diff_makes_the_new_text_and_is_the_same_both_ways(old: str, new: str) -> None:
    there, back = between_texts(old, new), between_texts(new, old)
    assert apply(old, there.sentences("body")) == new
    assert "".join(sentence.old for sentence in there.sentences("body")) == old
    swapped = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}
    assert there.kinds == {swapped.get(kind, kind) for kind in back.kinds}
    assert there.severity is back.severity


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_a_text_has_no_change_against_itself(text: str) -> None:
    found = between_texts(text, text)
    assert (found.changed, found.severity) == ((), Severity.NONE)
    assert "".join(split(text)) == text


def test_an_alignment_of_another_text_is_refused() -> None:
    with pytest.raises(ValueError, match="has no"):
        apply("Something else.", align("One.", "Two."))
    with pytest.raises(ValueError, match="goes on"):
        apply("One. And more.", align("One.", "Two."))
