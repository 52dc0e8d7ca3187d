"""The shipped rules on texts written for this test, with traps of many kinds.

`<language>.txt` holds what rules were tuned to. `<language>-<topic>.txt` has a held-out third: the lines whose hash is
divisible by three. `<language>-exam.txt`, written last, is held out as a whole. There the score counts, not the line.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import pytest
from support.shipped_rules import get_shipped_matcher

MATCHER = get_shipped_matcher()
FILES = sorted((Path(__file__).parent / "labelled").glob("*.txt"))
MIN_HELD_OUT_F1 = 0.96
TITLE_PREFIX = "title: "


class LabelledText(NamedTuple):
    """A line of a file of labelled texts."""

    language: str
    is_held_out: bool
    sign: str
    title: str | None
    body: str


def read_labelled_texts(file: Path) -> list[LabelledText]:
    """`+ text` concerns the topic, `- text` does not. `title: … | …` puts a title before the body."""
    language, _, topic = file.stem.partition("-")
    texts = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line[:2] not in ("+ ", "- "):
            continue
        is_held_out = topic == "exam" or (bool(topic) and int(hashlib.sha256(line.encode()).hexdigest(), 16) % 3 == 0)
        text = line[2:].replace("\\u00a0", "\u00a0")
        title, _, body = (
            text.removeprefix(TITLE_PREFIX).partition(" | ") if text.startswith(TITLE_PREFIX) else ("", "", text)
        )
        texts.append(LabelledText(language, is_held_out, line[0], title or None, body))
    return texts


TEXTS = [text for file in FILES for text in read_labelled_texts(file)]


def list_strong(text: LabelledText) -> list[tuple[str, str]]:
    matches = MATCHER.find_matches({"title": text.title, "body": text.body}, text.language)
    return [(match.term, match.surface) for match in matches if match.strength == "strong"]


def measure_f1(texts: list[LabelledText]) -> float:
    pairs = [(text.sign == "+", bool(list_strong(text))) for text in texts]
    hits = sum(expected and found for expected, found in pairs)
    errors = sum(expected != found for expected, found in pairs)
    return 2 * hits / (2 * hits + errors)


def test_number_of_labelled_texts() -> None:
    for language in ("en", "ru", "kk"):
        for sign in "+-":
            assert sum((text.language, text.sign) == (language, sign) for text in TEXTS) >= 150
    assert len(TEXTS) >= 1_000


@pytest.mark.parametrize("text", [text for text in TEXTS if not text.is_held_out], ids=lambda text: text.body[:50])
def test_shipped_rules_judge_labelled_text(text: LabelledText) -> None:
    assert bool(list_strong(text)) == (text.sign == "+"), list_strong(text)


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_score_on_held_out_texts(language: str) -> None:
    texts = [text for text in TEXTS if text.is_held_out and text.language == language]
    assert len(texts) >= 40
    assert measure_f1(texts) >= MIN_HELD_OUT_F1
