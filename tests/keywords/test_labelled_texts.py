"""The shipped rules on texts written for this test, with traps of many kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.keywords import Matcher, load_rules

MATCHER = Matcher(load_rules())
FILES = sorted((Path(__file__).parent / "labelled").glob("*.txt"))
TEXTS = [
    (file.stem, line[0], line[2:].replace("\\u00a0", "\u00a0"))
    for file in FILES
    for line in file.read_text(encoding="utf-8").splitlines()
    if line and line[0] in "+-"
]


def test_number_of_labelled_texts() -> None:
    for language in ("en", "ru", "kk"):
        for sign in "+-":
            assert sum(one[:2] == (language, sign) for one in TEXTS) >= 30
    assert len(TEXTS) >= 300


@pytest.mark.parametrize(("language", "sign", "text"), TEXTS)
def test_shipped_rules_judge_labelled_text(language: str, sign: str, text: str) -> None:
    matches = MATCHER.find_matches({"body": text}, language)
    strong = [(match.term, match.surface) for match in matches if match.strength == "strong"]
    assert bool(strong) == (sign == "+"), (strong, [(match.surface, match.reason) for match in matches])
