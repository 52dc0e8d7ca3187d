"""Changes as lines for people: marked words for a pipe or a file; the parts for whoever colours them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from crawler.revisions.alignment import ChangeType, DiffSpan
from crawler.revisions.changes import RevisionDiff, SentenceChange

PLAIN_MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
DiffLine = list[DiffSpan]
"""A line in parts; what is no text of the article is marked `same`."""


def format_plain(line: DiffLine) -> str:
    """A line with `[-removed-]` and `{+added+}` words."""
    return "".join(f"{PLAIN_MARKS[part.mark][0]}{part.text}{PLAIN_MARKS[part.mark][1]}" for part in line)


def list_diff_lines(changes: RevisionDiff) -> Iterator[DiffLine]:
    """The changed sentences in reading order, each with why it matters; what lies between them is counted."""
    for field, edits in groupby(changes.edits, key=lambda edit: edit.field):
        group = list(edits)
        if not any(edit.kinds for edit in group):
            continue
        yield [DiffSpan("same", f"{field}:")]
        for changed, run in groupby(group, key=lambda edit: bool(edit.kinds)):
            if changed:
                for edit in run:
                    yield from _format_sentence(edit)
            elif number := len(list(run)):
                yield [DiffSpan("same", f"    … {number} sentence{'s' * (number > 1)} unchanged")]


def _format_sentence(edit: SentenceChange) -> Iterator[DiffLine]:
    shown = [part for part in (DiffSpan(part.mark, _make_visible(part)) for part in edit.sentence.spans) if part.text]
    moved = edit.sentence.change_type is ChangeType.MOVED
    note = f"  ({'moved' + (' from here' if edit.sentence.old else ' here')})" if moved else f"  ({edit.reason})"
    if shown:
        last = shown[-1]
        shown[-1] = DiffSpan(last.mark, last.text.rstrip(" ")) if last.mark == "same" else last
    yield [DiffSpan("same", "  "), *shown, DiffSpan("same", note)]


def _make_visible(part: DiffSpan) -> str:
    """A part on one line; the end of a paragraph is shown where it is what changed."""
    if part.mark == "same":
        return part.text.replace("\n", " ")
    text = part.text if not part.text.strip() else part.text.rstrip()
    return text.replace("\n", "¶")
