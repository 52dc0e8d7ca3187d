"""Where sentences begin and end, in English, Russian and Kazakh.

A line ends a sentence. A dot ends none after initials or an abbreviation (`defaults/abbreviations.txt`), or before a
small letter. The end of a quotation ends none before its speaker: before a dash, or before a name and a verb of speech
(`defaults/speech_verbs.txt`). `split_into_passages` knows single initials only: stored fingerprints depend on its cuts.
"""

from __future__ import annotations

import re
from itertools import pairwise

from crawler.defaults import load_default_words

MAX_SENTENCE_LENGTH = 600
"""Characters of a sentence that is shown. `locate_sentence` shortens a longer one, at words, around its place."""
USUAL_SENTENCE_LENGTH = 150
"""Characters before a place that are searched first, because most sentences begin in them."""
MARK_CHARACTERS = ".!?…\"'»”’)]"
"""Characters that the end of a sentence may consist of."""
MAX_ABBREVIATION_LENGTH = 20
"""Characters before a dot that are searched for an abbreviation."""

_END_PATTERN = re.compile(r"[.!?…\n](?:(?<=\n)\n*+|(?<!\n)[.!?…]*+[\"'»”’)\]]*+(?=\s|$))")
"""It begins with one set of characters, which `re` searches six times faster than alternatives."""
_PASSAGE_END = re.compile(r"[.!?…][.!?…]*+[\"'»”’)\]]*+(?=\s|$)")
_PRECEDING_WORD = re.compile(r"([^\W\d_]+(?:\.[^\W\d_]+)*)$")
_CLOSING_CHARACTERS = frozenset("\"'»”’")
_DASHES = ("—", "–", "-")
_INITIALS = re.compile(r"[^\W\d_](?:\.[^\W\d_])?")
_NEXT_WORDS = re.compile(r"[^\W\d_][\w.’'-]*(?:[ \t\u00a0]+[^\W\d_][\w.’'-]*){0,3}")
"""Up to four words: a speaker of at most three, and the verb."""
SPEAKER_REACH = 80
"""Characters behind a quotation that are searched for its speaker."""
_FINAL_INITIAL = re.compile(r"(?:^|[\s(«\"])[^\W\d_]\.$")
MAX_INITIAL_LENGTH = 3
"""Characters that `_FINAL_INITIAL` matches at most."""


