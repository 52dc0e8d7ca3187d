"""Today's extraction over stored pages.

canary.py         a known page as it is today against what it was
expectations.py   every stored page against what it must yield, field by field
suggestion.py     where a field that is lost may stand on a changed page
scorecard.py      how much of it is as expected, how old each page is, which page classes have no recent one
"""

from __future__ import annotations

from crawler.replay.expectations import Result, accept, check, outcome

__all__ = ["Result", "accept", "check", "outcome"]
