"""Folding, and the way back to the original text."""

from __future__ import annotations

import re
import unicodedata
from itertools import chain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.text.folding import fold_term, fold_text, split_folded_words

ALPHABET = (
    "Красный КрестҚЫЗЫЛ қызыл Red Cross’s'-‐–—\u00ad\u200b\u00a0\n\n.,;&amp;&nbsp;&shy;«»()éёйи\u0301\u0306ﬁ½²Σ中ı№K"
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("«Красного\u00a0Кре\u00adста»", "красного креста"),
        ("Красный—Крест", "красныи крест"),
        ("ёлка Ёлка", "елка елка"),
        ("Қызыл-Крест", "кызыл крест"),
        ("Red Cross’s", "red cross s"),
        ("rock'n'roll", "rocknroll"),
        ("Spoljarić", "spoljaric"),
        ("Кpaсный кpecт", "красныи крест"),
        ("Rеd Сross", "red cross"),
        ("МKKK", "мккк"),
        ("Сommittее оf", "committee of"),
        ("Kрeст iшiнде", "крест ишинде"),
        ("IT-специалист PKK", "it специалист pkk"),
        ("гумани-\nтарное", "гуманитарное"),
        ("Нур-Султан-\nАстана", "нур султан астана"),
        ("Крас&shy;ный&nbsp;Крест", "красныи крест"),
        ("Red.Cross", "red . cross"),
        ("Red - Cross", "red . cross"),
        ("Red\n\nCross", "red . cross"),
        ("Red\nCross", "red cross"),
        ("ＲＥＤ ﬁeld ①", "red field 1"),
        ("Ḱ № 5", "k 5"),
        ("К р а с н ы й  К р е с т", "красныи крест"),
        ("К р а с н ы й К р е с т", "красныи крест"),
        ("к р а с н ы й\u00a0\u00a0к р е с т", "красныи крест"),
        ("К  р  а  с  н  ы  й    К  р  е  с  т", "красныи крест"),
        ("Қ Ы З Ы Л  Ж А Р Т Ы  А Й", "кызыл жарты аи"),
        ("в М К К К и О О Н", "в мккк и оон"),
        ("I H L", "ihl"),
        ("и в с", "и в с"),
        ("к о т а", "кота"),
        ("и О О г", "и о о г"),
        ("А Б\nВ Г", "а б в г"),
        ("a + b + c d e f2", "a . b . c d e f2"),
    ],
)
def test_spellings_fold_together(written: str, folded: str) -> None:
    assert fold_text(written).text.strip() == folded


def test_folded_words_have_no_marks() -> None:
    assert split_folded_words("Red Cross, Geneva: 1949.") == ["red", "cross", "geneva", "1949"]


def test_a_term_without_letters_is_empty() -> None:
    assert fold_term("…—!") == b""


@given(st.one_of(st.text(max_size=60), st.text(alphabet=ALPHABET, max_size=60)))
def test_every_folded_word_leads_back_to_its_original(text: str) -> None:
    folded = fold_text(text)
    ends = 0
    for word in re.finditer(rb"[^ ]+", folded.data):
        start, end = folded.find_original_span(*word.span())
        assert 0 <= start < end <= len(text)
        assert end >= ends, "words lead back in their order"
        ends = end
        if word[0] not in (b".",) and not any(unicodedata.category(c) in ("No", "Lm", "Sk") for c in text[start:end]):
            assert word[0] in fold_text(text[start:end]).data or len(text[start:end]) == 1


@given(
    st.lists(
        st.tuples(st.text("abcш", min_size=2, max_size=300), st.sampled_from((" ", " " * 600, "\u00ad \n"))), min_size=1
    )
)
@example([("abc", " "), ("cш", " " * 600)] * 60)
def test_words_of_a_long_text_lead_back(words: list[tuple[str, str]]) -> None:
    text = "".join(chain.from_iterable(words))
    folded = fold_text(text)
    found = [text[slice(*folded.find_original_span(*word.span()))] for word in re.finditer(rb"[^ ]+", folded.data)]
    assert found == [word for word, _ in words]


def test_spans_of_letter_spaced_words() -> None:
    text = "&laquo;М К К К&raquo; и К р а с&nbsp;н ы й  К р е с т пришли"
    folded = fold_text(text)
    found = [text[slice(*folded.find_original_span(*word.span()))] for word in re.finditer(rb"[^ ]+", folded.data)]
    assert found == ["М К К К", "и", "К р а с&nbsp;н ы й", "К р е с т", "пришли"]


def test_spans_survive_edits_of_both_kinds() -> None:
    text = "&laquo;Гума\u00adни-\nтарное&nbsp;право&raquo; и гума-\nнитарный &amp; Крест"
    folded = fold_text(text)
    found = [text[slice(*folded.find_original_span(*word.span()))] for word in re.finditer(rb"[^ ]+", folded.data)]
    assert found == ["Гума\u00adни-\nтарное", "право", "и", "гума-\nнитарный", "&amp;", "Крест"]
