"""A query as the full-text index can answer it: phrases of exact words, joined by AND, OR and NOT.

The index has words as written, so each term becomes all its forms. What the index cannot answer (distance, the story of
an article) is left out, so that it finds at least what the query means. `QueryMatcher` then confirms each hit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice, product

from crawler.keywords.abbreviations import is_abbreviation
from crawler.keywords.automaton import make_search_patterns
from crawler.keywords.query import And, Facet, Not, Or, Proximity, QueryNode, Term, iterate_terms
from crawler.text.folding import PHRASE_END, decode_folded

MIN_SCANNED_LETTERS = 4
"""Letters by which words are read from the vocabulary: those of a stem, or of a shorter stem and its endings."""
MAX_FORMS_PER_PATTERN = 2000
MAX_PHRASE_WORDS = 32
"""Words of a phrase that the index is asked for. PostgreSQL takes a minute for a phrase of 1,500 words."""
MAX_WORD_LENGTH = 64
"""Characters of a word that are indexed. PostgreSQL takes at most 2 kB."""
PHRASE_MARK = chr(PHRASE_END)
"""What is between the phrases of a folded text. The index has its places, but it is no word."""
FOOTNOTE_DIGITS = 2
DIGITS = "0123456789"
FIRST_CHARACTER, LAST_CHARACTER = "\1", "\U0010ffff"
AFTER_DIGITS = ":"
"""The character after 9."""
INDEXED_FACETS = ("source", "lang")
MARKS = ("any:", "date:", "lang:", "long:", "source:")
"""What those words of an entry begin with that are not of its text. PostgreSQL finds them by `dat*` too."""

WordRange = tuple[str, str]
"""The words from the first string to before the second."""
ListWords = Callable[[Collection[WordRange]], Sequence[str]]
"""Returns the words of the index in any of the ranges, in order."""


@dataclass(frozen=True, slots=True)
class IndexPhrase:
    """Words one after the other; `PHRASE_MARK` is the end of a phrase. `is_open`: the last word is only a beginning."""

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


def make_index_query(node: QueryNode, list_words: ListWords, enforced: Collection[Facet] = ()) -> IndexQuery:
    """Return the query of the index for a tree, with the forms that the index has.

    `enforced` are conditions that hold for whatever is found, because the caller asks the database for them.
    """
    return IndexQuery(*_Translation(list(iterate_terms(node)), list_words, enforced).translate(node))


def make_term_queries(terms: Collection[Term], list_words: ListWords) -> list[IndexNode]:
    """Return a query of the index for each term that may be in a text."""
    translation = _Translation(terms, list_words, ())
    nodes = (translation.translate(term)[0] for term in terms)
    return [node for node in nodes if node != NOTHING]


class Vocabulary:
    """Words of the index, in order."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    def list_between(self, first: str, last: str) -> Sequence[str]:
        """Return the words from `first` to before `last`."""
        return self._words[bisect_left(self._words, first) : bisect_left(self._words, last)]

    def list_beginning(self, start: str) -> Sequence[str]:
        """Return the words that begin with `start`."""
        return self.list_between(start, start + LAST_CHARACTER)


@dataclass(frozen=True, slots=True)
class FormPattern:
    """Forms of a term: its first words, and a last word that is whole, open, or a stem with one of some endings.

    `is_cut`: the term has more words, which the matcher looks for.
    """

    head: tuple[str, ...]
    last: str
    is_open: bool = False
    endings: frozenset[bytes] | None = None
    is_cut: bool = False

    def list_ranges(self) -> Iterator[WordRange]:
        """Yield the ranges of words to read from the index."""
        for start in [self.last] if self._may_begin_mark() else self._list_starts():
            yield start, start + LAST_CHARACTER
        yield from map(_get_range, self._list_whole_words())

    def list_phrases(self, vocabulary: Vocabulary, fields: tuple[str, ...]) -> Iterator[IndexPhrase]:
        """Yield the forms that the index may have, also with the number of a footnote ("МККК3")."""
        heads = [_list_known(word, vocabulary) for word in self.head]
        is_open = self._remains_open(vocabulary)
        lasts: Iterable[str]
        if is_open:
            lasts = [self.last]
        elif self.is_open:
            lasts = vocabulary.list_beginning(self.last)
        elif self.endings is None:
            lasts = _list_known(self.last, vocabulary)
        else:
            forms = {self.last + ending for ending in _decode_endings(self.endings)}
            starts = self._list_starts()
            found = chain.from_iterable(map(vocabulary.list_beginning, starts))
            read = {word for word in found if word in forms or _strip_footnote(word) in forms}
            lasts = sorted(read | {form for form in forms if not form.startswith(tuple(starts))})
        for words in islice(product(*heads, lasts), MAX_FORMS_PER_PATTERN):
            yield IndexPhrase(words, fields, is_open)

    def is_exact(self, vocabulary: Vocabulary) -> bool:
        """Return whether the phrases find nothing else than the forms."""
        return not self.is_cut and not (self._may_begin_mark() and self._remains_open(vocabulary))

    def _remains_open(self, vocabulary: Vocabulary) -> bool:
        """Return whether the index is asked for a beginning, and not for the words with it, as for one of a mark."""
        if not self._may_begin_mark():
            return self.is_open
        return len(vocabulary.list_beginning(self.last)) > MAX_FORMS_PER_PATTERN

    def _may_begin_mark(self) -> bool:
        return self.is_open and not self.head and any(mark.startswith(self.last) for mark in MARKS)

    def _list_starts(self) -> list[str]:
        """Return the beginnings by which the forms of the last word are read. Forms that are shorter are not read."""
        if self.endings is None:
            return []
        missing = max(0, MIN_SCANNED_LETTERS - len(self.last))
        forms = {self.last + ending[:missing] for ending in _decode_endings(self.endings)}
        return sorted({form for form in forms if len(form) >= MIN_SCANNED_LETTERS})

    def _list_whole_words(self) -> tuple[str, ...]:
        return self.head if self.is_open or self.endings is not None else (*self.head, self.last)


