"""A query of the index as each database reads it: FTS5's MATCH, and PostgreSQL's tsquery."""

from __future__ import annotations

from crawler.keywords.index_query import (
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
    MAX_WORD_LENGTH,
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
            columns = "{" + " ".join(fields or FIELD_WEIGHTS) + "}"
            return f'{columns} : "{text}"' + (" *" if is_open else "")
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


def format_tsquery(node: IndexNode, *, is_excluded: bool = False) -> str:
    """Return a node as a tsquery.

    In a very long text the order of words is not known. Such a text counts as having a phrase if it has its words,
    unless it would be excluded by it.
    """
    match node:
        case IndexPhrase():
            return _format_phrase(node, is_excluded=is_excluded)
        case IndexFacet(name, value):
            return quote_lexeme(make_facet(name, value))
        case IndexNot(part):
            return f"!{format_tsquery(part, is_excluded=not is_excluded)}"
        case IndexOr(parts):
            return _join_tsqueries(" | ", parts, NO_ENTRY, is_excluded=is_excluded)
        case IndexAnd(parts):
            return _join_tsqueries(" & ", parts, EVERY_ENTRY, is_excluded=is_excluded)


def _join_tsqueries(operator: str, parts: tuple[IndexNode, ...], default: str, *, is_excluded: bool) -> str:
    found = [format_tsquery(part, is_excluded=is_excluded) for part in parts] or [quote_lexeme(default)]
    return "(" + operator.join(found) + ")"


def _format_phrase(phrase: IndexPhrase, *, is_excluded: bool) -> str:
    suffix = "".join(FIELD_WEIGHTS[name] for name in phrase.fields)
    lexemes: list[str] = []
    text, gap = "", 1
    for index, word in enumerate(phrase.words):
        if word == ".":  # has a position, but no lexeme
            gap += 1
            continue
        is_last = index == len(phrase.words) - 1
        flags = suffix + ("*" if is_last and phrase.is_open else "")
        lexemes.append(quote_lexeme(word[:MAX_WORD_LENGTH]) + (f":{flags}" if flags else ""))
        text += (f" <{gap}> " if text else "") + lexemes[-1]
        gap = 1
    if len(lexemes) == 1 or is_excluded:
        return f"({text})"
    return f"({text} | {quote_lexeme(UNORDERED_ENTRY)} & {' & '.join(lexemes)})"
