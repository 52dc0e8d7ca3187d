"""Folding: one form for every way to write the same words, with the way back to the original text.

    >>> fold_text("«Красного\\u00a0Кре\\u00adста»").text
    ' красного креста '

Folded text has one space between words and one at each end, and ` . ` where a mark ends a phrase. Quotation marks and
hyphens are spaces, so that "Қызыл-Крест" equals "Қызыл Крест". Every article is folded, so folding must be fast. The
way back (`FoldedText.find_original_span`) is computed only where a rule matched.
"""

from __future__ import annotations

import codecs
import html
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate, compress, islice, pairwise

from crawler.text.alphabet import (
    CYRILLIC_BYTES,
    DECODING_TABLE,
    ENCODING_TABLE,
    FOLDING_ERROR_HANDLER,
    FOLDING_TABLE,
    INVISIBLE_BYTES,
    KNOWN_CHARACTERS,
    LATIN_BYTES,
    PHRASE_END,
    SCRIPT_TABLE,
    encode_character,
)

FOLDING_VERSION = 1
"""Raise it when the folded form of a text changes: then the full-text index is made again."""
_ENTITY_PATTERN = re.compile(r"&(?:#\d{2,6}|#[xX][0-9a-fA-F]{2,5}|[a-z]{2,8});")
_LINE_BREAK_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad][ \t]*\n[ \t\n]*(?=[a-zа-яёәғқңөұүһі])")
_BRACKETED_FOOTNOTE = re.compile(r"(?<=\w)\[\d{1,3}\]")
_REPAIRS = (
    (("[",), _BRACKETED_FOOTNOTE),
    (("&",), _ENTITY_PATTERN),
    (("-\n", "\u2010\n", "\u00ad\n", "- \n"), _LINE_BREAK_HYPHEN),
)
"""Substrings, one of which is in every text that the pattern matches, and the pattern. Most texts have none."""
_MIXED_SCRIPT_WORD = re.compile(rb"(?<![CL])(?:C++L|L++C)[CL]*+")
"""Possessive and only at the beginning of a word, so that a very long word takes linear time."""
_LETTER = re.compile(r"[^\W\d_]")
_LETTER_RUN = re.compile(r"(?<![^\W_])[^\W\d_](?:[ \t\u00a0\u2009\u202f]{1,8}[^\W\d_](?![^\W_])){2,}")
"""At least three single letters on a line with spaces between."""
_SPACED_LETTERS = re.compile(rb" C +C +C ")
"""Is in the folded text under `_LETTER_TABLE` wherever `_LETTER_RUN` may be. `in` would take twice as long."""
_POSSESSIVE = re.compile(rb"'(?=s(?![a-z]))")
LATIN_BYTE = ord("L")
SPACE_BYTE = ord(" ")
_LETTER_TABLE = bytes(
    PHRASE_END if code == PHRASE_END else ord("C") if script in b"CL" else SPACE_BYTE
    for code, script in enumerate(SCRIPT_TABLE)
)
"""Folded byte → `C` for a letter, `.` for the mark between phrases, else a space."""
_SPACES_TABLE = bytes(byte == SPACE_BYTE for byte in range(256))
"""A one for each space, else a zero."""
_KEPT_BYTES_TABLE = bytes(byte not in b" '\n-" for byte in range(256))
"""A zero for each byte of a folded line that is no character of `FoldedText.data`."""
_LAST_OFFSET = 10**12
_BLOCK = 256
"""Bytes whose marks are counted together."""
_FINDS_WITHOUT_LIST = 24
"""Marked places that are looked for before all of them are listed."""


