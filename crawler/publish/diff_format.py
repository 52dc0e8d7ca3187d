"""A diff of two versions as lines: with marks for a pipe or a file, or in spans that the caller colours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from crawler.revisions.alignment import AlignmentType, DiffSpan
from crawler.revisions.revision_diff import RevisionDiff, SentenceChange
from crawler.text.counts import format_count

PLAIN_MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
DiffLine = list[DiffSpan]
"""A line in spans. Words that are not the article's are marked `same`."""


def format_plain(line: DiffLine) -> str:
    """Return a line with `[-removed-]` and `{+added+}` words."""
    return "".join(f"{PLAIN_MARKS[span.mark][0]}{span.text}{PLAIN_MARKS[span.mark][1]}" for span in line)


def list_diff_lines(changes: RevisionDiff) -> Iterator[DiffLine]:
    """Yield the changed sentences in reading order, each with the reason; unchanged ones are counted."""
    for field, group_of_field in groupby(changes.sentences, key=lambda sentence: sentence.field):
        sentences = list(group_of_field)
        if not any(sentence.kinds for sentence in sentences):
            continue
        yield [DiffSpan("same", f"{field}:")]
        for is_changed, group in groupby(sentences, key=lambda sentence: bool(sentence.kinds)):
            if is_changed:
                for sentence in group:
                    yield _format_sentence(sentence)
            else:
                yield [DiffSpan("same", f"    … {format_count(len(list(group)), 'sentence')} unchanged")]


def _format_sentence(change: SentenceChange) -> DiffLine:
    visible = (DiffSpan(span.mark, _make_visible(span)) for span in change.sentence.spans)
    shown = [span for span in visible if span.text]
    note = change.reason
    if change.sentence.alignment is AlignmentType.MOVED:
        note = "moved from here" if change.sentence.old else "moved here"
    if shown and shown[-1].mark == "same":
        shown[-1] = DiffSpan("same", shown[-1].text.rstrip(" "))
    return [DiffSpan("same", "  "), *shown, DiffSpan("same", f"  ({note})")]


def _make_visible(span: DiffSpan) -> str:
    """Return a span on one line. A changed end of a paragraph is shown as ¶."""
    if span.mark == "same":
        return span.text.replace("\n", " ")
    text = span.text if not span.text.strip() else span.text.rstrip()
    return text.replace("\n", "¶")
