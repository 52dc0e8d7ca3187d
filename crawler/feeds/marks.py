"""Changes as lines for people: marked words for a pipe or a file; the parts for whoever colours them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from crawler.dedupe.alignment import Fate, Part
from crawler.dedupe.changes import Changes, Edit

PLAIN = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
Line = list[Part]
"""A line in parts; what is no text of the article is marked `same`."""


def plain(line: Line) -> str:
    """A line with `[-removed-]` and `{+added+}` words."""
    return "".join(f"{PLAIN[part.mark][0]}{part.text}{PLAIN[part.mark][1]}" for part in line)


def lines(changes: Changes) -> Iterator[Line]:
    """The changed sentences in reading order, each with why it matters; what lies between them is counted."""
    for field, edits in groupby(changes.edits, key=lambda edit: edit.field):
        group = list(edits)
        if not any(edit.kinds for edit in group):
            continue
        yield [Part("same", f"{field}:")]
        for changed, run in groupby(group, key=lambda edit: bool(edit.kinds)):
            if changed:
                for edit in run:
                    yield from _sentence(edit)
            elif number := len(list(run)):
                yield [Part("same", f"    … {number} sentence{'s' * (number > 1)} unchanged")]


def _sentence(edit: Edit) -> Iterator[Line]:
    shown = [part for part in (Part(part.mark, _visible(part)) for part in edit.sentence.parts) if part.text]
    moved = edit.sentence.fate is Fate.MOVED
    note = f"  ({'moved' + (' from here' if edit.sentence.old else ' here')})" if moved else f"  ({edit.reason})"
    if shown:
        last = shown[-1]
        shown[-1] = Part(last.mark, last.text.rstrip(" ")) if last.mark == "same" else last
    yield [Part("same", "  "), *shown, Part("same", note)]


def _visible(part: Part) -> str:
    """A part on one line; the end of a paragraph is shown where it is what changed."""
    if part.mark == "same":
        return part.text.replace("\n", " ")
    text = part.text if not part.text.strip() else part.text.rstrip()
    return text.replace("\n", "¶")
