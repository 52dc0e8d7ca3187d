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
class Leaf:
    """A term somewhere in the given fields (none: in any)."""

    term: str
    language: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Both:
    """All of these hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """This does not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class Near:
    """A term of one side stands at most `words` words from a term of the other, in any order, in one field."""

    one: Node
    other: Node
    words: int


@dataclass(frozen=True, slots=True)
class Limit:
    """The article is of this source, or in this language."""

    kind: str
    value: str


Node = Leaf | Both | Either | Negation | Near | Limit


def language_of(term: str) -> str:
    """Which grammar a term follows, told from its letters: en, ru or kk."""
    letters = set(term.lower())
    if letters & KAZAKH_LETTERS:
        return "kk"
    return "ru" if any("а" <= letter <= "я" or letter == "ё" for letter in letters) else "en"


@cache
def _parser() -> Lark:
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr")


def parse(text: str) -> Node:
    """The tree of a query; ValueError says what is wrong and where."""
    from lark.exceptions import LarkError

    try:
        tree = _parser().parse(text)
    except LarkError as error:
        raise ValueError(_explained(error, text)) from error
    return _node(tree, ())


def problem(text: str) -> str | None:
    """What is wrong with a query, as one sentence, or None."""
    try:
        node = parse(text)
    except ValueError as error:
        return str(error)
    if not any(True for _ in positive(node)):
        return "it only says what must not be there; add what must."
    return None


def terms(text: str) -> list[str]:
    """The terms of a query as written."""
    return [leaf.term for leaf in leaves(parse(text))]


def leaves(node: Node) -> Iterator[Leaf]:
    """Every term of a tree."""
    match node:
        case Leaf():
            yield node
        case Both(parts) | Either(parts):
            for part in parts:
                yield from leaves(part)
        case Negation(part):
            yield from leaves(part)
        case Near(one, other, _):
            yield from leaves(one)
            yield from leaves(other)


def positive(node: Node) -> Iterator[Leaf]:
    """The terms of a tree that do not stand under a NOT."""
    match node:
        case Negation():
            return
        case Both(parts) | Either(parts):
            for part in parts:
                yield from positive(part)
        case _:
            yield from leaves(node)


def _node(tree: Any, fields: tuple[str, ...]) -> Node:
    parts = tree.children
    match tree.data:
        case "either":
            return Either(tuple(_node(part, fields) for part in parts))
        case "both":
            return Both(tuple(_node(part, fields) for part in parts))
        case "negation":
            return Negation(_node(parts[-1], fields))
        case "near":
            one, other = _node(parts[0], fields), _node(parts[2], fields)
            if any(
                not isinstance(part, Leaf | Either) for side in (one, other) for part in (side, *_alternatives(side))
            ):
                raise ValueError(f"on both sides of {parts[1]} there must be a term, or terms joined by OR.")
            return Near(one, other, int(parts[1].split("/")[1]))
        case "limited":
            return _node(parts[1], (str(parts[0])[:-1],))
        case "limit":
            return Limit(str(parts[0])[:-1], _unquoted(parts[1]))
        case "spoken":
            return _leaf(parts[1], fields, str(parts[0])[:-1])
        case _:
            return _leaf(parts[0], fields, None)


def _alternatives(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, Either) else ()


def _leaf(token: str, fields: tuple[str, ...], language: str | None) -> Leaf:
    term = _unquoted(token)
    if not any(character.isalnum() for character in term):
        raise ValueError(f"{token!s} has no letter or digit.")
    if "*" in term[:-1] or (term.endswith("*") and len(term) < 4):
        raise ValueError(f"in {token!s} the * may only stand at the end of at least three letters.")
    return Leaf(term, language or language_of(term), fields)


def _unquoted(token: str) -> str:
    return str(token).strip('"').strip()


def _explained(error: Exception, text: str) -> str:
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
