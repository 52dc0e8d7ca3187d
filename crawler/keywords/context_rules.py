"""Decide whether a hit of an ambiguous term counts: by its capitals, by the words around it, by its expansion.

An expansion is where the text spells an abbreviation out. The rule file holds all words and phrases; this
module only weighs them. A hit that does not count becomes a weak match with the reason.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from crawler.items import Strength
from crawler.keywords.abbreviations import find_expansions, is_abbreviation
from crawler.keywords.automaton import TermAutomaton, make_folded_forms
from crawler.keywords.capitalization import Capitalization, check_capitalization
from crawler.keywords.context_words import ContextWordHit, ContextWordKey, Polarity, WordHitIndex
from crawler.keywords.query import guess_term_language
from crawler.keywords.rules import ContextRule, RuleSet
from crawler.text.folding import FoldedText, fold_term
from crawler.text.sentences import locate_sentence

_ADDRESS_PATTERN = re.compile(
    r"://|www\.|^\S[^\s@]*+@\S+?\.\w|[\w-]\.(?:org|com|int|net|info|edu|gov|kz|ru|uk|us|ch)\b", re.IGNORECASE
)
_UNSPACED_PATTERN = re.compile(r"\S+")
MAX_PHRASE_WORDS = 4
"""Words of a phrase in not_before, not_after, sure_before and sure_after."""
MAX_PHRASE_BYTES = 80
"""Folded bytes beside a hit in which such a phrase is looked for."""
MAX_COUNTED_ANCHORS = 2
"""Other strong terms that support a hit; each counts double."""
EXPANSION_WEIGHT = 3
"""Weight of an abbreviation that the text spells out as a term of the rule, or elsewhere as something else."""


@dataclass(slots=True, eq=False)
class Hit:
    """One place where a term of a rule is, in folded bytes and in the original text, with its strength."""

    rule_index: int
    term: str
    field: str
    folded: FoldedText
    folded_start: int
    folded_end: int
    start: int
    end: int
    strength: Strength = Strength.STRONG
    reason: str | None = None
    _sentence: tuple[int, int] | None = None

    def locate_sentence(self) -> tuple[int, int]:
        """Return the offsets of the sentence of the hit in the original text, worked out once."""
        if self._sentence is None:
            self._sentence = locate_sentence(self.folded.original, self.start, self.end)
        return self._sentence

    @property
    def surface(self) -> str:
        """The term as written."""
        return self.folded.original[self.start : self.end]


@dataclass(slots=True)
class AdjacentPhrases:
    """Phrases that decide directly beside a term: in all forms, in one (`=`), and the beginnings of words (`*`)."""

    exact_phrases: set[bytes] = field(default_factory=set)
    prefixes: tuple[bytes, ...] = ()
    max_words: int = 0
    """Words of the longest phrase; a prefix may be of MAX_PHRASE_WORDS words."""

    @classmethod
    def from_terms(cls, terms: Iterable[str]) -> AdjacentPhrases:
        """Return the phrases in all their forms."""
        phrases = cls()
        for term in terms:
            if term.endswith("*"):
                phrases.prefixes += (fold_term(term[:-1]),)
            elif term.startswith("="):
                phrases.exact_phrases.add(fold_term(term[1:]))
            else:
                phrases.exact_phrases |= make_folded_forms(term, guess_term_language(term))
        longest = max((phrase.count(b" ") + 1 for phrase in phrases.exact_phrases), default=0)
        phrases.max_words = MAX_PHRASE_WORDS if phrases.prefixes else min(MAX_PHRASE_WORDS, longest)
        return phrases

    def find_phrase(self, words: list[bytes], *, before: bool) -> bytes | None:
        """Return the longest phrase that the words begin with or, `before` the hit, end with."""
        for count in range(min(self.max_words, len(words)), 0, -1):
            phrase = b" ".join(words[-count:] if before else words[:count])
            if phrase in self.exact_phrases:
                return phrase
            if self.prefixes and phrase.startswith(self.prefixes) and b" . " not in phrase:
                return phrase
        return None


class AdjacentList(NamedTuple):
    """One of the lists of a context that decide beside a term.

    not_before: the term does not count before these phrases, so they follow it. not_after: they precede it.
    sure_before and sure_after: the same for a term that counts. unsure_before and unsure_after have no strength: the
    term needs support.
    """

    strength: Strength | None
    precedes_hit: bool
    phrases: AdjacentPhrases


class AdjacentDecision(NamedTuple):
    """What the phrases beside a hit decide. Without a strength the hit needs support."""

    strength: Strength | None
    reason: str


@dataclass(slots=True)
class CompiledContext:
    """A context of a rule with its phrases in all forms, and the indexes of the rules whose hits support it.

    `number` counts the contexts of all rules.
    """

    number: int
    rule: ContextRule
    adjacent: tuple[AdjacentList, ...]
    supporting_rules: frozenset[int]


class Disambiguator:
    """Sets the strength of the hits of an article.

    The word lists of all contexts are in one automaton. It is made for the first hit that needs it.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._context_words: TermAutomaton[ContextWordKey] | None = None
        self._contexts: list[CompiledContext] = []
        self._context_by_term: dict[tuple[int, str], CompiledContext] = {}
        """By rule index and term. An empty term is every other term of the rule."""
        indexes = {rule.name: rule_index for rule_index, rule in enumerate(rules.rules)}
        for rule_index, rule in enumerate(rules.rules):
            for context_rule in rule.context:
                supporting = frozenset({rule_index, *(indexes[name] for name in context_rule.supported_by)})
                adjacent = _compile_adjacent_phrases(context_rule)
                context = CompiledContext(len(self._contexts), context_rule, adjacent, supporting)
                self._contexts.append(context)
                for term in context_rule.terms or ("",):
                    self._context_by_term.setdefault((rule_index, term), context)

    def set_strengths(self, texts: dict[str, FoldedText], hits: list[Hit]) -> None:
        """Set strength and reason of every hit."""
        ambiguous = []
        finders = {name: AddressFinder(folded.original) for name, folded in texts.items()}
        for hit in hits:
            context = self._get_context(hit)
            if finders[hit.field].is_in_address(hit.start, hit.end):
                hit.strength, hit.reason = Strength.WEAK, "inside a web or mail address"
            elif context is not None:
                hit.strength = Strength.WEAK
                ambiguous.append((hit, context))
        if not ambiguous:
            return
        used_contexts = {context.number for _, context in ambiguous}
        evidence = ContextEvidence(texts, hits, self._get_context_words(), used_contexts)
        for _ in range(2):  # the second time, hits found strong in the first support the others
            anchors = AnchorCounts(hits)
            decisions = [(hit, evidence.assess_hit(hit, context, anchors)) for hit, context in ambiguous]
            for hit, (strength, reason) in decisions:
                hit.strength, hit.reason = strength, reason

    def _get_context(self, hit: Hit) -> CompiledContext | None:
        return self._context_by_term.get((hit.rule_index, hit.term)) or self._context_by_term.get((hit.rule_index, ""))

    def _get_context_words(self) -> TermAutomaton[ContextWordKey]:
        """Return the automaton of the context words of every context."""
        if self._context_words is None:
            keys: dict[tuple[str, str], list[ContextWordKey]] = {}
            for context in self._contexts:
                for polarity, terms in (
                    (Polarity.SUPPORT, context.rule.support),
                    (Polarity.SUPPORT_UNCAPITALIZED, context.rule.support_small),
                    (Polarity.AGAINST, context.rule.against),
                    (Polarity.AGAINST_UNCAPITALIZED, context.rule.against_small),
                    (Polarity.NO_SUPPORT, context.rule.no_support_near),
                ):
                    for language, term in self._expand_vocabularies(terms):
                        keys.setdefault((language, term), []).append(ContextWordKey(context.number, polarity, term))
            self._context_words = TermAutomaton()
            for (language, term), term_keys in keys.items():
                self._context_words.add_term(term, language, *term_keys)
            self._context_words.build()
        return self._context_words

    def _expand_vocabularies(self, terms: Iterable[str]) -> list[tuple[str, str]]:
        """Return (language, term) once each, with the terms of a vocabulary in place of its name."""
        pairs: dict[tuple[str, str], None] = {}
        for term in terms:
            if term.startswith("@"):
                pairs.update(dict.fromkeys(self._rules.vocabulary[term[1:]].list_terms()))
            else:
                pairs[guess_term_language(term), term] = None
        return list(pairs)


