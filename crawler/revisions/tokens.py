"""Read a sentence as tokens whose keys are equal however it is typed.

Quotation marks, dashes, spaces, capitals, ё, look-alike letters, the spelling of a number, a date or a unit, and what a
page shows beside its text (`page_stamps`) make no difference to the keys.

    >>> [token.key for token in read_tokens("«Всё» стоит 5 млн. тенге", "ru")]
    ['"', 'все', '"', 'стоит', '#5000000', 'unit:tenge']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache

from crawler.defaults import load_default_toml
from crawler.revisions.dates import find_dates
from crawler.revisions.figures import (
    YEARS,
    NumberWord,
    compose_numbers,
    parse_digits,
    parse_roman,
    read_compound,
    read_number_word,
)
from crawler.revisions.lexicon import load_grammar
from crawler.revisions.page_stamps import remove_page_stamps
from crawler.text.alphabet import CYRILLIC_TO_LATIN, LATIN_TO_CYRILLIC
from crawler.text.cleaning import remove_unseen_characters
from crawler.text.typography import normalize_typography

NUMBER_SIGN = "№"
_PIECE_PATTERN = re.compile(
    r"(?P<digits>\d{1,3}(?: \d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)|(?P<mark>[^\w\s]|_)"
)
_KEPT_MARKS = frozenset(',;:()?"-№/&%$€£¥₸₽')
_CURRENCY_MARKS = frozenset("$€£¥₸₽")
_SINGLE_QUOTES = re.compile(r"(?<![\w'])'([^\s'](?:[^\n]{0,200}?[^\s'])?)'(?![\w'])")
_DASH_TABLE = str.maketrans({"\u2010": "-", "\u2012": "-", "\u2015": " - ", "\u2014": " - ", "\u2043": "-", "`": "'"})
_RANGE_KEY = "-"
MAX_NUMBER_LENGTH = 20
"""Digits of a value. A longer run is a code, of which every digit counts."""
MAX_ENDING_LENGTH = 4
"""Letters of a case ending behind "%" or a clock time."""


class TokenKind(StrEnum):
    """What a token is."""

    WORD = "word"
    NUMBER = "number"
    UNIT = "unit"
    DATE = "date"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, unit, date or mark. Two that read the same have equal keys.

    `text` is as written. `word` is the word in small letters, also of a number word; empty for digits and marks.
    `is_weak`: a number word that may be none ("one").
    """

    kind: TokenKind
    key: str
    text: str
    word: str = ""
    is_weak: bool = False

    @property
    def is_capitalized(self) -> bool:
        """Whether it is written with a capital."""
        return self.text[:1].isupper()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of letters or digits, or one mark. `is_glued`: no space before it."""

    kind: str
    text: str
    is_glued: bool


@lru_cache(maxsize=2048)
def read_tokens(sentence: str, language: str | None = None) -> tuple[Token, ...]:
    """Return the tokens of a sentence, without those that only mark its end."""
    text = remove_page_stamps(normalize_characters(sentence, language))
    tokens: list[Token] = []
    position = 0
    for found in find_dates(text):
        tokens += _read_pieces(text[position : found.start], language)
        tokens += [Token(TokenKind.DATE, key, found.text) for key in found.keys]
        position = found.end
    tokens += _read_pieces(text[position:], language)
    return tuple(_sort_marks(_unify_ranges(_drop_year_words(tokens))))


def normalize_characters(text: str, language: str | None = None) -> str:
    """Return the text with one form for dashes, quotation marks, spaces, ё and letters that look alike.

    Accents go, because they come and go with keyboards.
    """
    text = remove_unseen_characters(text).replace(NUMBER_SIGN, " _ ").replace("US$", "$")
    text = normalize_typography(text.translate(_DASH_TABLE)).translate(_DASH_TABLE).replace("_", NUMBER_SIGN)
    text = "".join(_list_plain_characters(text)).replace("ё", "е").replace("Ё", "Е")
    text = _SINGLE_QUOTES.sub(r'"\1"', re.sub(r"[^\S\n]+", " ", text))
    return re.sub(r"[^\W\d_]+", lambda word: unify_script(word[0], language), text)


def unify_script(word: str, language: str | None) -> str:
    """Return a word that mixes Latin and Cyrillic letters in one script, if look-alikes allow that.

    A word of nothing but look-alikes is taken to be in the script of the text.

    >>> unify_script("M" + "\u041a\u041a\u041a", "ru") == "\u041c\u041a\u041a\u041a"
    True
    """
    cyrillic = sum("\u0400" <= letter <= "\u04ff" for letter in word)
    is_numeral = cyrillic > 0 and set(word) <= _CYRILLIC_NUMERALS
    if (cyrillic == len(word) and language != "en" and not is_numeral) or (
        cyrillic == 0 and language not in ("ru", "kk")
    ):
        return word
    numeral = word.translate(_ROMAN_LOOK_ALIKES)
    if parse_roman(numeral) is not None:
        return numeral
    to_cyrillic = cyrillic * 2 >= len(word) if language is None else language != "en"
    for table in _LOOK_ALIKES if to_cyrillic else reversed(_LOOK_ALIKES):
        if all(letter in table or _is_cyrillic(letter) is (table is _LOOK_ALIKES[0]) for letter in word):
            return "".join(table.get(letter, letter) for letter in word)
    return word


def _is_cyrillic(letter: str) -> bool:
    return "\u0400" <= letter <= "\u04ff"


def _make_look_alikes(letters: Mapping[str, str]) -> Mapping[str, str]:
    return {one: other.upper() if one.isupper() else other for one, other in letters.items()}


_ROMAN_LOOK_ALIKES = str.maketrans("ІХ", "IX")
_CYRILLIC_NUMERALS = frozenset("ІХIVX")
_LOOK_ALIKES = (
    _make_look_alikes({**LATIN_TO_CYRILLIC, "i": "і", "I": "І", "h": "һ", "ə": "ә"}),
    _make_look_alikes(CYRILLIC_TO_LATIN),
)


def _list_plain_characters(text: str) -> Iterator[str]:
    """Yield the characters without accents. The breve of й and the dots of ё are no accents."""
    if text.isascii():
        yield text
        return
    for character in unicodedata.normalize("NFC", text):
        if unicodedata.combining(character):
            continue
        yield character if _is_cyrillic(character) else unicodedata.normalize("NFD", character)[0]


def _read_pieces(text: str, language: str | None) -> list[Token]:
    """Return the tokens of a text without dates."""
    pieces = [
        _Piece(match.lastgroup or "", match[0], match.start() > 0 and not text[match.start() - 1].isspace())
        for match in _PIECE_PATTERN.finditer(text)
        if match.lastgroup != "mark" or match[0] in _KEPT_MARKS
    ]
    pieces = [each for index, each in enumerate(pieces) if not _is_hyphen(pieces, index)]
    return _PieceReader(pieces, language).read_all()


def _is_hyphen(pieces: Sequence[_Piece], index: int) -> bool:
    """Return whether a mark joins two words, or a number and a word. Between numbers it is a range."""
    piece, after = pieces[index], pieces[index + 1] if index + 1 < len(pieces) else None
    if piece.text != "-" or after is None or not after.is_glued or not piece.is_glued or index == 0:
        return False
    before = pieces[index - 1]
    return "word" in (before.kind, after.kind) or (before.text == "%" and after.kind == "word")


class _PieceReader:
    """Turns pieces into tokens, from the first to the last."""

    def __init__(self, pieces: Sequence[_Piece], language: str | None) -> None:
        self._pieces, self._language = pieces, language
        self._at = 0
        self._tokens: list[Token] = []

    def read_all(self) -> list[Token]:
        """Return the tokens of all pieces."""
        while self._at < len(self._pieces):
            if not (self._read_number() or self._read_multiple() or self._read_compound()):
                self._read_other()
        return self._tokens

    def _peek(self, ahead: int = 0) -> _Piece:
        at = self._at + ahead
        return self._pieces[at] if at < len(self._pieces) else _Piece("end", "", False)

    def _get_word(self, ahead: int = 0) -> str:
        piece = self._peek(ahead)
        return piece.text.lower() if piece.kind == "word" else ""

    def _read_number(self) -> bool:
        """Read a number with its unit: "$5 million", "12,5 %-ға", "двести пятьдесят семей"."""
        currency = self._find_currency_before()
        numbers, lengths = self._list_numbers(1 if currency else 0)
        if not numbers:
            return False
        value, count = compose_numbers(numbers)
        first = self._at
        self._at += (1 if currency else 0) + sum(lengths[:count])
        text = " ".join(piece.text for piece in self._pieces[first : self._at])
        word = self._pieces[first].text.lower() if numbers[0].is_spelled else ""
        is_weak = numbers[0].is_weak and count == 1
        self._tokens.append(Token(TokenKind.NUMBER, f"#{value}", text, word, is_weak))
        unit = currency or self._read_unit()
        if unit:
            self._tokens.append(unit if not currency else replace(unit, text=""))
        return True

    def _find_currency_before(self) -> Token | None:
        piece, after = self._peek(), self._peek(1)
        if after.kind != "digits" or not (piece.text in _CURRENCY_MARKS or piece.text.isupper()):
            return None
        unit = _find_unit(piece.text.lower())
        return Token(TokenKind.UNIT, unit, piece.text) if unit else None

    def _list_numbers(self, ahead: int) -> tuple[list[NumberWord], list[int]]:
        """Return the numbers from here on, and how many pieces each takes."""
        numbers: list[NumberWord] = []
        lengths: list[int] = []
        at = ahead
        while True:
            length = 0
            if numbers and self._get_word(at) == "and" and read_number_word(self._get_word(at + 1), self._language):
                length = 1
            piece, word = self._peek(at + length), self._get_word(at + length)
            number = None
            is_short = len(piece.text) <= MAX_NUMBER_LENGTH
            if piece.kind == "digits" and is_short and not (numbers and not numbers[-1].is_scale):
                number = NumberWord(parse_digits(piece.text, self._language), is_spelled=False)
                length += self._count_ending(at + length + 1)
            elif word:
                number = self._read_word_as_number(piece.text, word)
            if number is None:
                return numbers, lengths
            numbers.append(number)
            lengths.append(length + 1)
            at += length + 1

    def _read_word_as_number(self, text: str, word: str) -> NumberWord | None:
        roman = parse_roman(text) if not (text == "I" and self._language in (None, "en")) else None
        if roman is not None:
            return NumberWord(roman, is_spelled=False)
        return read_number_word(word, self._language)

    def _count_ending(self, ahead: int) -> int:
        """Return 1 if an ending such as "-я" or "th" follows the digits, else 0."""
        return int(self._peek(ahead).is_glued and self._get_word(ahead) in _load_number_endings())

    def _read_unit(self) -> Token | None:
        """Read the unit behind a number and the case ending behind its sign."""
        piece, word = self._peek(), self._get_word()
        if word == "per" and self._get_word(1) == "cent":
            self._at += 2
            return Token(TokenKind.UNIT, "unit:percent", "per cent", word)
        unit = _find_unit(piece.text.lower()) if piece.text else None
        if unit is None:
            return None
        self._at += 1
        if not word and self._peek().is_glued and 0 < len(self._get_word()) <= MAX_ENDING_LENGTH:
            self._at += 1
        return Token(TokenKind.UNIT, unit, piece.text, word)

    def _read_multiple(self) -> bool:
        """Read "twice" as 2 times, and "раз в год" as once a year."""
        word = self._get_word()
        value = _load_multiples().get(word)
        if value is None and word == "раз" and self._get_word(1) == "в":
            value = "1"
        if value is None:
            return False
        text = self._peek().text
        self._tokens.append(Token(TokenKind.NUMBER, f"#{value}", text, word, is_weak=value == "1"))
        self._tokens.append(Token(TokenKind.UNIT, "unit:times", "", "раза" if word == "раз" else ""))
        self._at += 1
        return True

    def _read_compound(self) -> bool:
        compound = read_compound(self._get_word())
        if compound is None:
            return False
        value, rest = compound
        self._tokens.append(Token(TokenKind.NUMBER, f"#{value}", self._peek().text))
        if rest:
            self._tokens.append(Token(TokenKind.WORD, rest, rest, rest))
        self._at += 1
        return True

    def _read_other(self) -> None:
        piece = self._peek()
        self._at += 1
        if piece.kind == "mark":
            self._tokens.append(Token(TokenKind.MARK, piece.text, piece.text))
        elif piece.kind == "digits":
            self._tokens.append(Token(TokenKind.NUMBER, f"#{piece.text}", piece.text))
        else:
            word = piece.text.lower()
            self._tokens.append(Token(TokenKind.WORD, word, piece.text, word))


def _drop_year_words(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens without "года", "г." and "жылғы" behind a year."""
    previous: Token | None = None
    for token in tokens:
        is_after_year = previous is not None and is_year(previous)
        if not (is_after_year and (token.key == "unit:year" or token.word in ("г", "ж"))):
            yield token
        previous = token


