"""The line of a key in a TOML file."""

from __future__ import annotations

import pytest

from crawler.config.toml_file import KeyPath, find_toml_line, format_location, list_known_keys
from crawler.keywords.rules import RuleFile

TEXT = """\
version = 1 # a comment
limits.body_mb = 3
[sources.mfa]
pages = 5
"odd key" = [
    "first",
    "second = no key",
]
[[rule]]
name = "one"
[[rule.context]]
needs = "support"
[[rule]] # another
name = "two"
terms.en = ["Red Cross"]
[[rule.context]]
needs = "nothing"
[[rule.context]]
needs = "capitals"
"""


@pytest.mark.parametrize(
    ("key_path", "line"),
    [
        (("version",), 1),
        (("limits", "body_mb"), 2),
        (("limits",), 2),
        (("sources", "mfa"), 3),
        (("sources", "mfa", "pages"), 4),
        (("sources", "mfa", "missing"), 3),
        (("sources", "mfa", "odd key", "second = no key"), 7),
        (("sources", "mfa", "odd key", "missing"), 5),
        (("rule", 0, "name"), 10),
        (("rule", 0, "context", 0, "needs"), 12),
        (("rule", 1, "name"), 14),
        (("rule", 1, "terms", "en", "Red Cross"), 15),
        (("rule", 1, "terms", "en", 0), 15),
        (("rule", 1, "terms"), 15),
        (("rule", 1, "context", 0, "needs"), 17),
        (("rule", 1, "context", 1, "needs"), 19),
        (("feeds", "title"), None),
        ((), None),
    ],
)
def test_line_of_a_key(key_path: KeyPath, line: int | None) -> None:
    assert find_toml_line(TEXT, key_path) == line


def test_location_without_a_line_is_the_file() -> None:
    assert format_location("x.toml", TEXT, ("rule", 0, "name")) == "x.toml:10"
    assert format_location("x.toml", TEXT, ("feeds",)) == "x.toml"


def test_known_keys_are_those_beside_the_last_key() -> None:
    assert list_known_keys(RuleFile, ("vocabulary", "war", "fr")) == ["en", "ru", "kk", "forms"]
    assert "supported_by" in list_known_keys(RuleFile, ("rule", 3, "context", 0, "x"))
    assert list_known_keys(RuleFile, ("x",)) == ["version", "include", "vocabulary", "rule"]