class FoldedText:
    """A folded text. `data` is its bytes; `find_original_span` leads from there back to the original."""

    __slots__ = ("__dict__", "_edits", "_folded_line", "_repaired", "data", "original")

    def __init__(self, original: str) -> None:
        self.original = original
        self._repaired, self._edits = _repair_text(original)
        self._folded_line = _fold_characters(self._repaired)
        self.data = _separate_words(self._folded_line)
        if _may_have_letter_run(self.data):
            self._repaired, gaps = _replace_spans(self._repaired, _list_letter_gaps(self._repaired))
            self._edits = _chain_replacements(self._edits, gaps)
            self._folded_line = _fold_characters(self._repaired)
            self.data = _separate_words(self._folded_line)

    @property
    def text(self) -> str:
        """The folded text as characters, for people."""
        return decode_folded(self.data)

    def find_original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in the original of the folded bytes `start` to `end`, without spaces at either end."""
        while self.data[start] == SPACE_BYTE:
            start += 1
        while self.data[end - 1] == SPACE_BYTE:
            end -= 1
        first = start - self._spaces.count_before(start)
        last = end - self._spaces.count_before(end) - 1
        return self._find_origin(first)[0], self._find_origin(last)[1]

    def count_words_before(self, offset: int) -> int:
        """Return how many words begin before an offset of `data`. The mark between phrases is no word."""
        return bisect_left(self._word_starts, offset)

    @cached_property
    def _spaces(self) -> _Marks:
        return _Marks(self.data.translate(_SPACES_TABLE))

    @cached_property
    def _word_starts(self) -> Sequence[int]:
        """An array, because the garbage collector visits each element of a list again and again."""
        starts = compress(range(1, len(self.data)), self.data.translate(_SPACES_TABLE))
        return array("Q", (start for start in starts if self.data[start] != PHRASE_END))

    def _find_origin(self, number: int) -> tuple[int, int]:
        """Return where the character of a folded byte, counted without spaces, begins and ends in the original."""
        place = self._source_indices[self._kept_bytes.find(number)]
        return _find_origin(self._edits, place) if self._edits else (place, place + 1)

    @cached_property
    def _kept_bytes(self) -> _Marks:
        return _Marks(self._folded_line.translate(_KEPT_BYTES_TABLE))

    @cached_property
    def _source_indices(self) -> Sequence[int]:
        return _list_source_indices(self._repaired)


class _Marks:
    """Which places of a text are marked, one byte each: 1 or 0.

    Most texts are asked for the places of few words. A list of all marked places would take longer than all else that
    is done for these, so it is made only for a text that is asked more often.
    """

    __slots__ = ("_counts", "_finds", "_flags", "_places")

    def __init__(self, flags: bytes) -> None:
        self._flags = flags
        blocks = (flags.count(1, start, start + _BLOCK) for start in range(0, len(flags), _BLOCK))
        self._counts = array("Q", accumulate(blocks, initial=0))
        self._places: Sequence[int] = ()
        self._finds = 0

    def count_before(self, place: int) -> int:
        """Return how many places before this one are marked."""
        block, rest = divmod(place, _BLOCK)
        return self._counts[block] + self._flags.count(1, place - rest, place)

    def find(self, number: int) -> int:
        """Return the marked place that has so many marked places before it."""
        if self._places:
            return self._places[number]
        self._finds += 1
        if self._finds > _FINDS_WITHOUT_LIST:
            self._places = array("Q", compress(range(len(self._flags)), self._flags))
        block = bisect_right(self._counts, number) - 1
        start = block * _BLOCK
        marked = compress(range(start, start + _BLOCK), self._flags[start : start + _BLOCK])
        return next(islice(marked, number - self._counts[block], None))


@lru_cache(maxsize=128)
def fold_text(text: str) -> FoldedText:
    """Return the folded form of a text. The last are kept: rules and index fold the same articles, 32 at a time."""
    return FoldedText(text)


def fold_term(term: str) -> bytes:
    """Return a term as it is in folded text, without the spaces around it; b"" when it has no letter or digit."""
    data = FoldedText(term).data.strip()
    return data if data.strip(b". ") else b""


def decode_folded(data: bytes) -> str:
    """Return folded bytes as characters."""
    return codecs.charmap_decode(data, "replace", DECODING_TABLE)[0]


def encode_folded(text: str) -> bytes:
    """Return folded characters as bytes, one each: `ahocorasick_rs` finds in them in half the time."""
    return codecs.charmap_encode(text, "strict", ENCODING_TABLE)[0]


def split_folded_words(text: str) -> list[str]:
    """Return the folded words of a text in order, without marks: what two texts share, however they are written.

    >>> split_folded_words("Red\\u00a0Cross’s «Қызыл Крест»")
    ['red', 'cross', 's', 'кызыл', 'крест']
    """
    return [word for word in decode_folded(fold_text(text).data).split(" ") if word and word != "."]


def split_folded_lines(lines: Sequence[str]) -> list[list[str]]:
    """Return `split_folded_words` of each line. A fifth of the time for many short lines, which are folded as one.

    >>> split_folded_lines(["Red Cross", "«Қызыл-Крест»."])
    [['red', 'cross'], ['кызыл', 'крест']]
    """
    text, edits = _repair_text("\n".join(lines))
    data = b" " + _spread_marks(_fold_characters(text)) + b" "
    is_repaired = edits or _may_have_letter_run(data)
    parts = [] if is_repaired else decode_folded(data.replace(b".", b" ")).split("\n")
    if len(parts) != len(lines):  # a line has a line break in it, or a word continues in the next line
        return [split_folded_words(line) for line in lines]
    return [part.split() for part in parts]


TextReplacement = tuple[int, int, int, int]
"""Start and end of a replacement in the repaired text, then of what it replaced in the original."""


def _repair_text(text: str) -> tuple[str, tuple[TextReplacement, ...]]:
    """Return the text without leftover HTML entities and hyphens at line ends, and the replacements made."""
    edits: tuple[TextReplacement, ...] = ()
    for marks, pattern in _REPAIRS:
        if any(mark in text for mark in marks):
            matches = pattern.finditer(text)
            spans = ((*found.span(), html.unescape(found[0]) if found[0][0] == "&" else "") for found in matches)
            text, made = _replace_spans(text, spans)
            edits = _chain_replacements(edits, made)
    return text, edits


def _list_letter_gaps(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the spaces inside letter-spaced words ("К р а с н ы й  К р е с т"), each to be replaced by nothing."""
    for run in _LETTER_RUN.finditer(text):
        words = _split_letter_run(text, [found.start() for found in _LETTER.finditer(text, *run.span())])
        if any(len(word) >= (3 if text[word[-1]].isupper() else 4) for word in words):
            yield from ((before + 1, after, "") for word in words for before, after in pairwise(word))