def is_year(token: Token) -> bool:
    """Return whether a number can be a year."""
    digits = token.key[1:]
    return token.kind is TokenKind.NUMBER and len(digits) == 4 and digits.isdecimal() and int(digits) in YEARS


def _unify_ranges(tokens: Iterator[Token]) -> list[Token]:
    """Return the tokens with "from 6 to 17" and "6–17" as one, and the unit of a range once."""
    unified: list[Token] = []
    rest = list(tokens)
    at = 0
    while at < len(rest):
        begin = at + 1 if rest[at].word in load_grammar("range_beginnings") else at
        end = _find_range_end(rest, begin)
        if end is None or (begin == at and rest[end - 1].key != _RANGE_KEY):
            unified.append(rest[at])
            at += 1
            continue
        unified += [rest[begin], Token(TokenKind.MARK, _RANGE_KEY, rest[end - 1].text)]
        at = end
    return unified


def _find_range_end(tokens: Sequence[Token], begin: int) -> int | None:
    """Return the index of the number that ends a range beginning at `begin`, or None."""
    ends = (TokenKind.NUMBER, TokenKind.DATE)
    if begin >= len(tokens) or tokens[begin].kind not in ends:
        return None
    link = begin + 1
    if link < len(tokens) and tokens[link].kind is TokenKind.UNIT:
        after = tokens[link + 3] if link + 3 < len(tokens) else None
        if after is None or after.key != tokens[link].key:
            return None
        link += 1
    if link + 1 >= len(tokens) or tokens[link + 1].kind not in ends:
        return None
    return link + 1 if tokens[link].key == _RANGE_KEY or tokens[link].key in load_grammar("range_links") else None


