"""The severity of edits that were written for this test, in three languages. A third of the texts was never tuned to.

A text is held out by a hash of its number, so that the texts of one number, which tell the same in three languages, are
on one side.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from crawler.revisions.changes import diff_texts

FOLDER = Path(__file__).parent / "labelled"
LANGUAGES = ("en", "ru", "kk")
MIN_ACCURACY = 0.95
MIN_ACCURACY_OF_LANGUAGE = 0.92


class LabelledEdit(NamedTuple):
    text_id: str
    language: str
    severity: str
    before: str
    after: str

    @property
    def is_held_out(self) -> bool:
        return int(hashlib.sha256(self.text_id[2:].encode()).hexdigest(), 16) % 3 == 0

    @property
    def is_right(self) -> bool:
        return diff_texts(self.before, self.after, self.language).severity == self.severity


@cache
def read_edits() -> tuple[LabelledEdit, ...]:
    return tuple(_list_edits())


def _list_edits() -> Iterator[LabelledEdit]:
    for language in LANGUAGES:
        for text in tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))["text"]:
            for severity, old, new in text["edits"]:
                assert text["text"].count(old) == 1, (text["id"], old)
                yield LabelledEdit(text["id"], language, severity, text["text"], text["text"].replace(old, new))


def read_sentences() -> list[tuple[str, str, str, str]]:
    lines = [
        (language, *line.replace("\\n", "\n").split(" | "))
        for language in LANGUAGES
        for line in (FOLDER / f"sentences.{language}.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    return [(language, severity, before, after) for language, severity, before, after in lines]


def test_number_of_labelled_edits() -> None:
    edits = read_edits()
    assert len(edits) >= 300
    assert len({edit.text_id for edit in edits}) >= 60
    for language in LANGUAGES:
        assert sum(edit.language == language for edit in edits) >= len(edits) * 0.3
    assert 0.45 <= sum(edit.severity == "cosmetic" for edit in edits) / len(edits) <= 0.55
    assert 0.25 <= sum(edit.is_held_out for edit in edits) / len(edits) <= 0.4


@pytest.mark.parametrize("is_held_out", [False, True], ids=["tuning", "hold-out"])
@pytest.mark.slow
def test_labelled_edits_are_judged(is_held_out: bool) -> None:
    edits = [edit for edit in read_edits() if edit.is_held_out is is_held_out]
    wrong = [edit for edit in edits if not edit.is_right]
    assert 1 - len(wrong) / len(edits) >= MIN_ACCURACY
    for language in LANGUAGES:
        count = sum(edit.language == language for edit in edits)
        assert 1 - sum(edit.language == language for edit in wrong) / count >= MIN_ACCURACY_OF_LANGUAGE, language


@pytest.mark.parametrize(("language", "severity", "before", "after"), read_sentences())
def test_edit_of_a_sentence_is_judged(language: str, severity: str, before: str, after: str) -> None:
    found = diff_texts(before, after, language)
    assert found.severity == severity, found.reason
    assert diff_texts(after, before, language).severity == severity, "the edit back"
