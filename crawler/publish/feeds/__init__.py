"""Feeds of entries. One module a format, because that is where a reader looks for it.

selection.py  which stored articles a feed has, and its head
feed.py       a feed's head, and entries as items with permanent ids
atom.py       Atom 1.0
rss.py        RSS 2.0
jsonfeed.py   JSON Feed 1.1
"""

from __future__ import annotations

from enum import StrEnum


class EntryUnit(StrEnum):
    """What one entry of a feed is. It is here, so that `crawler --help` imports no more."""

    STORY = "story"
    ARTICLE = "article"
