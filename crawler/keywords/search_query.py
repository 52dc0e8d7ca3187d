"""What a person types into a search: any text at all becomes a query of the rules' language.

    >>> interpret_query('("Красный Крест" Женева').text
    '("Красный Крест" Женева)'
    >>> interpret_query("12:30 & -").text
    '"12:30"'

The grammar is that of `crawler.keywords.query`, with conditions that only a search has (`rule:`, `is:`, `story:`,
`since:`, `until:`). Where the text is no query, as little of it as possible is changed: what is left open is closed,
what cannot be an operator is searched as text, and what has no letter or digit is left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from crawler.defaults import load_default_toml
from crawler.keywords.inflect_ru import PREPOSITIONS
from crawler.keywords.query import (
    FACETS,
    LANGUAGE_NAMES,
    MIN_OPEN_TERM_LETTERS,
    And,
    Facet,
    Not,
    Or,
    QueryNode,
    Term,
    iterate_leaves,
    parse_query,
    replace_terms,
)
from crawler.text.ages import parse_age
from crawler.text.alphabet import unify_scripts
from crawler.text.cleaning import clean_line
from crawler.text.dates import convert_to_zone

MAX_TERMS = 64
"""Terms of a query. The others are left out."""
MAX_DEPTH = 20
"""Brackets within brackets. Those within are left out."""
CLOSING_QUOTES = {'"': '"', "«": "»", "“": '”"“', "„": '“”"', "”": "”"}
"""Opening quotation marks, each with those that close it."""
FUNCTION_WORDS = PREPOSITIONS | set(load_default_toml("inflection.toml")["russian"]["conjunctions"].split())
"""Russian words that no other language has with endings. Nearly every text has one."""
_NAMES = "title|lead|body|" + "|".join((*LANGUAGE_NAMES, *FACETS))
_PREFIX = re.compile(rf"({_NAMES}):", re.IGNORECASE)
_NEAR = re.compile(r"near/\d{1,2}", re.IGNORECASE)
_OPERATOR = re.compile(r"AND|OR|NOT|(?i:near/\d{1,2})")
_WORD = re.compile(r'[^\s()"«»“”„]+')
_NAME = re.compile(r"\w[\w.-]*")
_PLAIN_WORD = re.compile(r'[^\s()":-][^\s()":]*')
_FIELDS = frozenset({"title", "lead", "body"})


class SearchedState(StrEnum):
    """The values of `is:` in a search: the article was revised, its page is gone, the version was replaced or not."""

    REVISED = "revised"
    UNPUBLISHED = "unpublished"
    SUPERSEDED = "superseded"
    CURRENT = "current"


class TokenType(StrEnum):
    """What a part of a query is."""

    OPEN = "("
    CLOSE = ")"
    OPERATOR = "AND or OR"
    NOT = "NOT"
    NEAR = "near"
    PREFIX = "field or language"
    OPERAND = "term or condition"


class QueryToken(NamedTuple):
    """A part of a query, as the grammar wants it written."""

    type: TokenType
    text: str


@dataclass(frozen=True, slots=True)
class InterpretedQuery:
    """A query as it was understood. `differs`: it is not what was typed, beyond spaces. Without a term: `And(())`."""

    text: str
    node: QueryNode
    differs: bool


def interpret_query(text: str) -> InterpretedQuery:
    """Return the query that a text means. Every text means one."""
    typed = clean_line(text)
    tokens = _repair(list(_scan(typed)))
    node = _parse(tokens)
    if node is None:  # `near` between what has no place, such as a NOT
        tokens = _repair([token for token in tokens if token.type is not TokenType.NEAR])
        node = _parse(tokens)
    if node is None:
        tokens = [token for token in tokens if token.type is TokenType.OPERAND]
        node = _parse(tokens)
    written = _join(tokens)
    explicit = {
        token.text.replace('"', "")
        for prefix, token in pairwise(tokens)
        if prefix.type is TokenType.PREFIX and prefix.text.rstrip(":") in LANGUAGE_NAMES
    }
    tree = _add_kazakh_forms(node or And(()), explicit)
    return InterpretedQuery(written, tree, "".join(written.split()) != "".join(text.split()))


def _add_kazakh_forms(node: QueryNode, explicit: Collection[str]) -> QueryNode:
    """Return the tree with each Cyrillic word also in Kazakh, for texts that are neither Russian nor English.

    "Женева" and "конвенция" have no letter that only Kazakh has. `explicit` are the terms that name their language.
    """

    def add_kazakh_forms(term: Term) -> QueryNode:
        is_written_so = term.text in explicit or term.text.startswith("=") or term.text in FUNCTION_WORDS
        if term.language != "ru" or is_written_so:
            return term
        elsewhere = tuple(Not(Facet("lang", language)) for language in LANGUAGE_NAMES if language != "kk")
        return Or((term, And((replace(term, language="kk"), *elsewhere))))

    return replace_terms(node, add_kazakh_forms)


def parse_search_time(value: str, zone: tzinfo, now: datetime) -> datetime | None:
    """Return the time of `since:` or `until:`, a day, a time or an age, in UTC. None for anything else."""
    try:
        if (age := parse_age(value)) is not None:
            return (now - age).astimezone(UTC)
        return convert_to_zone(datetime.fromisoformat(value.strip()), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def list_facets(node: QueryNode) -> list[Facet]:
    """Return all conditions of a tree."""
    return [leaf for leaf in iterate_leaves(node) if isinstance(leaf, Facet)]


def list_required_facets(node: QueryNode) -> list[Facet]:
    """Return the conditions without which a tree never holds."""
    match node:
        case Facet():
            return [node]
        case And(parts):
            return [facet for part in parts for facet in list_required_facets(part)]
        case _:
            return []


def _scan(text: str) -> Iterator[QueryToken]:
    """Yield the parts of a text. Words, phrases and conditions are written so that the grammar reads them."""
    at = 0
    while at < len(text):
        character = text[at]
        if character in "()":
            yield QueryToken(TokenType(character), character)
            at += 1
        elif character == "-" and text[at + 1 : at + 2].strip(" )-") and text[at - 1 : at].strip("( ") == "":
            yield QueryToken(TokenType.NOT, "-")
            at += 1
        elif (phrase := _find_phrase(text, at)) is not None:
            content, at = phrase
            yield from _make_operand(content, is_phrase=True)
        elif found := _WORD.match(text, at):
            tokens, at = _scan_word(text, found)
            yield from tokens
        else:  # a space, or a quotation mark without a partner
            at += 1


def _scan_word(text: str, found: re.Match[str]) -> tuple[list[QueryToken], int]:
    """Return the parts of a word, with the phrase or the bracket that follows a prefix, and where they end."""
    word, end = found[0], found.end()
    if word in ("AND", "OR"):
        return [QueryToken(TokenType.OPERATOR, word)], end
    if word == "NOT":
        return [QueryToken(TokenType.NOT, "NOT ")], end
    if _NEAR.fullmatch(word):
        return [QueryToken(TokenType.NEAR, word.lower())], end
    if word == "=" and (phrase := _find_phrase(text, end)) is not None:
        return list(_make_operand(phrase[0], is_phrase=True, start="=")), phrase[1]
    prefix = _PREFIX.match(word)
    if prefix is None:
        return list(_make_operand(word)), end
    name, rest = prefix[1].lower(), word[prefix.end() :]
    if name in _FIELDS and not rest and text[end : end + 1] == "(":
        return [QueryToken(TokenType.PREFIX, f"{name}:")], end
    phrase = _find_phrase(text, end) if rest in ("", "=") else None
    value, end = phrase or (rest, end)
    if name in FACETS:
        facet = _make_facet(name, value)
        return [facet] if facet else list(_make_operand(f"{name}:{value}", is_phrase=True)), end
    operand = list(_make_operand(value, is_phrase=phrase is not None, start="=" if phrase and rest else ""))
    return ([QueryToken(TokenType.PREFIX, f"{name}:"), *operand] if operand else list(_make_operand(name))), end


def _find_phrase(text: str, at: int) -> tuple[str, int] | None:
    """Return the text in quotation marks that begins at a place, and where it ends."""
    closing = CLOSING_QUOTES.get(text[at : at + 1])
    if closing is None:
        return None
    end = min((found for mark in closing if (found := text.find(mark, at + 1)) > 0), default=-1)
    return (text[at + 1 : end], end + 1) if end > 0 else None


def _make_operand(text: str, *, is_phrase: bool = False, start: str = "") -> Iterator[QueryToken]:
    """Yield a term, nothing for a text without a letter or a digit."""
    if not is_phrase and text.startswith("="):
        start, text = "=", text[1:]
    is_open = text.endswith("*") and not start and not is_phrase
    term = _strip_marks(unify_scripts(text).replace("*", " ").replace('"', " "))
    if not term:
        return
    if is_open and len(term) >= MIN_OPEN_TERM_LETTERS and _PLAIN_WORD.fullmatch(term):
        yield QueryToken(TokenType.OPERAND, f"{term}*")
    elif is_phrase or not _PLAIN_WORD.fullmatch(term) or _OPERATOR.fullmatch(term):
        yield QueryToken(TokenType.OPERAND, f"{start}{_quote(term)}")
    else:
        yield QueryToken(TokenType.OPERAND, start + term)


def _make_facet(name: str, value: str) -> QueryToken | None:
    """Return a condition, or None if it cannot have the value."""
    value = value.strip()
    match name:
        case "since" | "until":
            is_possible = parse_search_time(value, UTC, datetime.now(UTC)) is not None
        case "story":
            is_possible = value.isascii() and value.isdigit() and len(value) < 10
        case "is" | "lang":
            value = value.lower()
            is_possible = value in tuple(SearchedState if name == "is" else LANGUAGE_NAMES)
        case _:
            is_possible = _NAME.fullmatch(value) is not None
    if not is_possible:
        return None
    return QueryToken(TokenType.OPERAND, f"{name}:{value if _PLAIN_WORD.fullmatch(value) else _quote(value)}")


def _strip_marks(text: str) -> str:
    """Return a text from its first to its last letter or digit."""
    places = [index for index, character in enumerate(text) if character.isalnum()]
    return " ".join(text[places[0] : places[-1] + 1].split()) if places else ""


def _quote(text: str) -> str:
    return f'"{text}"'


def _repair(tokens: list[QueryToken]) -> list[QueryToken]:
    """Return the parts that make a query: operators between operands, brackets in pairs, not too many of either."""
    done: list[QueryToken] = []
    open_at: list[int] = []
    dropped = terms = 0
    for token in tokens:
        match token.type:
            case TokenType.OPEN:
                if len(open_at) >= MAX_DEPTH:
                    dropped += 1
                    _drop_dangling(done)
                    continue
                open_at.append(len(done))
            case TokenType.CLOSE:
                if dropped:
                    dropped -= 1
                    continue
                if not open_at:
                    continue
                _drop_dangling(done)
                if open_at.pop() == len(done) - 1:  # nothing is in the brackets
                    done.pop()
                    _drop_dangling(done)
                    continue
            case TokenType.OPERAND:
                terms += 1
                if terms > MAX_TERMS:
                    _drop_dangling(done)
                    continue
            case TokenType.NOT:
                if done and done[-1].type in (TokenType.NOT, TokenType.PREFIX):
                    continue
            case TokenType.OPERATOR | TokenType.NEAR:
                _drop_dangling(done)
                is_first = not done or done[-1].type is TokenType.OPEN
                is_second = token.type is TokenType.NEAR and len(done) > 1 and done[-2].type is TokenType.NEAR
                if is_first or is_second:
                    continue
        done.append(token)
    _drop_dangling(done)
    while open_at:
        if open_at.pop() == len(done) - 1:
            done.pop()
        else:
            done.append(QueryToken(TokenType.CLOSE, ")"))
        _drop_dangling(done)
    return done


def _drop_dangling(tokens: list[QueryToken]) -> None:
    """Remove operators and prefixes at the end, which have no operand."""
    while tokens and tokens[-1].type in (TokenType.OPERATOR, TokenType.NOT, TokenType.NEAR, TokenType.PREFIX):
        tokens.pop()


def _parse(tokens: list[QueryToken]) -> QueryNode | None:
    """Return the tree, `And(())` without parts, None if the grammar does not read it."""
    if not tokens:
        return And(())
    try:
        return parse_query(_join(tokens), facets=(*FACETS,))
    except ValueError:
        return None


def _join(tokens: list[QueryToken]) -> str:
    """Return the parts as one text."""
    text, is_glued = "", True
    for token in tokens:
        is_glued = is_glued or token.type is TokenType.CLOSE
        text = text.rstrip() if token.type is TokenType.CLOSE else text
        text += token.text if is_glued or text.endswith(" ") else f" {token.text}"
        is_glued = token.type in (TokenType.OPEN, TokenType.PREFIX) or token.text == "-"
    return text
