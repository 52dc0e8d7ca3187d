"""The lists by which a source's history can be walked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class HistoryList(NamedTuple):
    """A list that leads back in time. `name` is stored, so it must not change."""

    name: str
    first_page: int = 1
    has_pages: bool = False
    """Whether older articles are on further pages."""
    is_numbered: bool = True
    """Whether a page is a number, on which other articles are later. Else it names where the page begins."""


def make_history_lists(urls: Iterable[str]) -> tuple[HistoryList, ...]:
    """Return lists without further pages."""
    return tuple(HistoryList(url) for url in dict.fromkeys(urls))
