"""Stretches of a text, as offsets, and the words they begin and end at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

TextSpan = tuple[int, int]


def measure_span(span: TextSpan) -> int:
    """Characters of a stretch."""
    return span[1] - span[0]


def merge_spans(spans: Sequence[TextSpan]) -> list[TextSpan]:
    """Sorted stretches, those that touch or overlap made one."""
    found: list[TextSpan] = []
    for span in spans:
        if found and span[0] <= found[-1][1]:
            found[-1] = enclose_spans(span, found[-1])
        else:
            found.append(span)
    return found


def enclose_spans(one: TextSpan, other: TextSpan) -> TextSpan:
    """The stretch from the first beginning to the last end."""
    return min(one[0], other[0]), max(one[1], other[1])


def intersect_spans(span: TextSpan, others: Iterable[TextSpan]) -> list[TextSpan]:
    """The parts of a stretch that others have too."""
    parts = [(max(span[0], begin), min(span[1], end)) for begin, end in others]
    return [part for part in parts if part[0] < part[1]]


def find_word_end(text: str, begin: int, end: int) -> int:
    """The end of the last whole word before `end`."""
    if end >= len(text):
        return len(text)
    while end > begin and (not text[end].isspace() or text[end - 1].isspace()):
        end -= 1
    return end


def find_word_start(text: str, at: int, floor: int) -> int:
    """The beginning of the first word at or behind `floor`, at `at` at the latest."""
    while floor < at and floor > 0 and not text[floor - 1].isspace():
        floor += 1
    return floor