def _split_letter_run(text: str, places: list[int]) -> list[list[int]]:
    """Return the places of single letters word by word: at wider spaces, and where small and capital letters meet."""
    widths = [after - before for before, after in pairwise(places)]
    usual_width = min(widths)
    words = [places[:1]]
    for place, width in zip(places[1:], widths, strict=True):
        word = words[-1]
        is_after_capitals = len(word) > 1 and text[word[-1]].isupper()
        is_new = text[word[-1]].islower() if text[place].isupper() else is_after_capitals
        if width > usual_width or is_new:
            words.append([place])
        else:
            word.append(place)
    return words


def _replace_spans(text: str, spans: Iterable[tuple[int, int, str]]) -> tuple[str, list[TextReplacement]]:
    """Return the text with each span (start, end, new text) replaced, and the replacements made."""
    parts, edits, done, length = [], [], 0, 0
    for start, end, new in spans:
        length += start - done
        parts += [text[done:start], new]
        edits.append((length, length + len(new), start, end))
        length, done = length + len(new), end
    parts.append(text[done:])
    return "".join(parts), edits


def _chain_replacements(
    first: tuple[TextReplacement, ...], second: list[TextReplacement]
) -> tuple[TextReplacement, ...]:
    """Return the replacements of two consecutive steps as one list."""
    if not first:
        return tuple(second)
    ends = [edit[3] for edit in second]
    shifts = [0, *accumulate((edit[1] - edit[0]) - (edit[3] - edit[2]) for edit in second)]
    moved = []
    for start, end, old_start, old_end in first:
        shift = shifts[bisect_right(ends, start)]
        moved.append((start + shift, end + shift, old_start, old_end))
    back = [(s, e, _find_origin(first, os)[0], _find_origin(first, oe - 1)[1]) for s, e, os, oe in second if oe > os]
    return tuple(sorted(moved + back))


