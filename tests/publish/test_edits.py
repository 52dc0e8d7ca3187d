"""The words that are marked in both versions of a sentence."""

from __future__ import annotations

import time

import pytest

from crawler.publish.edits import mark_differences
from crawler.rights import Piece


def list_marked(piece: Piece) -> list[str]:
    return [piece.text[start:end] for start, end in piece.marks]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(100, (["5", "7"], ["25", "8"])), (300, (["5 of 7"], ["25 of 8"]))],
    ids=["each word of a sentence", "one passage of a long text"],
)
def test_words_that_differ_are_marked(count: int, expected: tuple[list[str], list[str]]) -> None:
    words = [f"word{number}" for number in range(count)]
    old, new = (" ".join([*words[:50], *middle.split(), *words[50:]]) for middle in ("5 of 7", "25 of 8"))
    assert tuple(map(list_marked, mark_differences(old, new))) == expected


@pytest.mark.parametrize(("old", "new"), [("yes " * 300, "yes " * 200), ("yes " * 200, "yes " * 300)])
def test_a_word_is_not_in_both_common_ends(old: str, new: str) -> None:
    marked = [" ".join(list_marked(piece)) for piece in mark_differences(old.strip(), new.strip())]
    assert sorted(marked) == ["", ("yes " * 100).strip()]


def test_long_texts_of_repeated_words_take_little_time() -> None:
    started = time.process_time()
    mark_differences("yes no " * 250, "no yes and " * 200)
    assert time.process_time() - started < 1  # 6 s when difflib compared all pairs