class _Translation:
    """Translates trees with the words of one index."""

    def __init__(self, terms: Collection[Term], list_words: ListWords, enforced: Collection[Facet]) -> None:
        self._patterns = {term: list(_list_patterns(term)) for term in terms}
        wanted = {each for of_term in self._patterns.values() for pattern in of_term for each in pattern.list_ranges()}
        self._vocabulary = Vocabulary(list_words(wanted) if wanted else ())
        self._enforced = enforced

    def translate(self, node: QueryNode) -> tuple[IndexNode, bool]:
        """Return a node that finds at least what the tree means, and whether it finds nothing else."""
        match node:
            case Term():
                # The matcher drops words that only fold to an abbreviation (МКҚК is no МККК).
                patterns = self._patterns[node]
                forms = (each.list_phrases(self._vocabulary, node.fields) for each in patterns)
                is_exact = not is_abbreviation(node.text) and all(each.is_exact(self._vocabulary) for each in patterns)
                return join_or(chain.from_iterable(forms)), is_exact
            case And(parts):
                nodes = [self.translate(part) for part in parts]
                return join_and(part for part, _ in nodes), all(is_exact for _, is_exact in nodes)
            case Or(parts):
                nodes = [self.translate(part) for part in parts]
                return join_or(part for part, _ in nodes), all(is_exact for _, is_exact in nodes)
            case Not(part):
                inner, is_exact = self.translate(part)
                return (_negate(inner), True) if is_exact else (EVERYTHING, False)
            case Proximity(left, right, _):
                return join_and(self.translate(side)[0] for side in (left, right)), False
            case Facet(name, value) if name in INDEXED_FACETS:
                return IndexFacet(name, value), True
            case Facet():
                return EVERYTHING, node in self._enforced


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
    phrases = {part for part in flat if isinstance(part, IndexPhrase)}
    left = [part for each in flat if (part := _absorb(each, phrases)) != NOTHING]
    return left[0] if len(left) == 1 else IndexOr(tuple(left))


def select_phrases(node: IndexNode, field: str | None = None) -> IndexNode:
    """Return a node for texts that have the phrases of another one, in a field. Its other conditions are left out."""
    match node:
        case IndexPhrase(words, fields, is_open) if field is None or not fields or field in fields:
            return IndexPhrase(words, (field,) if field else fields, is_open)
        case IndexOr(parts):
            return join_or(select_phrases(part, field) for part in parts)
        case IndexAnd(parts):
            found = [each for part in parts if (each := select_phrases(part, field)) != NOTHING]
            return join_and(found) if found else NOTHING
        case _:
            return NOTHING


def _absorb(node: IndexNode, phrases: Collection[IndexPhrase]) -> IndexNode:
    """Return an alternative of phrases without the same phrases in its conditions: A or (A or B) and C is A or B and C.

    Without this, the Kazakh alternative of a Russian word would visit every Russian text that has the word.
    """
    if not isinstance(node, IndexAnd):
        return node
    parts: list[IndexNode] = []
    for part in node.parts:
        others = [each for each in part.parts if each not in phrases] if isinstance(part, IndexOr) else [part]
        if not others or part in phrases:
            return NOTHING
        parts.append(others[0] if len(others) == 1 else IndexOr(tuple(others)))
    return IndexAnd(tuple(parts))


def _negate(node: IndexNode) -> IndexNode:
    if isinstance(node, IndexNot):
        return node.part
    if node in (EVERYTHING, NOTHING):
        return NOTHING if node == EVERYTHING else EVERYTHING
    return IndexNot(node)


@lru_cache
def _decode_endings(endings: frozenset[bytes]) -> tuple[str, ...]:
    """Return folded endings as characters. All terms of a language with one kind of stem share them."""
    return tuple(map(decode_folded, endings))


def _list_patterns(term: Term) -> Iterator[FormPattern]:
    for pattern, endings in make_search_patterns(term.text, term.language):
        *head, last = decode_folded(pattern).removeprefix(" ").split(" ")
        if len(head) > MAX_PHRASE_WORDS:
            yield FormPattern(tuple(head[: MAX_PHRASE_WORDS - 1]), head[MAX_PHRASE_WORDS - 1], is_cut=True)
        elif last:
            yield FormPattern(tuple(head), last, is_open=endings is None, endings=endings)
        else:  # the pattern ends with a space: it is a whole form
            yield FormPattern(tuple(head[:-1]), head[-1])


def _get_range(word: str) -> WordRange:
    """Return the range of a word, and of the word with the number of a footnote."""
    may_have_footnote = len(word) > 1 and word[-2:].isalpha()
    return word, word + (AFTER_DIGITS if may_have_footnote else FIRST_CHARACTER)


def _list_known(word: str, vocabulary: Vocabulary) -> list[str]:
    """Return the word, and the same with the number of a footnote, as far as the index has them."""
    if word == PHRASE_MARK or len(word) >= MAX_WORD_LENGTH:
        return [word]
    return [each for each in vocabulary.list_between(*_get_range(word)) if word in (each, _strip_footnote(each))]


def _strip_footnote(word: str) -> str:
    """Return the word without the number of a footnote that is glued to it ("МККК3")."""
    bare = word.rstrip(DIGITS)
    return bare if len(word) - len(bare) <= FOOTNOTE_DIGITS else word
