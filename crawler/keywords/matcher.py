"""Match rules against a text: one pass of an automaton over the folded text, then each hit is weighed."""

from __future__ import annotations

import gc
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import accumulate, groupby, islice, pairwise
from typing import NamedTuple

from crawler.items import Match
from crawler.keywords.abbreviations import is_abbreviation
from crawler.keywords.automaton import TermAutomaton, make_search_patterns
from crawler.keywords.context_rules import Disambiguator, Hit
from crawler.keywords.inflect_kk import list_hyphen_endings, make_spellings
from crawler.keywords.query import (
    And,
    Facet,
    Not,
    Or,
    Proximity,
    QueryNode,
    Term,
    guess_term_language,
    iterate_positive_terms,
    iterate_terms,
    parse_query,
    replace_terms,
)
from crawler.keywords.rules import FIELDS, Rule, RuleSet
from crawler.text.alphabet import KAZAKH_LETTERS
from crawler.text.folding import FoldedText, fold_term, fold_text

_HYPHENS_AND_APOSTROPHES = "-‐‑–'’‘ʼ"


MIN_LONG_TEXT = 100_000
"""Characters from which a text may have so many hits that the garbage collector takes half of the time."""


@contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Let the block make 100,000s of objects without a collector that visits all of them at each 10,000 more.

    None of them refers to itself in a circle, so reference counts free them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class TermHit(NamedTuple):
    """One place of a term in the folded bytes of a field."""

    term: Term
    field: str
    start: int
    end: int


class QueryPlace(NamedTuple):
    """One place of a term of a query, as offsets in the text of a field."""

    term: str
    field: str
    start: int
    end: int