def locate_sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the offsets of the sentence (or sentences) around `start` to `end`, without spaces at its ends."""
    first = _find_start(text, start)
    last = _find_end(text, end, min(len(text), end + 2 * MAX_SENTENCE_LENGTH))
    if last - first > MAX_SENTENCE_LENGTH:
        first, last = _shorten_span(text, first, last, start, end)
    while first < start and text[first].isspace():
        first += 1
    while last > end and text[last - 1].isspace():
        last -= 1
    return first, last


def find_last_sentence_end(text: str, begin: int, end: int) -> int | None:
    """Return the offset behind the last sentence that ends from `begin` to `end`, which is a word's end, or None.

    >>> find_last_sentence_end("One. Two. Three four", 2, 15)
    9
    """
    found = None
    for mark in _END_PATTERN.finditer(text, begin, end):
        if _is_sentence_end(text, mark):
            found = mark.start() if mark[0][0] == "\n" else mark.end()
    return found


def split_into_sentences(text: str) -> list[str]:
    """Return the sentences of a text, each with the space behind it. Joined again they are the text.

    >>> split_into_sentences("One.  Two?\\nThree")
    ['One.  ', 'Two?\\n', 'Three']
    """
    starts, at = [0], len(text) - len(text.lstrip())
    while at < len(text):
        at = _find_end(text, at + 1)
        while at < len(text) and text[at].isspace():
            at += 1
        starts.append(at)
    return [text[start:end] for start, end in pairwise([*starts, len(text)]) if end > start]


def split_into_passages(text: str) -> list[str]:
    """Return the sentences that fingerprints are made of. Abbreviations end one, initials do not.

    >>> split_into_passages("Е. Ашикбаев принял гостя. Они говорили.\\nКонец")
    ['Е. Ашикбаев принял гостя.', 'Они говорили.', 'Конец']
    """
    passages: list[str] = []
    is_continued = False
    *lines, last_line = text.split("\n")
    for line in (*(f"{line}\n" for line in lines if line), last_line):
        start = 0
        while start < len(line) and line[start] != "\n":
            found = _PASSAGE_END.search(line, start + 1)
            end = found.end() if found else len(line)
            part, ends_line = line[start:end].strip(), line[end - 1] == "\n"
            start = end
            if not part:
                is_continued = is_continued and not ends_line
                continue
            if is_continued:
                passages[-1] = f"{passages[-1]} {part}"
            else:
                passages.append(part)
            is_continued = not ends_line and _ends_with_initial(part)
    return passages


def _ends_with_initial(passage: str) -> bool:
    before = passage[-MAX_INITIAL_LENGTH : 1 - MAX_INITIAL_LENGTH]
    if before.isalpha():  # as in most passages; the pattern takes six times as long
        return False
    return bool(_FINAL_INITIAL.search(passage, max(0, len(passage) - MAX_INITIAL_LENGTH)))


def _find_start(text: str, start: int) -> int:
    """Return the offset behind the last sentence end before `start`, searching no further back than is shown."""
    floor = max(0, start - 2 * MAX_SENTENCE_LENGTH)
    for length in (USUAL_SENTENCE_LENGTH, 2 * MAX_SENTENCE_LENGTH):
        begin = max(floor, start - length)
        while begin > floor and text[begin - 1] in MARK_CHARACTERS:
            begin -= 1
        for found in reversed(list(_END_PATTERN.finditer(text, begin, start))):
            if _is_sentence_end(text, found):
                return found.end()
    return floor


def _find_end(text: str, at: int, limit: int | None = None) -> int:
    """Return the offset behind the first sentence end from `at` to `limit` (by default the text's end), or `limit`."""
    limit = len(text) if limit is None else limit
    ends = (found.end() for found in _END_PATTERN.finditer(text, at, limit) if _is_sentence_end(text, found))
    return next(ends, limit)


def _is_sentence_end(text: str, found: re.Match[str]) -> bool:
    if found[0][0] == "\n":
        return True
    following = text[found.end() : found.end() + SPEAKER_REACH].partition("\n")[0]
    if following.lstrip(" \t\u00a0\"'«“„(—–-")[:1].islower():
        return False
    if not _CLOSING_CHARACTERS.isdisjoint(found[0]) and _begins_with_speaker(following.strip(" \t\u00a0")):
        return False
    if found[0] != ".":
        return True
    before = _PRECEDING_WORD.search(text, max(0, found.start() - MAX_ABBREVIATION_LENGTH), found.start())
    if before is None:
        return True
    word = before[1]
    is_initial = word.isupper() and _INITIALS.fullmatch(word) is not None
    return not is_initial and word.lower() not in load_default_words("abbreviations.txt")


def _begins_with_speaker(text: str) -> bool:
    """Return whether a text behind a quotation names its speaker: after a dash, or as a name and a verb of speech."""
    if text.startswith(_DASHES):
        return True
    words = found[0].split() if (found := _NEXT_WORDS.match(text)) else []
    verbs = load_default_words("speech_verbs.txt")
    verb = next((index for index, word in enumerate(words) if word.strip(".") in verbs), 0)
    return verb > 0 and all(word[0].isupper() for word in words[:verb])


def _shorten_span(text: str, first: int, last: int, start: int, end: int) -> tuple[int, int]:
    """Return at most MAX_SENTENCE_LENGTH characters around `start` to `end`, cut between words where possible."""
    spare = max(0, MAX_SENTENCE_LENGTH - (end - start))
    begin = max(first, start - spare // 2)
    finish = min(last, max(end, begin + MAX_SENTENCE_LENGTH))
    if begin > first and (space := text.find(" ", begin, start)) >= 0:
        begin = space + 1
    if finish < last and (space := text.rfind(" ", end, finish)) >= 0:
        finish = space
    return begin, finish