def _sort_marks(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens with marks beside each other in one order: `",` is `,"`."""
    marks: list[Token] = []
    for token in tokens:
        if token.kind is TokenKind.MARK:
            marks.append(token)
            continue
        yield from sorted(marks, key=lambda mark: mark.key)
        marks.clear()
        yield token
    yield from sorted(marks, key=lambda mark: mark.key)


# --- word lists, loaded at their first use


@cache
def _load_number_endings() -> frozenset[str]:
    return frozenset(load_default_toml("claim_words.toml")["number_endings"]["words"].split())


@cache
def _load_multiples() -> Mapping[str, str]:
    """Return the number that "twice" and its like stand for."""
    words = load_default_toml("claim_words.toml")["multiples"]
    return {word: value for value, listed in words.items() for word in listed.split()}


@cache
def _load_units() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the units by whole word, and by the beginning of a word."""
    whole: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for unit, words in load_default_toml("claim_words.toml")["units"].items():
        for word in words.split():
            (beginnings if word.endswith("*") else whole)[word.rstrip("*")] = f"unit:{unit}"
    return whole, beginnings


@lru_cache(maxsize=4096)
def _find_unit(word: str) -> str | None:
    whole, beginnings = _load_units()
    if word in whole:
        return whole[word]
    return next((beginnings[word[:length]] for length in range(len(word), 1, -1) if word[:length] in beginnings), None)
