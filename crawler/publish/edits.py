"""What a revision changed, as far as it may be shown: the touched words and some around them, the gravest first."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from crawler.items import Article
from crawler.publish.entries import EntryEdit
from crawler.revisions.alignment import AlignedSentence, ChangeType
from crawler.revisions.changes import SEVERITY_RANKS, RevisionDiff
from crawler.revisions.changes import SentenceChange as Touched
from crawler.rights import ELLIPSIS, Door, Piece

MAX_EDITS = 12
"""Touched sentences that are shown."""
CONTEXT_LENGTH = 20
"""Characters, about, shown before and behind the touched words of a sentence."""


def make_edits(door: Door, old: Article, new: Article, changes: RevisionDiff) -> tuple[EntryEdit, ...]:
    """The touched sentences; what stands in a body is taken through the door."""
    changed = sorted(changes.changed, key=lambda edit: -SEVERITY_RANKS[edit.severity])[:MAX_EDITS]
    first = sorted(range(len(changed)), key=lambda at: not changed[at].sentence.new)  # what stands there now
    made = {at: _make_edit(door, old, new, changed[at]) for at in first}
    return tuple(made[at] for at in range(len(changed)))


def _make_edit(door: Door, old: Article, new: Article, edit: Touched) -> EntryEdit:
    now = _show_text(
        door, new, edit, *_cut_window(edit, "removed")
    )  # first: where the share is small, what stands there now
    return EntryEdit(
        field=edit.field,
        old=_show_text(door, old, edit, *_cut_window(edit, "added")),
        new=now,
        severity=edit.severity,
        reason=edit.reason,
        change_type=edit.sentence.change_type,
    )


def _show_text(door: Door, article: Article, edit: Touched, text: str, before: bool, after: bool) -> str | None:
    if not text.strip():
        return None
    found = door.fragment(article, text) if edit.field == "body" else text.strip()
    if found is None:
        return None
    behind = f" {ELLIPSIS}" if after and not found.endswith(ELLIPSIS) else ""
    return f"{ELLIPSIS + ' ' if before else ''}{found}{behind}"


def _cut_window(edit: Touched, absent: str) -> tuple[str, bool, bool]:
    """The sentence of one version, without the parts that only the other one has; of one edited in the body the touched
    words with some around them, and whether it goes on before and behind."""
    parts = list(_list_parts(edit.sentence, absent))
    text = "".join(part for part, _ in parts)
    if edit.field != "body" or edit.sentence.change_type is not ChangeType.EDITED:
        return text.strip(), False, False
    begin, end, at = len(text), 0, 0
    for part, is_touched in parts:
        if is_touched:
            begin, end = min(begin, at), max(end, at + len(part))
        at += len(part)
    begin = text.rfind(" ", 0, max(begin - CONTEXT_LENGTH, 0)) + 1
    last = text.find(" ", min(end + CONTEXT_LENGTH, len(text)))
    cut = text[begin : last if last >= 0 else len(text)].strip()
    return cut, bool(text[:begin].strip()), not text.rstrip().endswith(cut)


def _list_parts(sentence: AlignedSentence, absent: str) -> Iterator[tuple[str, bool]]:
    """The parts of one version; where the other one has something more, an empty one marks the place."""
    for part in sentence.spans:
        yield ("", True) if part.mark == absent else (part.text, part.mark != "same")


def mark_differences(old: str, new: str) -> tuple[Piece, Piece]:
    """Two sentences with the words marked that only one of them has."""
    words = [list(re.finditer(r"\S+", text)) for text in (old, new)]
    before, after = ([word[0] for word in side] for side in words)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    marks: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for kind, *places in matcher.get_opcodes():
        for side, (begin, end) in enumerate((places[:2], places[2:])):
            if kind != "equal" and end > begin:
                marks[side].append((words[side][begin].start(), words[side][end - 1].end()))
    return Piece(text=old, marks=tuple(marks[0])), Piece(text=new, marks=tuple(marks[1]))
