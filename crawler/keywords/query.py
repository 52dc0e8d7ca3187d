"""The query language of rules: one string such as `("Red Cross" OR МККК) AND NOT title:hockey`.

A query becomes a tree of the classes below, the same tree that a rule's lists become. The parser (lark) is only
imported when a rule has a query.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

KAZAKH_LETTERS = frozenset("әғқңөұүһі")

GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: unary (_AND? unary)*
?unary: (_NOT | "-") unary -> negation
      | near
?near: atom (NEAR atom)?
?atom: "(" either ")"
     | FIELD atom -> limited
     | LIMIT (WORD | PHRASE) -> limit
     | SPOKEN (WORD | PHRASE) -> spoken
     | (WORD | PHRASE) -> term
_OR.5: /OR(?![^\s()":])/
_AND.5: /AND(?![^\s()":])/
_NOT.5: /NOT(?![^\s()":])/
FIELD.4: /(title|lead|body):/
LIMIT.4: /(source|lang):/
SPOKEN.4: /(en|ru|kk):/
NEAR.4: /near\/[0-9]{1,2}(?![\w])/i
PHRASE.3: /"[^"]*"/
WORD.1: /(?!(?:AND|OR|NOT)(?![^\s()":]))[^\s()":-][^\s()":]*/
%ignore /\s+/
"""


@dataclass(frozen=True, slots=True)
class Term:
    """A term somewhere in the given fields (none: in any)."""

    text: str
    language: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    """All of these hold."""

    parts: tuple[QueryNode, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of these holds."""

    parts: tuple[QueryNode, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold."""

    part: QueryNode


@dataclass(frozen=True, slots=True)
class Proximity:
    """A term of one side stands at most `words` words from a term of the other, in any order, in one field."""

    left: QueryNode
    right: QueryNode
    max_words: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The article is of this source, or in this language."""

    name: str
    value: str


QueryNode = Term | And | Or | Not | Proximity | Facet


def guess_term_language(term: str) -> str:
    """Which grammar a term follows, told from its letters: en, ru or kk."""
    letters = set(term.lower())
    if letters & KAZAKH_LETTERS:
        return "kk"
    return "ru" if any("а" <= letter <= "я" or letter == "ё" for letter in letters) else "en"


@cache
def _make_parser() -> Lark:
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr")


def parse_query(text: str) -> QueryNode:
    """The tree of a query; ValueError says what is wrong and where."""
    from lark.exceptions import LarkError

    try:
        tree = _make_parser().parse(text)
    except LarkError as error:
        raise ValueError(_explain_syntax_error(error, text)) from error
    return _make_node(tree, ())


def find_query_problem(text: str) -> str | None:
    """What is wrong with a query, as one sentence, or None."""
    try:
        node = parse_query(text)
    except ValueError as error:
        return str(error)
    if not any(True for _ in iterate_positive_terms(node)):
        return "it only says what must not be there; add what must."
    return None


def list_query_terms(text: str) -> list[str]:
    """The terms of a query as written."""
    return [leaf.text for leaf in iterate_terms(parse_query(text))]


def iterate_terms(node: QueryNode) -> Iterator[Term]:
    """Every term of a tree."""
    match node:
        case Term():
            yield node
        case And(parts) | Or(parts):
            for part in parts:
                yield from iterate_terms(part)
        case Not(part):
            yield from iterate_terms(part)
        case Proximity(one, other, _):
            yield from iterate_terms(one)
            yield from iterate_terms(other)


def iterate_positive_terms(node: QueryNode) -> Iterator[Term]:
    """The terms of a tree that do not stand under a NOT."""
    match node:
        case Not():
            return
        case And(parts) | Or(parts):
            for part in parts:
                yield from iterate_positive_terms(part)
        case _:
            yield from iterate_terms(node)


def _make_node(tree: Any, fields: tuple[str, ...]) -> QueryNode:
    parts = tree.children
    match tree.data:
        case "either":
            return Or(tuple(_make_node(part, fields) for part in parts))
        case "both":
            return And(tuple(_make_node(part, fields) for part in parts))
        case "negation":
            return Not(_make_node(parts[-1], fields))
        case "near":
            one, other = _make_node(parts[0], fields), _make_node(parts[2], fields)
            if any(
                not isinstance(part, Term | Or) for side in (one, other) for part in (side, *_list_alternatives(side))
            ):
                raise ValueError(f"on both sides of {parts[1]} there must be a term, or terms joined by OR.")
            return Proximity(one, other, int(parts[1].split("/")[1]))
        case "limited":
            return _make_node(parts[1], (str(parts[0])[:-1],))
        case "limit":
            return Facet(str(parts[0])[:-1], _strip_quotes(parts[1]))
        case "spoken":
            return _make_term(parts[1], fields, str(parts[0])[:-1])
        case _:
            return _make_term(parts[0], fields, None)


def _list_alternatives(node: QueryNode) -> tuple[QueryNode, ...]:
    return node.parts if isinstance(node, Or) else ()


def _make_term(token: str, fields: tuple[str, ...], language: str | None) -> Term:
    term = _strip_quotes(token)
    if not any(character.isalnum() for character in term):
        raise ValueError(f"{token!s} has no letter or digit.")
    if "*" in term[:-1] or (term.endswith("*") and len(term) < 4):
        raise ValueError(f"in {token!s} the * may only stand at the end of at least three letters.")
    return Term(term, language or guess_term_language(term), fields)


def _strip_quotes(token: str) -> str:
    return str(token).strip('"').strip()


def _explain_syntax_error(error: Exception, text: str) -> str:
    position = getattr(error, "pos_in_stream", None)
    if (
        position is None
        or not 0 <= position < len(text)
        or getattr(getattr(error, "token", None), "type", "") == "$END"
    ):
        return "it ends too early; a term, a phrase or a closing bracket is missing."
    before, after = text[max(0, position - 15) : position], text[position : position + 15]
    if after.startswith('"'):
        return f"at character {position + 1} (…{before}»{after}) a quotation mark has no partner."
    return f"at character {position + 1} (…{before}»{after}) a term, a phrase or a bracket was expected."
