"""Rules against a text: one pass of one automaton over the folded text, then the few hits are weighed."""

from __future__ import annotations

from collections.abc import Mapping

from crawler.items import Match
from crawler.keywords import query
from crawler.keywords.abbreviations import is_abbreviation
from crawler.keywords.automaton import TermAutomaton
from crawler.keywords.context_rules import Disambiguator, Hit
from crawler.keywords.inflect_kk import list_hyphen_endings
from crawler.keywords.query import And, Facet, Not, Or, Proximity, QueryNode, Term
from crawler.keywords.rules import FIELDS, Rule, RuleSet
from crawler.text.folding import FoldedText, fold_term, fold_text
from crawler.text.sentences import locate_sentence

_JOINERS = "-‐‑–'’‘ʼ"

TermHits = list[tuple[Term, str, int, int]]
"""Term, field, start and end in folded bytes."""


class Matcher:
    """Finds every rule of a rule set. Made once (all forms are worked out then), used for every article."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._trees = [_build_rule_tree(rule) for rule in rules.rules]
        self._automaton: TermAutomaton[tuple[int, Term]] = TermAutomaton()
        for number, tree in enumerate(self._trees):
            for leaf in dict.fromkeys(query.iterate_terms(tree)):
                self._automaton.add_term((number, leaf), leaf.text, leaf.language)
        self._automaton.build()
        self._disambiguator = Disambiguator(rules)

    def find_matches(
        self, texts: Mapping[str, str | None], language: str | None = None, source: str | None = None
    ) -> tuple[Match, ...]:
        """Every place of every rule, by field (title, lead, body), then by offset.

        `texts` maps fields to their texts, None or missing where there is none. `language` and `source` are the
        article's; a rule limited to others does not match, one limited to a source does not match where none is given.
        """
        folded = {name: fold_text(text) for name in FIELDS if (text := texts.get(name))}
        hits: dict[int, TermHits] = {}
        for name, one in folded.items():
            for (number, leaf), start, end in self._automaton.find_terms(one.data):
                if not leaf.fields or name in leaf.fields:
                    hits.setdefault(number, []).append((leaf, name, start, end))
        if not hits:
            return ()
        places: list[Hit] = []
        for number in sorted(hits):
            places += self._find_rule_hits(number, hits[number], folded, language, source)
        self._disambiguator.set_strengths(folded, places)
        places.sort(key=lambda place: (FIELDS.index(place.field), place.start, place.end, place.rule_index))
        return tuple(self._make_match(place) for place in places)

    def _find_rule_hits(
        self, number: int, spots: TermHits, folded: dict[str, FoldedText], language: str | None, source: str | None
    ) -> list[Hit]:
        rule = self.rules.rules[number]
        if (rule.languages and language is not None and language not in rule.languages) or (
            rule.sources and source not in rule.sources
        ):
            return []
        found = _evaluate_node(self._trees[number], spots, folded, {"lang": language, "source": source})
        places = [_make_hit(number, spot, folded[spot[1]]) for spot in _select_longest(found or [], folded)]
        return [place for place in places if not _is_other_abbreviation(place)]

    def _make_match(self, place: Hit) -> Match:
        text = place.folded.original
        first, last = locate_sentence(text, place.start, place.end)
        return Match(
            rule=self.rules.rules[place.rule_index].name,
            term=place.term.removeprefix("="),
            surface=place.surface,
            field=place.field,
            start=place.start,
            end=place.end,
            sentence=text[first:last],
            strength=place.strength,
            reason=place.reason,
        )


def _build_rule_tree(rule: Rule) -> QueryNode:
    """Everything a rule asks for, as one tree."""

    def leaf(term: str) -> Term:
        return Term(term, query.guess_term_language(term), rule.fields)

    parts: list[QueryNode] = []
    if terms := rule.terms.list_terms():
        parts.append(Or(tuple(Term(term, language, rule.fields) for language, term in terms)))
    parts += [leaf(term) for term in rule.all_of]
    if rule.any_of:
        parts.append(Or(tuple(leaf(term) for term in rule.any_of)))
    if rule.none_of:
        parts.append(Not(Or(tuple(Term(term, query.guess_term_language(term)) for term in rule.none_of))))
    if rule.query is not None:
        parts.append(_restrict_fields(query.parse_query(rule.query), rule.fields))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _restrict_fields(node: QueryNode, fields: tuple[str, ...]) -> QueryNode:
    """The tree with its terms limited to fields where the query itself says none."""
    match node:
        case Term(term, language, own):
            return Term(term, language, own or fields)
        case And(parts):
            return And(tuple(_restrict_fields(part, fields) for part in parts))
        case Or(parts):
            return Or(tuple(_restrict_fields(part, fields) for part in parts))
        case Not(part):
            return Not(_restrict_fields(part, fields))
        case Proximity(one, other, words):
            return Proximity(_restrict_fields(one, fields), _restrict_fields(other, fields), words)
        case _:
            return node


def _evaluate_node(
    node: QueryNode, spots: TermHits, folded: dict[str, FoldedText], facts: dict[str, str | None]
) -> TermHits | None:
    """The spots that make a tree true; None when it is false."""
    match node:
        case Term():
            return [spot for spot in spots if spot[0] == node] or None
        case And(parts):
            found = [_evaluate_node(part, spots, folded, facts) for part in parts]
            return None if any(one is None for one in found) else [spot for one in found for spot in one or ()]
        case Or(parts) if all(isinstance(part, Term) for part in parts):
            chosen = set(parts)
            return [spot for spot in spots if spot[0] in chosen] or None
        case Or(parts):
            found = [_evaluate_node(part, spots, folded, facts) for part in parts]
            return None if all(one is None for one in found) else [spot for one in found for spot in one or ()]
        case Not(part):
            return [] if _evaluate_node(part, spots, folded, facts) is None else None
        case Proximity(one, other, words):
            left = _evaluate_node(one, spots, folded, facts) or []
            right = _evaluate_node(other, spots, folded, facts) or []
            pairs = [(a, b) for a in left for b in right if a != b and _count_words_between(a, b, folded) <= words]
            return list(dict.fromkeys(spot for pair in pairs for spot in pair)) or None
        case Facet(kind, value):
            return [] if facts[kind] == value else None


def _count_words_between(
    one: tuple[Term, str, int, int], other: tuple[Term, str, int, int], folded: dict[str, FoldedText]
) -> int:
    """Words between two spots; endless in different fields."""
    if one[1] != other[1]:
        return 10**9
    first, second = sorted((one, other), key=lambda spot: spot[2])
    between = folded[one[1]].data[first[3] : max(first[3], second[2])]
    return sum(word != b"." for word in between.split())


def _select_longest(spots: TermHits, folded: dict[str, FoldedText]) -> TermHits:
    """One spot a place: the longest, of several as long the one whose base form is most like what is written there."""

    def order(spot: tuple[Term, str, int, int]) -> tuple[str, int, int, int, int]:
        leaf, name, start, end = spot
        shared = _count_shared_prefix(fold_term(leaf.text), folded[name].data[start:end])
        return name, start - end, start, -shared, len(leaf.text)

    kept: TermHits = []
    covered: set[tuple[str, int]] = set()
    for spot in sorted(dict.fromkeys(spots), key=order):
        _, name, start, end = spot
        if (name, start) not in covered and (name, end - 1) not in covered:
            kept.append(spot)
            covered.update((name, index) for index in range(start, end))
    return kept


def _count_shared_prefix(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _make_hit(number: int, spot: tuple[Term, str, int, int], folded: FoldedText) -> Hit:
    leaf, name, start, end = spot
    first, last = folded.find_original_span(start, end)
    text = folded.original
    if last < len(text) and text[last] in _JOINERS:
        close = folded.data.index(b" ", end + 1) if end + 1 < len(folded.data) else end
        ending = folded.data[end + 1 : close]
        if ending == b"s" or (is_abbreviation(leaf.text) and ending in list_hyphen_endings()):
            _, last = folded.find_original_span(end + 1, close)
    return Hit(number, leaf.text, name, folded, start, end, first, last)


def _is_other_abbreviation(place: Hit) -> bool:
    """Whether an abbreviation with an ending is written as another one: МГПУ is no form of МГП, МИДу is one of МИД."""
    ending = place.surface[len(place.term) :]
    if not is_abbreviation(place.term) or not ending.isalpha():
        return False
    return not (place.surface[: len(place.term)].isupper() and ending.islower())