class Matcher:
    """Finds every rule of a rule set. Make one for all articles: it works out every form of every term."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._trees = [_build_rule_tree(rule) for rule in rules.rules]
        self._automaton: TermAutomaton[tuple[int, Term]] = TermAutomaton()
        for number, tree in enumerate(self._trees):
            for term in dict.fromkeys(iterate_terms(tree)):
                self._automaton.add_term(term.text, term.language, (number, term))
        self._automaton.build()
        self._disambiguator = Disambiguator(rules)

    def list_terms(self) -> list[Term]:
        """Return the terms one of which is in every text that a rule matches."""
        found = (term for tree in self._trees for term in iterate_positive_terms(tree))
        return list(dict.fromkeys(Term(term.text, term.language) for term in found))

    def find_matches(
        self, texts: Mapping[str, str | None], language: str | None = None, source: str | None = None
    ) -> tuple[Match, ...]:
        """Return every match of every rule, by field (title, lead, body), then by offset.

        `texts` maps fields to their texts; a text may be None or missing. `language` and `source` are the article's. A
        rule for other languages or sources does not match. A rule for sources needs one; a rule for languages does not.
        """
        given = {name: text for name in FIELDS if (text := texts.get(name))}
        if sum(map(len, given.values())) < MIN_LONG_TEXT:
            return self._find_in_fields(given, language, source)
        with pause_garbage_collection():
            return self._find_in_fields(given, language, source)

    def _find_in_fields(self, texts: Mapping[str, str], language: str | None, source: str | None) -> tuple[Match, ...]:
        folded = _fold_fields(texts)
        term_hits: dict[int, list[TermHit]] = {}
        for name, folded_text in folded.items():
            for (number, term), start, end in self._automaton.find_terms(folded_text.data):
                if not term.fields or name in term.fields:
                    term_hits.setdefault(number, []).append(TermHit(term, name, start, end))
        if not term_hits:
            return ()
        hits: list[Hit] = []
        for number in sorted(term_hits):
            hits += self._find_rule_hits(number, term_hits[number], folded, language, source)
        self._disambiguator.set_strengths(folded, hits)
        hits.sort(key=lambda hit: (FIELDS.index(hit.field), hit.start, hit.end, hit.rule_index))
        return tuple(self._make_match(hit) for hit in hits)

    def _find_rule_hits(
        self,
        number: int,
        term_hits: list[TermHit],
        folded: dict[str, FoldedText],
        language: str | None,
        source: str | None,
    ) -> list[Hit]:
        rule = self.rules.rules[number]
        if rule.languages and language is not None and language not in rule.languages:
            return []
        if rule.sources and source not in rule.sources:
            return []
        facets = {"lang": language, "source": source}
        found = _evaluate_node(self._trees[number], term_hits, folded, facets.items()) or []
        hits = [_make_hit(number, term_hit, folded[term_hit.field]) for term_hit in _select_longest(found, folded)]
        return [hit for hit in hits if not _is_other_abbreviation(hit)]

    def _make_match(self, hit: Hit) -> Match:
        text = hit.folded.original
        sentence_start, sentence_end = hit.locate_sentence()
        return Match(
            rule=self.rules.rules[hit.rule_index].name,
            term=hit.term.removeprefix("="),
            surface=hit.surface,
            field=hit.field,
            start=hit.start,
            end=hit.end,
            sentence=text[sentence_start:sentence_end],
            strength=hit.strength,
            reason=hit.reason,
        )


class QueryMatcher:
    """Finds one query in texts, as a search does: a lone Russian adjective also in its other genders."""

    def __init__(self, node: QueryNode) -> None:
        self._node = node

    def find_places(
        self, texts: Mapping[str, str | None], facets: Collection[tuple[str, str | None]] = ()
    ) -> list[QueryPlace] | None:
        """Return where the terms of the query are, by field, then by offset. None if the query does not hold.

        `facets` are the names and values that the article has, such as ("lang", "ru").
        """
        folded = _fold_fields(texts)
        found = self._find_hits(folded, facets)
        if found is None:
            return None
        hits = (_make_hit(0, hit, folded[hit.field]) for hit in _select_longest(found, folded))
        places = (QueryPlace(hit.term, hit.field, hit.start, hit.end) for hit in hits)
        return sorted(places, key=lambda place: (FIELDS.index(place.field), place.start, place.end))

    def is_fulfilled(self, texts: Mapping[str, str | None], facets: Collection[tuple[str, str | None]] = ()) -> bool:
        """Return whether the query holds, without looking for the places in the texts as written."""
        return self._find_hits(_fold_fields(texts), facets) is not None

    def _find_hits(
        self, folded: dict[str, FoldedText], facets: Collection[tuple[str, str | None]]
    ) -> list[TermHit] | None:
        with pause_garbage_collection():
            term_hits = [
                TermHit(term, name, start, end)
                for name, folded_text in folded.items()
                for term, start, end in self._automaton.find_terms(folded_text.data)
                if not term.fields or name in term.fields
            ]
        # An abbreviation that a text only seems to have must not make the query true.
        term_hits = [
            hit
            for hit in term_hits
            if not (is_abbreviation(hit.term.text) and _is_other_abbreviation(_make_hit(0, hit, folded[hit.field])))
        ]
        return _evaluate_node(self._node, term_hits, folded, facets)

    @cached_property
    def _automaton(self) -> TermAutomaton[Term]:
        """Made when the first text is read: a count reads none."""
        automaton: TermAutomaton[Term] = TermAutomaton()
        for term in dict.fromkeys(iterate_terms(self._node)):
            automaton.add_patterns(make_search_patterns(term.text, term.language), term)
        automaton.build()
        return automaton


def _build_rule_tree(rule: Rule) -> QueryNode:
    """Return all conditions of a rule as one tree."""

    def make_term(text: str) -> Term:
        return Term(text, guess_term_language(text), rule.fields)

    def limit_fields(term: Term) -> Term:
        return replace(term, fields=term.fields or rule.fields)

    parts: list[QueryNode] = []
    if terms := rule.terms.list_terms():
        parts.append(Or(tuple(Term(text, language, rule.fields) for language, text in terms)))
    parts += [make_term(text) for text in rule.all_of]
    if rule.any_of:
        parts.append(Or(tuple(make_term(text) for text in rule.any_of)))
    if rule.none_of:  # excluded in every field, whatever fields the rule is limited to
        parts.append(Not(Or(tuple(Term(text, guess_term_language(text)) for text in rule.none_of))))
    if rule.query is not None:
        parts.append(replace_terms(parse_query(rule.query), limit_fields))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _fold_fields(texts: Mapping[str, str | None]) -> dict[str, FoldedText]:
    return {name: fold_text(text) for name in FIELDS if (text := texts.get(name))}


def _evaluate_node(
    node: QueryNode,
    term_hits: list[TermHit],
    folded: dict[str, FoldedText],
    facets: Collection[tuple[str, str | None]],
) -> list[TermHit] | None:
    """Return the hits that make a tree true, or None when it is false. `facets` are those that the article has."""
    match node:
        case Term():
            return [hit for hit in term_hits if hit.term == node] or None
        case And(parts):
            found = [_evaluate_node(part, term_hits, folded, facets) for part in parts]
            return None if any(hits is None for hits in found) else [hit for hits in found for hit in hits or ()]
        case Or(parts) if all(isinstance(part, Term) for part in parts):
            terms = set(parts)
            return [hit for hit in term_hits if hit.term in terms] or None
        case Or(parts):
            found = [_evaluate_node(part, term_hits, folded, facets) for part in parts]
            return None if all(hits is None for hits in found) else [hit for hits in found for hit in hits or ()]
        case Not(part):
            return [] if _evaluate_node(part, term_hits, folded, facets) is None else None
        case Proximity(left, right, max_words):
            left_hits = _evaluate_node(left, term_hits, folded, facets) or []
            right_hits = _evaluate_node(right, term_hits, folded, facets) or []
            near = [
                *_select_near(left_hits, right_hits, max_words, folded),
                *_select_near(right_hits, left_hits, max_words, folded),
            ]
            return list(dict.fromkeys(near)) or None
        case Facet(name, value):
            return [] if (name, value) in facets else None


def _select_near(
    term_hits: list[TermHit], others: Iterable[TermHit], max_words: int, folded: dict[str, FoldedText]
) -> list[TermHit]:
    """Return the hits that have one of the others, but not themselves, at most `max_words` words away."""
    in_order = sorted(dict.fromkeys(others), key=lambda hit: (hit.field, hit.start))
    neighbours = {name: NeighbourIndex(hits, folded[name]) for name, hits in groupby(in_order, lambda hit: hit.field)}
    return [
        hit for hit in term_hits if hit.field in neighbours and neighbours[hit.field].count_words_to(hit) <= max_words
    ]


class NeighbourIndex:
    """The hits of one field in order, which finds the one with the fewest words between."""

    def __init__(self, term_hits: Iterable[TermHit], folded: FoldedText) -> None:
        self._hits, self._folded = list(term_hits), folded
        self._starts = [hit.start for hit in self._hits]
        self._last_ends = list(accumulate((hit.end for hit in self._hits), max))

    def count_words_to(self, hit: TermHit) -> float:
        """Return the number of words to the nearest other hit. Infinity: there is no other."""
        index = bisect_left(self._starts, hit.start)
        distances = []
        if index > 0:
            distances.append(self._count_words(self._last_ends[index - 1], hit.start))
        following = (other for other in islice(self._hits, index, index + 2) if other != hit)
        if (other := next(following, None)) is not None:
            distances.append(self._count_words(hit.end, other.start))
        return min(distances, default=float("inf"))

    def _count_words(self, start: int, end: int) -> int:
        return max(0, self._folded.count_words_before(end) - self._folded.count_words_before(start))


def _select_longest(term_hits: list[TermHit], folded: dict[str, FoldedText]) -> list[TermHit]:
    """Return one hit for each place: the longest.

    Of equally long ones, return the hit whose base form is most like the written word.
    """

    def get_rank(hit: TermHit) -> tuple[str, int, int, int, int]:
        written = folded[hit.field].data[hit.start : hit.end]
        shared = max(_count_shared_prefix(base, written) for base in _fold_base_forms(hit.term.text, hit.term.language))
        return hit.field, hit.start - hit.end, hit.start, -shared, len(hit.term.text)

    hits = sorted(dict.fromkeys(term_hits), key=lambda hit: (hit.field, hit.start))
    if not any(hit.field == following.field and hit.end > following.start for hit, following in pairwise(hits)):
        return hits  # Nearly always: to rank them takes longer than to find them.
    longest: list[TermHit] = []
    covered = {name: bytearray(len(folded_text.data)) for name, folded_text in folded.items()}
    for hit in sorted(hits, key=get_rank):
        is_covered = covered[hit.field]
        if not is_covered[hit.start] and not is_covered[hit.end - 1]:
            longest.append(hit)
            is_covered[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
    return longest


@lru_cache(maxsize=4096)
def _fold_base_forms(term: str, language: str) -> tuple[bytes, ...]:
    """Return a term as the rules write it, folded, in every spelling of its language."""
    return tuple(make_spellings(term)) if language == "kk" else (fold_term(term),)


def _count_shared_prefix(one: bytes, other: bytes) -> int:
    """Return the number of bytes that both begin with."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _make_hit(rule_index: int, term_hit: TermHit, folded: FoldedText) -> Hit:
    """Return the hit with its place in the original text, with an ending that follows a hyphen or an apostrophe."""
    start, end = folded.find_original_span(term_hit.start, term_hit.end)
    text, data, folded_end = folded.original, folded.data, term_hit.end
    if end < len(text) and text[end] in _HYPHENS_AND_APOSTROPHES:
        ending_start = term_hit.end + 1
        ending_end = data.index(b" ", ending_start) if ending_start < len(data) else term_hit.end
        ending = data[ending_start:ending_end]
        if ending == b"s" or (is_abbreviation(term_hit.term.text) and ending in list_hyphen_endings()):
            _, end = folded.find_original_span(ending_start, ending_end)
            folded_end = ending_end
    return Hit(rule_index, term_hit.term.text, term_hit.field, folded, term_hit.start, folded_end, start, end)


def _is_other_abbreviation(hit: Hit) -> bool:
    """Return whether an abbreviation only folds to the term, or has letters behind it that are no ending.

    МГПУ is no form of МГП, but МИДу is one of МИД. МКҚК is no МККК, but ХККК may be a ХҚКК without Kazakh letters.
    """
    if not is_abbreviation(hit.term):
        return False
    letters = [letter for letter in hit.surface if letter.isalpha()]
    written = zip(letters, hit.term, strict=False)
    if any(letter.lower() in KAZAKH_LETTERS and letter.upper() != wanted for letter, wanted in written):
        return True
    ending = hit.surface[len(hit.term) :]
    return ending.isalpha() and not (hit.surface[: len(hit.term)].isupper() and ending.islower())