class AnchorCounts:
    """How many strong hits each term has, so that the terms that support a hit are known without reading all hits."""

    def __init__(self, hits: Iterable[Hit]) -> None:
        self._counts = Counter((hit.rule_index, hit.term) for hit in hits if hit.strength is Strength.STRONG)
        self._by_context: dict[int, Counter[str]] = {}
        self._terms_by_context: dict[int, set[str]] = {}

    def list_terms(self, hit: Hit, context: CompiledContext) -> set[str]:
        """Return the terms of the strong hits, other than this one, that support a hit."""
        if context.number not in self._by_context:
            counts = self._by_context[context.number] = Counter()
            for (rule_index, term), count in self._counts.items():
                counts[term] += count if rule_index in context.supporting_rules else 0
            self._by_context[context.number] = +counts
            self._terms_by_context[context.number] = set(+counts)
        counts = self._by_context[context.number]
        is_counted = hit.strength is Strength.STRONG and hit.rule_index in context.supporting_rules
        terms = self._terms_by_context[context.number]
        return terms - {hit.term} if is_counted and counts[hit.term] == 1 else terms


class AddressFinder:
    """Finds out whether hits of one text are in web or mail addresses. Each run of characters is searched once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts, self._ends = array("Q"), array("Q")
        self._decisions: dict[int, bool] = {}

    def is_in_address(self, start: int, end: int) -> bool:
        """Return whether the hit from `start` to `end` is a part of a web or mail address."""
        if not self._starts:
            for found in _UNSPACED_PATTERN.finditer(self._text):
                self._starts.append(found.start())
                self._ends.append(found.end())
        first = bisect_right(self._starts, start) - 1
        last = bisect_left(self._starts, end) - 1
        begin, finish = self._starts[first], self._ends[last]
        if finish - begin <= end - start + 2:
            return False
        if first != last:
            return _ADDRESS_PATTERN.search(self._text[begin:finish]) is not None
        if first not in self._decisions:
            self._decisions[first] = _ADDRESS_PATTERN.search(self._text[begin:finish]) is not None
        return self._decisions[first]


class FoundExpansions(NamedTuple):
    """What an article spells an abbreviation out as: a term of the rules, or something else beside it or elsewhere."""

    is_rule_term: bool = False
    other_beside_it: str | None = None
    other_elsewhere: str | None = None


class TermPlaces:
    """The places of the terms of several words of some rules, by field."""

    def __init__(self, hits: Iterable[Hit], rules: frozenset[int]) -> None:
        places: dict[str, list[tuple[int, int]]] = {}
        for hit in hits:
            if hit.rule_index in rules and " " in hit.surface:
                places.setdefault(hit.field, []).append((hit.start, hit.end))
        self._starts = {name: sorted(start for start, _ in spans) for name, spans in places.items()}
        self._last_ends = {
            name: list(accumulate((end for _, end in sorted(spans)), max)) for name, spans in places.items()
        }

    def overlaps(self, name: str, start: int, end: int) -> bool:
        """Return whether a term is in the field between two offsets, at least in part."""
        before = bisect_left(self._starts.get(name, []), end)
        return before > 0 and self._last_ends[name][before - 1] > start


class ContextEvidence:
    """The context words, phrases and expansions in the texts of an article."""

    def __init__(
        self,
        texts: dict[str, FoldedText],
        hits: list[Hit],
        context_words: TermAutomaton[ContextWordKey],
        used_contexts: set[int],
    ) -> None:
        self.texts = texts
        self.hits = hits
        self._expansions: dict[tuple[int, str], FoundExpansions] = {}
        self._adjacent_decisions: dict[Hit, AdjacentDecision | None] = {}
        self._weights: dict[Hit, tuple[Capitalization, dict[str, int], dict[str, int]]] = {}
        self._terms_with_other_meaning: dict[tuple[int, str], bool] = {}
        self._hits_by_term: dict[tuple[int, str], list[Hit]] = {}
        for hit in hits:
            self._hits_by_term.setdefault((hit.rule_index, hit.term), []).append(hit)
        word_hits: dict[int, dict[str, list[ContextWordHit]]] = {number: {} for number in used_contexts}
        for name, folded in texts.items():
            for word_hit in context_words.find_terms(folded.data):
                number = word_hit[0].context
                if number in used_contexts:
                    word_hits[number].setdefault(name, []).append(word_hit)
        self._word_hits = {number: WordHitIndex(found) for number, found in word_hits.items()}

    def assess_hit(self, hit: Hit, context: CompiledContext, strong: AnchorCounts) -> tuple[Strength, str | None]:
        """Return the strength of a hit and the reason. Phrases beside it come first, then the text's own expansion."""
        decision = self._get_adjacent_decision(hit, context)
        if decision and decision.strength:
            return decision.strength, decision.reason
        expansions = self._get_expansions(hit, context)
        if expansions.other_beside_it and not expansions.is_rule_term:
            return Strength.WEAK, f"the text spells it out as {expansions.other_beside_it!r}"
        capitalization, support, against = self._weigh_nearby_words(hit, context)
        anchors = strong.list_terms(hit, context)
        weight_for = sum(support.values()) + 2 * min(MAX_COUNTED_ANCHORS, len(anchors))
        weight_against = sum(against.values()) + (1 if self._has_other_meaning(hit, context) else 0)
        if expansions.is_rule_term:
            weight_for += EXPANSION_WEIGHT
        elif expansions.other_elsewhere:
            weight_against += EXPANSION_WEIGHT
            against = {**against, expansions.other_elsewhere: EXPANSION_WEIGHT}
        lacks_capitals = context.rule.needs == "capitals" and capitalization is Capitalization.MISSING
        needs_support = lacks_capitals or context.rule.needs == "support" or decision is not None
        if (weight_for > weight_against) if needs_support else (weight_for >= weight_against):
            if not needs_support and not weight_against:
                return Strength.STRONG, None
            return Strength.STRONG, _explain_support(expansions.is_rule_term, anchors, support)
        if weight_against:
            words = ", ".join(repr(word) for word in list(against)[:3]) or "the same term with another meaning"
            return Strength.WEAK, f"more speaks against it ({words}) than for it"
        cause = "written without its capitals and " if lacks_capitals else ""
        return Strength.WEAK, f"{cause}nothing around supports it"

    def _get_adjacent_decision(self, hit: Hit, context: CompiledContext) -> AdjacentDecision | None:
        """Return the decision of the phrases directly beside a hit, worked out once for each hit."""
        if hit not in self._adjacent_decisions:
            self._adjacent_decisions[hit] = _decide_by_adjacent_phrases(hit, context)
        return self._adjacent_decisions[hit]

    def _has_other_meaning(self, hit: Hit, context: CompiledContext) -> bool:
        """Return whether a phrase beside any hit of the same term decides against it."""
        key = (hit.rule_index, hit.term)
        if key not in self._terms_with_other_meaning:
            decisions = (self._get_adjacent_decision(twin, context) for twin in self._hits_by_term[key])
            self._terms_with_other_meaning[key] = any(
                decision and decision.strength is Strength.WEAK for decision in decisions
            )
        return self._terms_with_other_meaning[key]

    def _weigh_nearby_words(
        self, hit: Hit, context: CompiledContext
    ) -> tuple[Capitalization, dict[str, int], dict[str, int]]:
        """Return the hit's capitals, the words for it and the words against it with their weights, worked out once.

        A word weighs 2 when it is close to the hit, and 1 within reach of it or anywhere in title or lead.
        """
        if hit not in self._weights:
            capitalization = check_capitalization(
                hit.folded.original, hit.start, hit.end, hit.term, hit.locate_sentence
            )
            weights: dict[Polarity, dict[str, int]] = {polarity: {} for polarity in Polarity}
            index, reach = self._word_hits.get(context.number), context.rule.reach
            words = index.iterate_words(hit.field, hit.folded_start, hit.folded_end, reach) if index else ()
            for polarity, word, weight in words:
                if weight > weights[polarity].get(word, 0):
                    weights[polarity][word] = weight
            is_small = capitalization is Capitalization.MISSING and context.rule.support_small
            support = weights[Polarity.SUPPORT_UNCAPITALIZED if is_small else Polarity.SUPPORT]
            against = weights[Polarity.AGAINST] | weights[Polarity.NO_SUPPORT]
            if capitalization is not Capitalization.CORRECT:
                against |= weights[Polarity.AGAINST_UNCAPITALIZED]
            self._weights[hit] = capitalization, {} if weights[Polarity.NO_SUPPORT] else support, against
        return self._weights[hit]

    def _get_expansions(self, hit: Hit, context: CompiledContext) -> FoundExpansions:
        """Return what the article spells the abbreviation out as, worked out once for each term."""
        if not is_abbreviation(hit.term):
            return FoundExpansions()
        key = (hit.rule_index, hit.term)
        if key not in self._expansions:
            self._expansions[key] = self._find_expansions(hit.term, context)
        return self._expansions[key]

    def _find_expansions(self, term: str, context: CompiledContext) -> FoundExpansions:
        is_rule_term, beside, elsewhere = False, None, None
        places = TermPlaces(self.hits, context.supporting_rules)
        for name, folded in self.texts.items():
            for start, end, is_adjacent in find_expansions(folded.original, term):
                if places.overlaps(name, start, end):
                    is_rule_term = True
                elif is_adjacent:
                    beside = folded.original[start:end]
                else:
                    elsewhere = folded.original[start:end]
        return FoundExpansions(is_rule_term, beside, elsewhere)