def _find_origin(edits: tuple[TextReplacement, ...], place: int) -> tuple[int, int]:
    """Return where the character at `place` of the repaired text begins and ends in the original."""
    index = bisect_right(edits, (place, _LAST_OFFSET, 0, 0)) - 1
    if index < 0:
        return place, place + 1
    start, end, old_start, old_end = edits[index]
    if start <= place < end:
        return old_start, old_end
    return old_end + place - end, old_end + place - end + 1


def _may_have_letter_run(data: bytes) -> bool:
    """Return whether folded bytes may have single letters with spaces between, which `_LETTER_RUN` finds."""
    return _SPACED_LETTERS.search(data.translate(_LETTER_TABLE)) is not None


def _separate_words(folded_line: bytes) -> bytes:
    """Return folded characters with one space between words and at each end, and hyphens and apostrophes gone."""
    return b" " + b" ".join(_spread_marks(folded_line).split()) + b" "


def _spread_marks(folded_line: bytes) -> bytes:
    """Return folded characters with spaces around the marks between phrases, and hyphens and apostrophes gone."""
    return folded_line.replace(b".", b" . ").replace(b"'", b"").replace(b"-", b" ")


def _fold_characters(text: str) -> bytes:
    """Return the text as folded bytes, before runs of spaces become one."""
    encoded = codecs.charmap_encode(text, FOLDING_ERROR_HANDLER, ENCODING_TABLE)[0].translate(None, INVISIBLE_BYTES)
    data = encoded.translate(FOLDING_TABLE)
    scripts = data.translate(SCRIPT_TABLE)
    if b"L" in scripts and b"C" in scripts and (b"LC" in scripts or b"CL" in scripts):  # A pair takes much longer.
        data = _unify_scripts(data, scripts, encoded)
    if b"'s" in data:
        data = _POSSESSIVE.sub(b" ", data)
    return data.replace(b"\n\n", b" .").replace(b" - ", b" . ")


def _list_source_indices(text: str) -> Sequence[int]:
    """Return for each byte of `_fold_characters(text)` the index of the character that it is from."""
    plain = codecs.charmap_encode(text, "replace", ENCODING_TABLE)[0]
    if len(plain.translate(None, INVISIBLE_BYTES)) == len(text) and text.count("?") == plain.count(b"?"):
        return range(len(text))
    indices = []
    for index, character in enumerate(text):
        if character in KNOWN_CHARACTERS:
            data = codecs.charmap_encode(character, "strict", ENCODING_TABLE)[0]
        else:
            data = encode_character(character)
        indices += [index] * len(data.translate(None, INVISIBLE_BYTES))
    return indices


def _unify_scripts(data: bytes, scripts: bytes, encoded: bytes) -> bytes:
    """Return words that mix scripts in one script, where all letters of the other script have a look-alike in it."""
    unified = bytearray(data)
    for found in _MIXED_SCRIPT_WORD.finditer(scripts):
        word = range(*found.span())
        latin = [index for index in word if scripts[index] == LATIN_BYTE]
        cyrillic = [index for index in word if scripts[index] != LATIN_BYTE]
        for places, table in ((latin, CYRILLIC_BYTES), (cyrillic, LATIN_BYTES)):
            if all(encoded[index] in table for index in places):
                for index in places:
                    unified[index] = table[encoded[index]]
                break
    return bytes(unified)


__all__ = [
    "PHRASE_END",
    "FoldedText",
    "decode_folded",
    "encode_folded",
    "fold_term",
    "fold_text",
    "split_folded_lines",
    "split_folded_words",
]
