"""What a revision changed, as far as it may be shown: the changed words and some around them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from crawler.items import Article
from crawler.publish.entries import EntryEdit
from crawler.revisions.alignment import AlignedSentence, AlignmentType
from crawler.revisions.kinds import SEVERITY_RANKS
from crawler.revisions.revision_diff import RevisionDiff, SentenceChange
from crawler.rights import ELLIPSIS, Fragment, Piece
from crawler.text.spans import TextSpan

MAX_EDITS = 12
"""Changed sentences that are shown, the most severe first."""
CONTEXT_LENGTH = 20
"""Characters, about, that are shown before and after the changed words of a sentence."""
MAX_COMPARED_WORD_PAIRS = 40_000
"""Pairs of words that difflib compares at most. If words repeat, these take 0.2 s, and 1.5 million take 18 s."""
LIMITED_FIELDS = frozenset({"body", "lead"})
"""Fields whose sentences depend on the rights: a lead may repeat the body."""
OLD, NEW = 0, 1


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a sentence to show, in one version. `before` and `after` are True where the sentence has more.

    `core` is the span of the changed words in `text`.
    """

    text: str
    core: TextSpan
    before: bool = False
    after: bool = False


class EditPlan:
    """The edits of a revision: first which fragments of the texts they need, then how they look.

    `fragments` are those of the most severe edit first, its text before and after together.
    """

    def __init__(self, old: Article, new: Article, changes: RevisionDiff) -> None:
        changed = sorted(changes.changed, key=lambda change: -SEVERITY_RANKS[change.severity])[:MAX_EDITS]
        self._changed = changed
        self._windows = [(_cut_window(each, "added"), _cut_window(each, "removed")) for each in changed]
        self._places: list[tuple[int, int]] = []
        fragments = []
        for index, change in enumerate(changed):
            for side, article in ((NEW, new), (OLD, old)):
                window = self._windows[index][side]
                if change.field in LIMITED_FIELDS and window.text.strip():
                    fragments.append(
                        Fragment(
                            article=article,
                            text=window.text,
                            core=window.core,
                            group=index,
                            is_in_lead=change.field == "lead",
                        )
                    )
                    self._places.append((index, side))
        self.fragments = tuple(fragments)

    def make_edits(self, allowed: Sequence[str | None]) -> tuple[EntryEdit, ...]:
        """Return the edits to show. `allowed` is what may be shown of each fragment."""
        shown = dict(zip(self._places, allowed, strict=True))
        return tuple(
            EntryEdit(
                field=change.field,
                old=self._format_side(index, OLD, shown),
                new=self._format_side(index, NEW, shown),
                severity=change.severity,
                claims=change.claims,
                alignment=change.sentence.alignment,
                is_cut=any(shown.get((index, side), text) != text for side, text in self._list_limited_texts(index)),
            )
            for index, change in enumerate(self._changed)
        )

    def _list_limited_texts(self, index: int) -> Iterator[tuple[int, str]]:
        """Yield the sides that depend on the rights, with what each wants to show."""
        for side in (OLD, NEW):
            if (index, side) in self._places:
                yield side, self._windows[index][side].text

    def _format_side(self, index: int, side: int, shown: Mapping[tuple[int, int], str | None]) -> str | None:
        """Return what to show of the old or the new sentence."""
        window = self._windows[index][side]
        text = shown.get((index, side)) if self._changed[index].field in LIMITED_FIELDS else window.text.strip()
        if not text:
            return None
        before = f"{ELLIPSIS} " if window.before and not text.startswith(ELLIPSIS) else ""
        after = f" {ELLIPSIS}" if window.after and not text.endswith(ELLIPSIS) else ""
        return f"{before}{text}{after}"


def _cut_window(change: SentenceChange, absent: str) -> _Window:
    """Return the sentence in the version that lacks the spans marked `absent`.

    Of an edited sentence of the body only the changed words and some around them are returned.
    """
    spans = list(_list_spans(change.sentence, absent))
    text = "".join(span for span, _ in spans)
    if change.field != "body" or change.sentence.alignment is not AlignmentType.EDITED:
        return _Window(text.strip(), (0, len(text.strip())))
    start, end, position = len(text), 0, 0
    for span, is_changed in spans:
        if is_changed:
            start, end = min(start, position), max(end, position + len(span))
        position += len(span)
    first = text.rfind(" ", 0, max(start - CONTEXT_LENGTH, 0)) + 1
    last = text.find(" ", min(end + CONTEXT_LENGTH, len(text)))
    window = text[first : last if last >= 0 else len(text)]
    first += len(window) - len(window.lstrip())
    window = window.strip()
    core = (min(max(start - first, 0), len(window)), min(max(end - first, 0), len(window)))
    return _Window(window, core, before=bool(text[:first].strip()), after=not text.rstrip().endswith(window))


def _list_spans(sentence: AlignedSentence, absent: str) -> Iterator[tuple[str, bool]]:
    """Yield the spans of one version. An empty one marks the place where only the other version has words."""
    for span in sentence.spans:
        yield ("", True) if span.mark == absent else (span.text, span.mark != "same")


def mark_differences(old: str, new: str) -> tuple[Piece, Piece]:
    """Return both sentences, each with the words marked that the other one lacks."""
    words = [list(re.finditer(r"\S+", text)) for text in (old, new)]
    old_words, new_words = ([word[0] for word in side] for side in words)
    marks: tuple[list[TextSpan], list[TextSpan]] = ([], [])
    for spans in _list_differences(old_words, new_words):
        for side, (start, end) in enumerate(spans):
            if end > start:
                marks[side].append((words[side][start].start(), words[side][end - 1].end()))
    return Piece(text=old, marks=tuple(marks[OLD])), Piece(text=new, marks=tuple(marks[NEW]))


def _list_differences(old: Sequence[str], new: Sequence[str]) -> list[tuple[TextSpan, TextSpan]]:
    """Return which words differ: of long texts, all between the common beginning and the common end."""
    if len(old) * len(new) <= MAX_COMPARED_WORD_PAIRS:
        opcodes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        return [((a, b), (c, d)) for kind, a, b, c, d in opcodes if kind != "equal"]
    start, end, limit = 0, 0, min(len(old), len(new))
    while start < limit and old[start] == new[start]:
        start += 1
    while end < limit - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return [((start, len(old) - end), (start, len(new) - end))]
