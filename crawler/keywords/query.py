"""The query language of rules and searches: one string such as `("Red Cross" OR МККК) AND NOT title:hockey`.

A query becomes a tree of the classes below. The lists of a rule become the same tree. The parser (lark) is imported
when a rule has a query, because it takes 0.05 s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from crawler.text.alphabet import KAZAKH_LETTERS

if TYPE_CHECKING:
    from lark import Lark

MIN_OPEN_TERM_LETTERS = 3
"""Letters before a `*`: fewer would match nearly everything."""
MAX_NESTED_PARTS = 100
"""Levels of AND, OR and NOT within each other. Python's own limit is a few hundred."""
ERROR_CONTEXT_CHARACTERS = 15
"""Characters of the query that an error shows before and after the position."""

LANGUAGE_NAMES = ("en", "ru", "kk")
RULE_FACETS = ("source", "lang")
EXTRA_FACETS = ("rule", "is", "story", "since", "until")
"""Conditions that only a search knows: a rule is matched before these are known."""
FACETS = (*RULE_FACETS, *EXTRA_FACETS)

GRAMMAR = r"""
?start: or
?or: and (_OR and)*
?and: unary (_AND? unary)*
?unary: (_NOT | "-") unary -> not
      | proximity
?proximity: atom (NEAR atom)?
?atom: "(" or ")"
     | FIELD atom -> in_field
     | FACET (WORD | PHRASE) -> facet
     | LANGUAGE (WORD | PHRASE | EXACT_PHRASE) -> term_in_language
     | (WORD | PHRASE | EXACT_PHRASE) -> term
_OR.5: /OR(?![^\s()":])/
_AND.5: /AND(?![^\s()":])/
_NOT.5: /NOT(?![^\s()":])/
FIELD.4: /(title|lead|body):/
FACET.4: /(FACETS):/
LANGUAGE.4: /(LANGUAGES):/
NEAR.4: /near\/[0-9]{1,2}(?![\w])/i
PHRASE.3: /"[^"]*"/
EXACT_PHRASE.3: /="[^"]*"/
WORD.1: /(?!(?:AND|OR|NOT)(?![^\s()":]))[^\s()":-][^\s()":]*/
%ignore /\s+/
""".replace("FACETS", "|".join(FACETS)).replace("LANGUAGES", "|".join(LANGUAGE_NAMES))