def _compile_adjacent_phrases(rule: ContextRule) -> tuple[AdjacentList, ...]:
    """Return the phrases beside a term: those against it first, those that only make it need support last."""
    lists = (
        AdjacentList(Strength.WEAK, False, AdjacentPhrases.from_terms(rule.not_before)),
        AdjacentList(Strength.WEAK, True, AdjacentPhrases.from_terms(rule.not_after)),
        AdjacentList(Strength.STRONG, False, AdjacentPhrases.from_terms(rule.sure_before)),
        AdjacentList(Strength.STRONG, True, AdjacentPhrases.from_terms(rule.sure_after)),
        AdjacentList(None, False, AdjacentPhrases.from_terms(rule.unsure_before)),
        AdjacentList(None, True, AdjacentPhrases.from_terms(rule.unsure_after)),
    )
    return tuple(each for each in lists if each.phrases.max_words)


def _decide_by_adjacent_phrases(hit: Hit, context: CompiledContext) -> AdjacentDecision | None:
    """Return the decision of a phrase directly beside the hit, or None when there is no such phrase."""
    data = hit.folded.data
    # What is glued to the hit is the number of a footnote, no word beside it.
    word_end = max(data.find(b" ", hit.folded_end), hit.folded_end)
    words_after = data[word_end : word_end + MAX_PHRASE_BYTES].split()
    words_before = data[max(0, hit.folded_start - MAX_PHRASE_BYTES) : hit.folded_start].split()
    for strength, precedes_hit, phrases in context.adjacent:
        words = words_before if precedes_hit else words_after
        if phrase := phrases.find_phrase(words, before=precedes_hit):
            start = hit.folded_start - 1 - len(phrase) if precedes_hit else word_end + 1
            direction = "preceded" if precedes_hit else "followed"
            return AdjacentDecision(strength, f"directly {direction} by {_get_original_phrase(hit, start, phrase)!r}")
    return None


def _get_original_phrase(hit: Hit, folded_start: int, phrase: bytes) -> str:
    start, end = hit.folded.find_original_span(folded_start, folded_start + len(phrase))
    return hit.folded.original[start:end]


def _explain_support(is_spelled_as_rule_term: bool, anchors: set[str], support: dict[str, int]) -> str:
    if is_spelled_as_rule_term:
        return "the text spells it out"
    return "supported by " + ", ".join(repr(word) for word in [*sorted(anchors), *support][:3])
