"""The examples in docs/rules.md match as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crawler.keywords import Matcher, parse_rules
from crawler.keywords.rules import ContextRule, Rule

GUIDE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```\n+```text\n(.*?)```", GUIDE, re.S)
EXAMPLES = [(number, line) for number, (_, lines) in enumerate(BLOCKS) for line in lines.splitlines()]


@pytest.mark.parametrize(("block", "example"), EXAMPLES)
def test_example_of_the_guide(block: int, example: str) -> None:
    matcher = Matcher(parse_rules(BLOCKS[block][0]))
    sign, text = example[0], example[2:]
    language = "en"
    if marked := re.match(r"(en|ru|kk): ", text):
        language, text = marked[1], text[marked.end() :]
    title, _, body = text.removeprefix("title: ").partition(" | ") if text.startswith("title: ") else (None, "", text)
    matches = matcher.find_matches({"title": title, "body": body}, language)
    verdict = "-" if not matches else "+" if any(match.strength == "strong" for match in matches) else "~"
    assert verdict == sign, [(match.term, match.reason) for match in matches]


def test_each_rule_of_the_guide_has_examples() -> None:
    assert len(re.findall(r"```toml", GUIDE)) == len(BLOCKS) >= 7


@pytest.mark.parametrize("key", sorted({*ContextRule.model_fields, *Rule.model_fields} - {"title", "context"}))
def test_guide_explains_each_key(key: str) -> None:
    assert re.search(rf"`{key}`|^{key}\b", GUIDE, re.M)