@dataclass(frozen=True, slots=True)
class Term:
    """A term somewhere in the given fields, or in any field when there are none."""

    text: str
    language: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple[QueryNode, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple[QueryNode, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: QueryNode


@dataclass(frozen=True, slots=True)
class Proximity:
    """A term of each side is in one field, in any order, with at most `max_words` words between."""

    left: QueryNode
    right: QueryNode
    max_words: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The article has this value. `name` is one of `FACETS`."""

    name: str
    value: str


QueryNode = Term | And | Or | Not | Proximity | Facet


def guess_term_language(term: str) -> str:
    """Return the language whose grammar a term follows, by its letters: en, ru or kk."""
    letters = set(term.lower())
    if letters & set(KAZAKH_LETTERS):
        return "kk"
    return "ru" if any("а" <= letter <= "я" or letter == "ё" for letter in letters) else "en"


@cache
def _make_parser() -> Lark:
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr")


def parse_query(text: str, facets: Collection[str] = RULE_FACETS) -> QueryNode:
    """Return the tree of a query with these conditions. A ValueError says what is wrong and where."""
    from lark.exceptions import LarkError

    try:
        tree = _make_parser().parse(text)
    except LarkError as error:
        raise ValueError(_explain_syntax_error(error, text)) from error
    for facet in tree.find_data("facet"):
        if str(facet.children[0])[:-1] not in facets:
            raise ValueError(f"{facet.children[0]} can only be used in a search, not in a rule.")
    level: list[Any] = [tree]
    for _ in range(MAX_NESTED_PARTS):
        level = [child for node in level for child in node.children if hasattr(child, "children")]
    if level:
        raise ValueError(f"it has more than {MAX_NESTED_PARTS} parts within each other; use fewer brackets.")
    return _make_node(tree, ())


def find_query_problem(text: str) -> str | None:
    """Return a sentence about the mistake in a query, or None for a good query."""
    try:
        node = parse_query(text)
    except ValueError as error:
        return str(error)
    if not any(True for _ in iterate_positive_terms(node)):
        return "it only excludes terms; add a term that must be in the text."
    return None


def list_query_terms(text: str) -> list[str]:
    """Return the terms of a query as written."""
    return [term.text for term in iterate_terms(parse_query(text))]


def iterate_terms(node: QueryNode) -> Iterator[Term]:
    """Yield every term of a tree."""
    return (leaf for leaf in iterate_leaves(node) if isinstance(leaf, Term))


def iterate_leaves(node: QueryNode) -> Iterator[Term | Facet]:
    """Yield every term and condition of a tree, from left to right."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from iterate_leaves(part)
        case Not(part):
            yield from iterate_leaves(part)
        case Proximity(left, right, _):
            yield from iterate_leaves(left)
            yield from iterate_leaves(right)
        case _:
            yield node


def replace_terms(node: QueryNode, replace: Callable[[Term], QueryNode]) -> QueryNode:
    """Return the tree with what `replace` makes of each term in its place."""
    match node:
        case Term():
            return replace(node)
        case And(parts):
            return And(tuple(replace_terms(part, replace) for part in parts))
        case Or(parts):
            return Or(tuple(replace_terms(part, replace) for part in parts))
        case Not(part):
            return Not(replace_terms(part, replace))
        case Proximity(left, right, max_words):
            return Proximity(replace_terms(left, replace), replace_terms(right, replace), max_words)
        case _:
            return node


def iterate_positive_terms(node: QueryNode) -> Iterator[Term]:
    """Yield the terms of a tree that are not below a NOT."""
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
        case "or":
            return Or(tuple(_make_node(part, fields) for part in parts))
        case "and":
            return And(tuple(_make_node(part, fields) for part in parts))
        case "not":
            return Not(_make_node(parts[-1], fields))
        case "proximity":
            return _make_proximity(_make_node(parts[0], fields), _make_node(parts[2], fields), str(parts[1]))
        case "in_field":
            return _make_node(parts[1], (str(parts[0])[:-1],))
        case "facet":
            return Facet(str(parts[0])[:-1], _strip_quotes(parts[1]))
        case "term_in_language":
            return _make_term(parts[1], fields, str(parts[0])[:-1])
        case _:
            return _make_term(parts[0], fields, None)


def _make_proximity(left: QueryNode, right: QueryNode, operator: str) -> Proximity:
    for side in (left, right):
        alternatives = side.parts if isinstance(side, Or) else ()
        if any(not isinstance(part, Term | Or) for part in (side, *alternatives)):
            raise ValueError(f"on both sides of {operator} there must be a term, or terms joined by OR.")
    return Proximity(left, right, int(operator.split("/")[1]))


def _make_term(token: str, fields: tuple[str, ...], language: str | None) -> Term:
    text = _strip_quotes(token)
    if not any(character.isalnum() for character in text):
        raise ValueError(f"{token!s} has no letter or digit.")
    if "*" in text[:-1] or (text.endswith("*") and len(text) <= MIN_OPEN_TERM_LETTERS):
        raise ValueError(f"in {token!s} the * must be at the end of at least three letters.")
    return Term(text, language or guess_term_language(text), fields)


def _strip_quotes(token: str) -> str:
    start = "=" if str(token).startswith('="') else ""
    return start + str(token).removeprefix(start).strip('"').strip()


def _explain_syntax_error(error: Exception, text: str) -> str:
    position = getattr(error, "pos_in_stream", None)
    is_at_end = getattr(getattr(error, "token", None), "type", "") == "$END"
    if position is None or not 0 <= position < len(text) or is_at_end:
        return "it ends too early; a term, a phrase or a closing bracket is missing."
    before = text[max(0, position - ERROR_CONTEXT_CHARACTERS) : position]
    after = text[position : position + ERROR_CONTEXT_CHARACTERS]
    if after.startswith('"'):
        return f"at character {position + 1} (…{before}»{after}) a quotation mark has no partner."
    return f"at character {position + 1} (…{before}»{after}) a term, a phrase or a bracket was expected."
