"""Stretches of a text, as offsets, and the words they begin and end at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def len_of(span: Span) -> int:
    """Characters of a stretch."""
    return span[1] - span[0]


def joined(spans: Sequence[Span]) -> list[Span]:
    """Sorted stretches, those that touch or overlap made one."""
    found: list[Span] = []
    for span in spans:
        if found and span[0] <= found[-1][1]:
            found[-1] = around(span, found[-1])
        else:
            found.append(span)
    return found


def around(one: Span, other: Span) -> Span:
    """The stretch from the first beginning to the last end."""
    return min(one[0], other[0]), max(one[1], other[1])


def common(span: Span, others: Iterable[Span]) -> list[Span]:
    """The parts of a stretch that others have too."""
    parts = [(max(span[0], begin), min(span[1], end)) for begin, end in others]
    return [part for part in parts if part[0] < part[1]]


def word_end(text: str, begin: int, end: int) -> int:
    """The end of the last whole word before `end`."""
    if end >= len(text):
        return len(text)
    while end > begin and (not text[end].isspace() or text[end - 1].isspace()):
        end -= 1
    return end


def word_begin(text: str, at: int, floor: int) -> int:
    """The beginning of the first word at or behind `floor`, at `at` at the latest."""
    while floor < at and floor > 0 and not text[floor - 1].isspace():
        floor += 1
    return floor
