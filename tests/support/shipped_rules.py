"""The shipped rules, compiled once: that takes longer than most tests."""

from __future__ import annotations

from functools import cache

from crawler.keywords import Matcher, load_rules


@cache
def get_shipped_matcher() -> Matcher:
    """Return the matcher of the shipped rules. It has no state."""
    return Matcher(load_rules())
