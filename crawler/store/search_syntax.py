"""A query of the index as each database reads it: FTS5's MATCH, and PostgreSQL's tsquery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crawler.keywords.index_query import (
    MAX_WORD_LENGTH,
    PHRASE_MARK,
    IndexAnd,
    IndexFacet,
    IndexNode,
    IndexNot,
    IndexOr,
    IndexPhrase,
)
from crawler.store.search_index import (
    EVERY_ENTRY,
    FIELD_WEIGHTS,
    FIELDS,
    UNORDERED_ENTRY,
    make_facet,
    quote_lexeme,
)

NO_ENTRY = "none:"
"""A word that no entry has."""


def format_fts5(node: IndexNode) -> str:
    """Return a node as an FTS5 query."""
    match node:
        case IndexPhrase(words, fields, is_open):
            text = " ".join(word[:MAX_WORD_LENGTH] for word in words)
            if not fields and not is_open:  # Facets have a colon, which words have not.
                return f'"{text}"'
            # FTS5 has to read where the words are in each entry.
            return f'{{{" ".join(fields or FIELDS)}}} : "{text}"' + (" *" if is_open else "")
        case IndexFacet(name, value):
            return _format_facet(make_facet(name, value))
        case IndexNot():
            return f"({_format_facet(EVERY_ENTRY)} NOT {format_fts5(node.part)})"
        case IndexOr(()):
            return _format_facet(NO_ENTRY)
        case IndexOr(parts):
            return "(" + " OR ".join(map(format_fts5, parts)) + ")"
        case IndexAnd(parts):
            positive = [format_fts5(part) for part in parts if not isinstance(part, IndexNot)]
            negative = [f" NOT {format_fts5(part.part)}" for part in parts if isinstance(part, IndexNot)]
            return "(" + " AND ".join(positive or [_format_facet(EVERY_ENTRY)]) + "".join(negative) + ")"


def _format_facet(word: str) -> str:
    return f'facets : "{word}"'


def format_tsquery(node: IndexNode, *, is_excluded: bool = False, is_loose: bool = False) -> str:
    """Return a node as a tsquery.

    In a very long text the order of words is not known. Such a text counts as having a phrase if it has its words,
    unless it would be excluded by it. `is_loose`: find at least the same entries by words alone, wherever they are.
    """
    match node:
        case IndexPhrase():
            return _format_phrases([node], is_excluded=is_excluded, is_loose=is_loose)
        case IndexFacet(name, value):
            return quote_lexeme(make_facet(name, value))
        case IndexNot(part):
            return f"!{format_tsquery(part, is_excluded=not is_excluded)}"  # Loosely, it would exclude too much.
        case IndexOr(()):
            return quote_lexeme(NO_ENTRY)
        case IndexOr(parts):
            phrases = [part for part in parts if isinstance(part, IndexPhrase)]
            others = [part for part in parts if not isinstance(part, IndexPhrase)]
            written = [_format_phrases(phrases, is_excluded=is_excluded, is_loose=is_loose)] if phrases else []
            rest = (format_tsquery(part, is_excluded=is_excluded, is_loose=is_loose) for part in others)
            return _join(" | ", [*written, *rest])
        case IndexAnd(()):
            return quote_lexeme(EVERY_ENTRY)
        case IndexAnd(parts):
            each = (format_tsquery(part, is_excluded=is_excluded, is_loose=is_loose) for part in parts)
            return _join(" & ", list(each))


def _format_phrases(phrases: Sequence[IndexPhrase], *, is_excluded: bool, is_loose: bool) -> str:
    """Return alternative phrases as a tsquery. Forms of one word are one operand, because that is six times as fast."""
    groups = [_Forms.from_phrases(group) for group in _group_phrases(phrases)]
    if is_loose:
        return _join(" | ", [group._replace(fields=()).format(in_order=False) for group in groups])
    written = [group.format(in_order=True) for group in groups]
    unordered = [group.format(in_order=False) for group in groups if group.count_words() > 1]
    if unordered and not is_excluded:
        written.append(f"{quote_lexeme(UNORDERED_ENTRY)} & {_join(' | ', unordered)}")
    return _join(" | ", written)


def _group_phrases(phrases: Sequence[IndexPhrase]) -> list[list[IndexPhrase]]:
    """Return phrases in groups that differ only in their first word, or only in their last, if these are fewer."""
    groupings = []
    for differing in (slice(1, None), slice(None, -1)):
        groups: dict[object, list[IndexPhrase]] = {}
        for phrase in phrases:
            ends = tuple(word == PHRASE_MARK for word in phrase.words)
            groups.setdefault((phrase.words[differing], ends, phrase.fields, phrase.is_open), []).append(phrase)
        groupings.append(list(groups.values()))
    return min(groupings, key=len)


class _Forms(NamedTuple):
    """Phrases of the same length: the words that may be at each place."""

    places: tuple[tuple[str, ...], ...]
    fields: tuple[str, ...]
    is_open: bool

    @classmethod
    def from_phrases(cls, phrases: Sequence[IndexPhrase]) -> _Forms:
        """Return the forms of phrases that differ in one word."""
        words = zip(*(phrase.words for phrase in phrases), strict=True)
        return cls(tuple(tuple(dict.fromkeys(each)) for each in words), phrases[0].fields, phrases[0].is_open)

    def count_words(self) -> int:
        """Return the number of words, without the ends of phrases."""
        return sum(words != (PHRASE_MARK,) for words in self.places)

    def format(self, *, in_order: bool) -> str:
        """Return the tsquery: the words one after the other, or in any order."""
        weights = "".join(FIELD_WEIGHTS[name] for name in self.fields)
        text, gap = "", 1
        for index, words in enumerate(self.places):
            if words == (PHRASE_MARK,):  # has a position, but no lexeme
                gap += 1
                continue
            flags = weights + ("*" if index == len(self.places) - 1 and self.is_open else "")
            suffix = f":{flags}" if flags else ""
            lexemes = dict.fromkeys(quote_lexeme(word[:MAX_WORD_LENGTH]) + suffix for word in words)
            text += ((f" <{gap}> " if in_order else " & ") if text else "") + _join(" | ", list(lexemes))
            gap = 1
        return f"({text})"


def _join(operator: str, parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else "(" + operator.join(parts) + ")"
