"""Parts of a text as pairs of offsets, and the words that they begin and end at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

TextSpan = tuple[int, int]
"""Start and end, the end exclusive."""


def measure_span(span: TextSpan) -> int:
    """Return the length in characters."""
    return span[1] - span[0]


def merge_spans(spans: Sequence[TextSpan]) -> list[TextSpan]:
    """Return sorted spans with those that touch or overlap merged into one."""
    merged: list[TextSpan] = []
    for span in spans:
        if merged and span[0] <= merged[-1][1]:
            merged[-1] = enclose_spans(span, merged[-1])
        else:
            merged.append(span)
    return merged


def enclose_spans(one: TextSpan, other: TextSpan) -> TextSpan:
    """Return the span from the first start to the last end."""
    return min(one[0], other[0]), max(one[1], other[1])


def intersect_spans(span: TextSpan, others: Iterable[TextSpan]) -> list[TextSpan]:
    """Return the parts of a span that are in one of the others."""
    parts = [(max(span[0], begin), min(span[1], end)) for begin, end in others]
    return [part for part in parts if part[0] < part[1]]


def find_word_end(text: str, begin: int, end: int) -> int:
    """Return the end of the last whole word before `end`."""
    if end >= len(text):
        return len(text)
    while end > begin and (not text[end].isspace() or text[end - 1].isspace()):
        end -= 1
    return end


def find_word_start(text: str, at: int, floor: int) -> int:
    """Return the start of the first word at or after `floor`, at most `at`."""
    while floor < at and floor > 0 and not text[floor - 1].isspace():
        floor += 1
    return floor
