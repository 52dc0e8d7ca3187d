"""Rules against a text: one pass of one automaton over the folded text, then the few hits are weighed."""

from __future__ import annotations

from collections.abc import Mapping

from crawler.items import Match
from crawler.keywords import query
from crawler.keywords.abbreviations import is_abbreviation
from crawler.keywords.context import Judge, Place
from crawler.keywords.forms import Automaton
from crawler.keywords.inflect_kk import endings_after_hyphen
from crawler.keywords.query import Both, Either, Leaf, Limit, Near, Negation, Node
from crawler.keywords.rules import FIELDS, Rule, RuleSet
from crawler.text.normalise import Folded, fold, folded_term
from crawler.text.sentences import sentence_at

_JOINERS = "-‐‑–'’‘ʼ"

Spots = list[tuple[Leaf, str, int, int]]
"""Term, field, start and end in folded bytes."""


class Matcher:
    """Finds every rule of a rule set. Made once (all forms are worked out then), used for every article."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._trees = [_tree(rule) for rule in rules.rules]
        self._automaton: Automaton[tuple[int, Leaf]] = Automaton()
        for number, tree in enumerate(self._trees):
            for leaf in dict.fromkeys(query.leaves(tree)):
                self._automaton.add((number, leaf), leaf.term, leaf.language)
        self._automaton.build()
        self._judge = Judge(rules)

    def match(
        self, texts: Mapping[str, str | None], language: str | None = None, source: str | None = None
    ) -> tuple[Match, ...]:
        """Every place of every rule, by field (title, lead, body), then by offset.

        `texts` maps fields to their texts, None or missing where there is none. `language` and `source` are the
        article's; a rule limited to others does not match, one limited to a source does not match where none is given.
        """
        folded = {name: fold(text) for name in FIELDS if (text := texts.get(name))}
        hits: dict[int, Spots] = {}
        for name, one in folded.items():
            for (number, leaf), start, end in self._automaton.find(one.data):
                if not leaf.fields or name in leaf.fields:
                    hits.setdefault(number, []).append((leaf, name, start, end))
        if not hits:
            return ()
        places: list[Place] = []
        for number in sorted(hits):
            places += self._places(number, hits[number], folded, language, source)
        self._judge.judge(folded, places)
        places.sort(key=lambda place: (FIELDS.index(place.field), place.first, place.last, place.rule))
        return tuple(self._match(place) for place in places)

    def _places(
        self, number: int, spots: Spots, folded: dict[str, Folded], language: str | None, source: str | None
    ) -> list[Place]:
        rule = self.rules.rules[number]
        if (rule.languages and language is not None and language not in rule.languages) or (
            rule.sources and source not in rule.sources
        ):
            return []
        found = _evaluate(self._trees[number], spots, folded, {"lang": language, "source": source})
        places = [_place(number, spot, folded[spot[1]]) for spot in _longest(found or [], folded)]
        return [place for place in places if not _other_abbreviation(place)]

    def _match(self, place: Place) -> Match:
        text = place.folded.original
        first, last = sentence_at(text, place.first, place.last)
        return Match(
            rule=self.rules.rules[place.rule].name,
            term=place.term.removeprefix("="),
            surface=place.surface,
            field=place.field,
            start=place.first,
            end=place.last,
            sentence=text[first:last],
            strength=place.strength,
            reason=place.reason,
        )


def _tree(rule: Rule) -> Node:
    """Everything a rule asks for, as one tree."""

    def leaf(term: str) -> Leaf:
        return Leaf(term, query.language_of(term), rule.fields)

    parts: list[Node] = []
    if terms := rule.terms.pairs():
        parts.append(Either(tuple(Leaf(term, language, rule.fields) for language, term in terms)))
    parts += [leaf(term) for term in rule.all_of]
    if rule.any_of:
        parts.append(Either(tuple(leaf(term) for term in rule.any_of)))
    if rule.none_of:
        parts.append(Negation(Either(tuple(Leaf(term, query.language_of(term)) for term in rule.none_of))))
    if rule.query is not None:
        parts.append(_limited(query.parse(rule.query), rule.fields))
    return parts[0] if len(parts) == 1 else Both(tuple(parts))


def _limited(node: Node, fields: tuple[str, ...]) -> Node:
    """The tree with its terms limited to fields where the query itself says none."""
    match node:
        case Leaf(term, language, own):
            return Leaf(term, language, own or fields)
        case Both(parts):
            return Both(tuple(_limited(part, fields) for part in parts))
        case Either(parts):
            return Either(tuple(_limited(part, fields) for part in parts))
        case Negation(part):
            return Negation(_limited(part, fields))
        case Near(one, other, words):
            return Near(_limited(one, fields), _limited(other, fields), words)
        case _:
            return node


def _evaluate(node: Node, spots: Spots, folded: dict[str, Folded], facts: dict[str, str | None]) -> Spots | None:
    """The spots that make a tree true; None when it is false."""
    match node:
        case Leaf():
            return [spot for spot in spots if spot[0] == node] or None
        case Both(parts):
            found = [_evaluate(part, spots, folded, facts) for part in parts]
            return None if any(one is None for one in found) else [spot for one in found for spot in one or ()]
        case Either(parts) if all(isinstance(part, Leaf) for part in parts):
            chosen = set(parts)
            return [spot for spot in spots if spot[0] in chosen] or None
        case Either(parts):
            found = [_evaluate(part, spots, folded, facts) for part in parts]
            return None if all(one is None for one in found) else [spot for one in found for spot in one or ()]
        case Negation(part):
            return [] if _evaluate(part, spots, folded, facts) is None else None
        case Near(one, other, words):
            left = _evaluate(one, spots, folded, facts) or []
            right = _evaluate(other, spots, folded, facts) or []
            pairs = [(a, b) for a in left for b in right if a != b and _distance(a, b, folded) <= words]
            return list(dict.fromkeys(spot for pair in pairs for spot in pair)) or None
        case Limit(kind, value):
            return [] if facts[kind] == value else None


def _distance(one: tuple[Leaf, str, int, int], other: tuple[Leaf, str, int, int], folded: dict[str, Folded]) -> int:
    """Words between two spots; endless in different fields."""
    if one[1] != other[1]:
        return 10**9
    first, second = sorted((one, other), key=lambda spot: spot[2])
    between = folded[one[1]].data[first[3] : max(first[3], second[2])]
    return sum(word != b"." for word in between.split())


def _longest(spots: Spots, folded: dict[str, Folded]) -> Spots:
    """One spot a place: the longest, of several as long the one whose base form is most like what is written there."""

    def order(spot: tuple[Leaf, str, int, int]) -> tuple[str, int, int, int, int]:
        leaf, name, start, end = spot
        shared = _shared(folded_term(leaf.term), folded[name].data[start:end])
        return name, start - end, start, -shared, len(leaf.term)

    kept: Spots = []
    covered: set[tuple[str, int]] = set()
    for spot in sorted(dict.fromkeys(spots), key=order):
        _, name, start, end = spot
        if (name, start) not in covered and (name, end - 1) not in covered:
            kept.append(spot)
            covered.update((name, index) for index in range(start, end))
    return kept


def _shared(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _place(number: int, spot: tuple[Leaf, str, int, int], folded: Folded) -> Place:
    leaf, name, start, end = spot
    first, last = folded.span(start, end)
    text = folded.original
    if last < len(text) and text[last] in _JOINERS:
        close = folded.data.index(b" ", end + 1) if end + 1 < len(folded.data) else end
        ending = folded.data[end + 1 : close]
        if ending == b"s" or (is_abbreviation(leaf.term) and ending in endings_after_hyphen()):
            _, last = folded.span(end + 1, close)
    return Place(number, leaf.term, name, folded, start, end, first, last)


def _other_abbreviation(place: Place) -> bool:
    """Whether an abbreviation with an ending is written as another one: МГПУ is no form of МГП, МИДу is one of МИД."""
    ending = place.surface[len(place.term) :]
    if not is_abbreviation(place.term) or not ending.isalpha():
        return False
    return not (place.surface[: len(place.term)].isupper() and ending.islower())
