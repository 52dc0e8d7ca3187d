"""Bytes → text where a site names the wrong encoding, and where a text was damaged by one before.

Valid UTF-8 is UTF-8, whatever a header says: no other encoding of a real text looks like it. Otherwise the encoding
that is named decides, unless it gives mostly characters that no text has; then the Cyrillic encodings are tried.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from w3lib.encoding import html_body_declared_encoding, html_to_unicode

CYRILLIC_ENCODINGS = ("windows-1251", "kz1048", "koi8-r", "cp866", "iso-8859-5")
MAX_DAMAGED_SHARE = 0.3
"""Share of characters from which a whole text was decoded wrongly."""
MIN_WORD_SHARE = 0.8
"""Share of Cyrillic words that look like words, from which an encoding is the right one."""
UNDECODABLE = "\ufffd"


def _make_pair_pattern(first: str, *encodings: str) -> str:
    """Return a pattern for a UTF-8 letter of two bytes that was read in an encoding with one byte a letter."""
    seconds = {character for name in encodings for character in bytes(range(0x80, 0xC0)).decode(name, "ignore")}
    return f"[{first}][{re.escape(''.join(sorted(seconds)))}]"


# Cleaning removes second halves that are control characters, so they may be missing.
_DAMAGE = {
    UNDECODABLE: re.compile(f"{UNDECODABLE}+"),
    "ÐÑÒÓ": re.compile(f"(?:{_make_pair_pattern('ÐÑÒÓ', 'latin-1', 'cp1252')}?){{3,}}"),
    "РСТУ": re.compile(f"(?:{_make_pair_pattern('РСТУ', 'cp1251')}){{3,}}"),
    "âÂвВ": re.compile(r"â(?:€.?|\x80[\x80-\xbf])|Â[\xa0-\xbf]|вЂ.?"),
    "àâåèêîïñòóôöøùúûüýÿ": re.compile(r"[À-ÖØ-öø-ÿ]{4,}"),
}
"""Damage by the characters without which there is none: marks for bytes that could not be decoded, UTF-8 that was read
as Latin-1, Windows-1252 or Windows-1251 (letters, then punctuation), and Windows-1251 that was read as Latin-1."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_CYRILLIC_WORD = re.compile(r"[А-ЯЁӘҒҚҢӨҰҮҺІ]?[а-яёәғқңөұүһі]+|[А-ЯЁӘҒҚҢӨҰҮҺІ]+")
_VOWEL = re.compile(r"[аеёиоуыэюяәіөұү]", re.IGNORECASE)


def find_damaged_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return where letters are from a wrong encoding, or marks for bytes that could not be decoded."""
    return () if text.isascii() else _find_damage(text)


def is_damaged_as_a_whole(text: str) -> bool:
    """Return whether so much of a text is damaged that it was decoded wrongly as a whole."""
    return sum(end - start for start, end in find_damaged_spans(text)) > MAX_DAMAGED_SHARE * len(text)


def guess_readable_text(text: str) -> str:
    """Return a text that was decoded wrongly as it probably was, with gaps; empty where nothing is left of it.

    Good enough to detect the language, and for nothing else.
    """
    readings = (("cp1251", "utf-8"), ("cp1252", "utf-8"), ("latin-1", "utf-8"), ("cp1252", "cp1251"))
    guesses = [text.encode(wrong, "ignore").decode(right, "ignore") for wrong, right in readings]
    return max(guesses, key=lambda guess: _count_letters(guess) or 0) if any(map(_count_letters, guesses)) else ""


def decode_text(body: bytes, content_type: str | None = None) -> str:
    """Return the text of a page, a feed or JSON. Bytes that cannot be decoded become U+FFFD.

    The encoding is the one of the byte order mark, UTF-8 where the bytes are valid UTF-8, the one of `content_type` or
    the markup where it gives words, or else a Cyrillic one that does.
    """
    if b"\0" in body[:4]:
        return body.decode(json.detect_encoding(body), "replace")
    if b"\0" not in body and b"\x1b" not in body:
        try:
            return body.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
    named = _decode_as(content_type, body)
    if _count_letters(named) is not None:
        return named
    for encoding in (html_body_declared_encoding(body), "utf-8"):
        if encoding and _count_letters(text := _decode_as(f"text/html; charset={encoding}", body)) is not None:
            return text
    texts = [body.decode(encoding, "replace") for encoding in CYRILLIC_ENCODINGS]
    count, text = max(((_count_letters(text) or 0, text) for text in texts), key=lambda pair: pair[0])
    return text if count else named


def _decode_as(content_type: str | None, body: bytes) -> str:
    """Return the text as a browser reads it: by byte order mark, header, markup, or else UTF-8."""
    return html_to_unicode(content_type, body, default_encoding="utf-8")[1]


def _count_letters(text: str) -> int | None:
    """Return how many letters are in words beyond ASCII. None for a text where these are mostly damage, or no words."""
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    if sum(end - start for start, end in find_damaged_spans(text)) > MAX_DAMAGED_SHARE * beyond:
        return None
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    right = [word for word in words if _is_word(word)]
    return sum(map(len, right)) if len(right) >= MIN_WORD_SHARE * len(words) else None


def _is_word(word: str) -> bool:
    """Return whether letters may be a word of a known language. Words of other alphabets are not judged."""
    if not _CYRILLIC.search(word):
        return True
    return _CYRILLIC_WORD.fullmatch(word) is not None and (len(word) < 5 or _VOWEL.search(word) is not None)


@lru_cache(maxsize=4)  # the same text is asked about three times
def _find_damage(text: str) -> tuple[tuple[int, int], ...]:
    likely = [pattern for marks, pattern in _DAMAGE.items() if any(mark in text for mark in marks)]
    return tuple(sorted(found.span() for pattern in likely for found in pattern.finditer(text)))
