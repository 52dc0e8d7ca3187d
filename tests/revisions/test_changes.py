"""Test the diff of two versions in three languages: kinds, severity, and that no text is lost or invented."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.items import Article, Verdict
from crawler.revisions.alignment import AlignedSentence, AlignmentType, align_texts
from crawler.revisions.changes import diff_articles
from crawler.revisions.kinds import ChangeKind, Severity
from crawler.revisions.revision_diff import RevisionDiff
from crawler.text.sentences import split_into_sentences

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


def diff_bodies(old: str, new: str) -> RevisionDiff:
    """Return what changed between two bodies."""
    article = replace(ARTICLE, title=None)
    return diff_articles(replace(article, body=old), replace(article, body=new))


def apply_alignment(old: str, sentences: Iterable[AlignedSentence]) -> str:
    """Return the new text, made from the old one. Raise ValueError if the alignment is not of this text."""
    at, new = 0, []
    for sentence in sentences:
        for span in sentence.spans:
            if span.mark != "added":
                if not old.startswith(span.text, at):
                    raise ValueError(f"The text does not have {span.text[:40]!r} at character {at}.")
                at += len(span.text)
            if span.mark != "removed":
                new.append(span.text)
    if at != len(old):
        raise ValueError(f"The text continues after character {at}.")
    return "".join(new)


SEVERITIES = {
    ChangeKind.FORM: Severity.COSMETIC,
    ChangeKind.WORDING: Severity.EDITORIAL,
    ChangeKind.ORDER: Severity.EDITORIAL,
    ChangeKind.PUNCTUATION: Severity.EDITORIAL,
}
# old, new, the kinds that must be found (and no others)
EDITS = [
    ("They helped 12 people in the town.", "They helped 15 people in the town.", {ChangeKind.FIGURES}),
    ("Помощь получили 1 200 семей региона.", "Помощь получили 1 500 семей региона.", {ChangeKind.FIGURES}),
    ("Погибли двое жителей этого города.", "Погибли трое жителей этого города.", {ChangeKind.FIGURES}),
    ("Бюджет составил 5 млн тенге в год.", "Бюджет составил 5 млрд тенге в год.", {ChangeKind.FIGURES}),
    ("Көмекті үш отбасы алды деп жазды.", "Көмекті бес отбасы алды деп жазды.", {ChangeKind.FIGURES}),
    ("They met on 6 March 2026 in the city.", "They met on 7 March 2026 in the city.", {ChangeKind.DATES}),
    ("Встреча прошла 6 марта в столице.", "Встреча прошла 6 апреля в столице.", {ChangeKind.DATES}),
    ("Встреча прошла в пятницу в столице.", "Встреча прошла в субботу в столице.", {ChangeKind.DATES}),
    ("Кездесу 2026 жылғы 6 наурызда өтті.", "Кездесу 2026 жылғы 9 наурызда өтті.", {ChangeKind.DATES}),
    ("Кездесу бүгін елордада өтті деп жазды.", "Кездесу ертең елордада өтті деп жазды.", {ChangeKind.DATES}),
    ("Talks with Kairat Umarov went on.", "Talks with Murat Umarov went on.", {ChangeKind.NAMES}),
    ("На встрече был посол Иванов из Москвы.", "На встрече был посол Петров из Москвы.", {ChangeKind.NAMES}),
    ("Кездесуде елші Тілеуберді сөз сөйледі.", "Кездесуде елші Смайылов сөз сөйледі.", {ChangeKind.NAMES}),
    ("The treaty will be signed by them.", "The treaty will not be signed by them.", {ChangeKind.NEGATION}),
    ("They could go to the border then.", "They couldn't go to the border then.", {ChangeKind.NEGATION}),
    ("Договор был подписан обеими сторонами.", "Договор не был подписан обеими сторонами.", {ChangeKind.NEGATION}),
    ("Пострадавшие есть среди мирных жителей.", "Пострадавших нет среди мирных жителей.", {ChangeKind.NEGATION}),
    ("Делегация елордаға кеше кешке келді.", "Делегация елордаға кеше кешке келмеді.", {ChangeKind.NEGATION}),
    ("Бұл ресми құжат болып саналады екен.", "Бұл ресми құжат емес болып саналады екен.", {ChangeKind.NEGATION}),
    ("The ministry confirmed the long visit.", "The ministry denied the long visit.", {ChangeKind.STANCE}),
    (
        "По данным полиции, пожар потушен там.",
        "Якобы по версии полиции, пожар потушен там.",
        {ChangeKind.ATTRIBUTION, ChangeKind.STANCE},
    ),
    ("Министрлік бұл сапарды ресми растады.", "Министрлік бұл сапарды ресми мәлімдеді.", {ChangeKind.STANCE}),
    ("Stocks must be destroyed in May.", "Stocks should be destroyed in May.", {ChangeKind.MODALITY}),
    ("All the wells were cleaned in May.", "Some of the wells were cleaned in May.", {ChangeKind.QUANTIFIERS}),
    ("Отчёты публикуются ежемесячно и бесплатно.", "Отчёты публикуются ежегодно и бесплатно.", {ChangeKind.FREQUENCY}),
    ("Тараптар шартқа қол қойды деп жазды.", "Тараптар шартты талқылады деп жазды.", {ChangeKind.ACTIONS}),
    ("Колонна пришла до полудня 5 мая.", "Колонна пришла после полудня 5 мая.", {ChangeKind.LIMITS}),
    ("Польша передала Литве пять машин.", "Польше передала Литва пять машин.", {ChangeKind.ROLES}),
    ("Poland lent Latvia five cars in May.", "Latvia lent Poland five cars in May.", {ChangeKind.ROLES}),
    ("Five boys and two girls came home.", "Two boys and five girls came home.", {ChangeKind.ROLES}),
    ("The tents, sewn in an old mill, arrived.", "The tents arrived.", {ChangeKind.CLAUSE}),
    ("The talks were long and useful to all.", "The talks were short and useful to all.", {ChangeKind.WORDING}),
    ("Переговоры были долгими и полезными.", "Переговоры были короткими и полезными.", {ChangeKind.WORDING}),
    (
        "Вчера в Астане слушали речь посла Иванова.",
        "Вчера в Астане слушали речь у посла Иванова.",
        {ChangeKind.WORDING},
    ),
    ("Вчера в Астане слушали речь посла.", "В Астане вчера слушали речь посла.", {ChangeKind.ORDER}),
    (
        "Глава МККК Мирьяна Сполярич прибыла вчера.",
        "Президент МККК Мирьяна Сполярич прибыла вчера.",
        {ChangeKind.WORDING},
    ),
    ("The talks, long and useful, went on.", "The talks - long and useful - went on.", {ChangeKind.PUNCTUATION}),
    ("Министр принял делегацию и гостей.", "Министр принял Делегацию и гостей!", {ChangeKind.FORM}),
    ("В мае прошло 3 встречи по проекту.", "В мае прошло три встречи по проекту.", {ChangeKind.FORM}),
    ("Budget of 1,000,000 tenge was set.", "Budget of 1 000 000 tenge was set.", {ChangeKind.FORM}),
]


@pytest.mark.parametrize(("old", "new", "kinds"), EDITS)
def test_kinds_of_an_edit(old: str, new: str, kinds: set[ChangeKind]) -> None:
    found = diff_bodies(
        f"First words stay here. {old} Last words stay.", f"First words stay here. {new} Last words stay."
    )
    assert found.kinds == kinds, found.reason
    assert [edit.sentence.alignment for edit in found.changed] == [AlignmentType.EDITED]
    assert found.severity is SEVERITIES.get(next(iter(found.kinds)), Severity.SUBSTANTIVE)


def test_changed_words_are_marked() -> None:
    (edit,) = diff_bodies("They helped 12 people.", "They helped 15 people.").changed
    assert [(part.mark, part.text) for part in edit.sentence.spans] == [
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
    assert diff_bodies(one + three, one + two + three).kinds == {ChangeKind.ADDED}
    assert diff_bodies(one + two + three, one + three).kinds == {ChangeKind.REMOVED}
    moved = diff_bodies(one + two + three, two + three + one)
    assert (moved.kinds, moved.severity) == ({ChangeKind.MOVED}, Severity.EDITORIAL)
    assert diff_bodies(one + two, one + two.rstrip()).severity is Severity.NONE
    assert diff_bodies(one + two, one + "\n" + two).severity is Severity.COSMETIC


def test_title_and_lead_are_named() -> None:
    title = diff_articles(ARTICLE, replace(ARTICLE, title="Minister receives the large delegation"))
    assert (title.kinds, title.severity) == ({ChangeKind.TITLE, ChangeKind.WORDING}, Severity.EDITORIAL)
    assert title.reason == "title: other words"
    lead = diff_articles(ARTICLE, replace(ARTICLE, lead="They agreed on 12 further steps"))
    assert (lead.kinds, lead.severity) == ({ChangeKind.LEAD, ChangeKind.ADDED}, Severity.SUBSTANTIVE)


def test_headlines_in_capitals_claim_no_names() -> None:
    old = "Kazakh Diplomats Discuss Future Cooperation Plans"
    found = diff_articles(replace(ARTICLE, title=old), replace(ARTICLE, title=old.replace("Future", "Closer")))
    assert found.kinds == {ChangeKind.TITLE, ChangeKind.WORDING}


def test_removed_and_restored_page_is_substantive() -> None:
    gone = replace(ARTICLE, verdict=Verdict.UNPUBLISHED, version=2)
    assert (diff_articles(ARTICLE, gone).kinds, diff_articles(ARTICLE, gone).severity) == (
        {ChangeKind.UNPUBLISHED},
        Severity.SUBSTANTIVE,
    )
    assert diff_articles(gone, ARTICLE).kinds == {ChangeKind.REPUBLISHED}


def test_dates_and_attribution_of_the_page_count() -> None:
    day = datetime(2026, 3, 6, tzinfo=UTC)
    found = diff_articles(replace(ARTICLE, published_at=day), replace(ARTICLE, published_at=day.replace(day=5)))
    assert found.kinds == {ChangeKind.DATES}
    assert diff_articles(ARTICLE, replace(ARTICLE, attribution="МИД РК")).kinds == {ChangeKind.ATTRIBUTION}


def test_reason_counts_repetitions() -> None:
    old = "".join(f"Sentence number {word} is about the garden there. " for word in ("ones", "twos", "tens"))
    found = diff_bodies(old + "They stay.", "They stay.")
    assert found.reason == "a sentence removed (3 times)"


def test_long_sentence_is_compared_as_a_whole() -> None:
    guests = ", ".join(f"господин Иванов{'аеиоу'[number % 5] * (number // 5)}" for number in range(80))
    old = f"В зале были {guests} и другие гости. Потом все ушли домой."
    assert [len(each) > 600 for each in split_into_sentences(old)] == [True, False]
    (edit,) = diff_bodies(old, old.replace("В зале были", "В большом зале вчера были")).changed
    assert edit.kinds == (ChangeKind.DATES,)
    assert [part.text.strip() for part in edit.sentence.spans if part.mark != "same"] == ["большом", "вчера"]


def test_text_without_sentence_ends_is_compared_in_bounded_time() -> None:
    old = " ".join(f"слово{number % 7} " for number in range(1900))
    new = old.replace("слово3", "дело", 300)
    assert apply_alignment(old, align_texts(old, new)) == new


def test_texts_of_hundreds_of_new_sentences_are_compared() -> None:
    old = "".join(f"The line {number} of the old text says so. " for number in range(400))
    new = "".join(f"Another row with number {number} stands in it. " for number in range(400))
    found = align_texts(old + "Both have this.", new + "Both have this.")
    assert apply_alignment(old + "Both have this.", found) == new + "Both have this."


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


@given(TEXTS, TEXTS)
@example("a.\n", "a. ")
@pytest.mark.slow
def test_diff_makes_the_new_text_and_is_the_same_both_ways(old: str, new: str) -> None:
    there, back = diff_bodies(old, new), diff_bodies(new, old)
    sentences = [edit.sentence for edit in there.sentences if edit.field == "body"]
    assert apply_alignment(old, sentences) == new
    assert "".join(sentence.old for sentence in sentences) == old
    swapped = {ChangeKind.ADDED: ChangeKind.REMOVED, ChangeKind.REMOVED: ChangeKind.ADDED}
    assert there.kinds == {swapped.get(kind, kind) for kind in back.kinds}
    assert there.severity is back.severity


@given(TEXTS)
def test_text_has_no_change_from_itself(text: str) -> None:
    found = diff_bodies(text, text)
    assert (found.changed, found.severity) == ((), Severity.NONE)
    assert "".join(split_into_sentences(text)) == text


def test_alignment_of_another_text_raises() -> None:
    with pytest.raises(ValueError, match="does not have"):
        apply_alignment("Something else.", align_texts("One.", "Two."))
    with pytest.raises(ValueError, match="continues after"):
        apply_alignment("One. And more.", align_texts("One.", "Two."))


@pytest.mark.parametrize(
    "text", ["1" * 9000, "(" * 9000, "'a " * 3000, "Updated " * 1200, "Слово " * 1500, "1 " * 4000, " " * 9000]
)
def test_strange_texts_are_judged_in_bounded_time(text: str) -> None:
    found = diff_bodies(f"{text}a город 1", f"{text}b город 2")
    assert found.severity is Severity.SUBSTANTIVE
    assert diff_bodies(f"{text}b город 2", f"{text}a город 1").severity is Severity.SUBSTANTIVE
