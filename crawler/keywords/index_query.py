"""A query as the full-text index can answer it: phrases of exact words, joined by AND, OR and NOT.

The index has words as written, so each term becomes all its forms. What the index cannot answer (distance, the story of
an article) is left out, so that it finds at least what the query means. `QueryMatcher` then confirms each hit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, product

from crawler.keywords.abbreviations import is_abbreviation
from crawler.keywords.automaton import make_search_patterns
from crawler.keywords.query import And, Facet, Not, Or, Proximity, QueryNode, Term
from crawler.text.folding import decode_folded

MIN_SCANNED_LETTERS = 4
"""Letters of a stem from which its words are read from the vocabulary; for shorter ones each form is looked up."""
MAX_FORMS_PER_TERM = 2000
FOOTNOTE_DIGITS = 2
DIGITS = "0123456789"
LAST_CHARACTER = "\U0010ffff"
AFTER_DIGITS = ":"
"""The character after 9."""
INDEXED_FACETS = ("source", "lang")

ListWords = Callable[[str, str], Iterable[str]]
"""Returns the words of the index from the first string to before the second."""


@dataclass(frozen=True, slots=True)
class IndexPhrase:
    """Words one after the other; `.` is the end of a phrase. `is_open`: the last word is only a beginning."""

    words: tuple[str, ...]
    fields: tuple[str, ...] = ()
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class IndexFacet:
    """The article has this source or language."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class IndexAnd:
    """All parts; without parts, every entry."""

    parts: tuple[IndexNode, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexOr:
    """At least one part; without parts, no entry."""

    parts: tuple[IndexNode, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexNot:
    """Entries for which the part does not hold."""

    part: IndexNode


IndexNode = IndexPhrase | IndexFacet | IndexAnd | IndexOr | IndexNot
EVERYTHING, NOTHING = IndexAnd(), IndexOr()


@dataclass(frozen=True, slots=True)
class IndexQuery:
    """What to ask the index. `is_exact`: it finds nothing beyond what the query means."""

    node: IndexNode
    is_exact: bool


def make_index_query(node: QueryNode, list_words: ListWords) -> IndexQuery:
    """Return the query of the index for a tree, with the forms that the index has."""
    found, is_exact = _translate(node, list_words)
    return IndexQuery(found, is_exact)


def _translate(node: QueryNode, list_words: ListWords) -> tuple[IndexNode, bool]:
    """Return a node that finds at least what the tree means, and whether it finds nothing else."""
    match node:
        case Term():
            # The matcher drops words that only fold to an abbreviation (МКҚК is no МККК).
            return join_or(_list_phrases(node, list_words)), not is_abbreviation(node.text)
        case And(parts):
            nodes = [_translate(part, list_words) for part in parts]
            return join_and(part for part, _ in nodes), all(is_exact for _, is_exact in nodes)
        case Or(parts):
            nodes = [_translate(part, list_words) for part in parts]
            return join_or(part for part, _ in nodes), all(is_exact for _, is_exact in nodes)
        case Not(part):
            inner, is_exact = _translate(part, list_words)
            return (_negate(inner), True) if is_exact else (EVERYTHING, False)
        case Proximity(left, right, _):
            return join_and(_translate(side, list_words)[0] for side in (left, right)), False
        case Facet(name, value) if name in INDEXED_FACETS:
            return IndexFacet(name, value), True
        case Facet():
            return EVERYTHING, False


def join_and(parts: Iterable[IndexNode]) -> IndexNode:
    """Return the parts as one node."""
    flat: dict[IndexNode, None] = {}
    for part in parts:
        if part == NOTHING:
            return NOTHING
        flat |= dict.fromkeys(part.parts if isinstance(part, IndexAnd) else (part,))
    return next(iter(flat)) if len(flat) == 1 else IndexAnd(tuple(flat))


def join_or(parts: Iterable[IndexNode]) -> IndexNode:
    """Return the parts as one node."""
    flat: dict[IndexNode, None] = {}
    for part in parts:
        if part == EVERYTHING:
            return EVERYTHING
        flat |= dict.fromkeys(part.parts if isinstance(part, IndexOr) else (part,))
    return next(iter(flat)) if len(flat) == 1 else IndexOr(tuple(flat))


def _negate(node: IndexNode) -> IndexNode:
    if isinstance(node, IndexNot):
        return node.part
    if node in (EVERYTHING, NOTHING):
        return NOTHING if node == EVERYTHING else EVERYTHING
    return IndexNot(node)


def _list_phrases(term: Term, list_words: ListWords) -> Iterator[IndexPhrase]:
    """Yield every form of a term that the index may have, also with the number of a footnote ("МККК3")."""
    for pattern, endings in make_search_patterns(term.text, term.language):
        *before, last = decode_folded(pattern).removeprefix(" ").split(" ")
        if not last:  # the pattern ends with a space: it is a whole form
            *before, last = before
            lasts: Iterable[str] = _list_with_footnotes(last, list_words)
        elif endings is None:
            yield IndexPhrase((*before, last), term.fields, is_open=True)
            continue
        else:
            lasts = list_inflected(last, endings, list_words)
        heads = [_list_with_footnotes(word, list_words) for word in before]
        forms = product(*heads, lasts)
        yield from (IndexPhrase(words, term.fields) for words in islice(forms, MAX_FORMS_PER_TERM))


def list_inflected(stem: str, endings: frozenset[bytes], list_words: ListWords) -> list[str]:
    """Return the words of the index that are the stem with one of the endings, and perhaps a footnote's number."""
    forms = {stem + decode_folded(ending) for ending in endings}
    if len(stem) < MIN_SCANNED_LETTERS:
        return sorted(forms)
    return [word for word in list_words(stem, stem + LAST_CHARACTER) if _strip_footnote(word) in forms]


def _list_with_footnotes(word: str, list_words: ListWords) -> list[str]:
    if not word[-2:].isalpha() or len(word) < 2:
        return [word]
    return [word, *(each for each in list_words(word + "0", word + AFTER_DIGITS) if _strip_footnote(each) == word)]


def _strip_footnote(word: str) -> str:
    """Return the word without the number of a footnote that is glued to it ("МККК3")."""
    bare = word.rstrip(DIGITS)
    return bare if len(word) - len(bare) <= FOOTNOTE_DIGITS else word
