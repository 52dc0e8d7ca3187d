"""Whether an ambiguous term counts: capitals, the words around it, how the text spells an abbreviation out.

Everything it knows stands in the rule file; this module only weighs. A match that does not count is weak, with the
reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from crawler.items import Strength
from crawler.keywords import inflect_en, inflect_kk, inflect_ru
from crawler.keywords.abbreviations import find_expansions, is_abbreviation
from crawler.keywords.automaton import TermAutomaton
from crawler.keywords.capitalization import Capitalization, check_capitalization
from crawler.keywords.query import guess_term_language
from crawler.keywords.rules import ContextRule, RuleSet
from crawler.text.folding import FoldedText, fold_term


class Polarity(Enum):
    """What a word near a term says."""

    SUPPORT = "for"
    AGAINST = "against"
    AGAINST_UNCAPITALIZED = "against, where capitals do not tell"


_ADDRESS_PATTERN = re.compile(r"://|www\.|^\S+@\S+\.\w|[\w-]\.(?:org|com|int|net|info|edu|gov|kz|ru|uk|us|ch)\b", re.I)
ContextWordKey = tuple[int, Polarity, str]
"""The id of a context, on which side a word stands there, and the word."""
CLOSE_WORD_CHARACTERS = 40
"""Characters within which a word for or against weighs double."""
MAX_PHRASE_WORDS = 4
"""Most words of a phrase in not_before and not_after."""


@dataclass(slots=True, eq=False)
class Hit:
    """One place where a term of a rule stands, in folded bytes and in the text, and what is thought of it."""

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

    @property
    def surface(self) -> str:
        """The term as written."""
        return self.folded.original[self.start : self.end]


@dataclass(slots=True)
class AdjacentPhrases:
    """Phrases that may stand directly beside a term: whole in every form, or by their beginning."""

    exact_phrases: set[bytes] = field(default_factory=set)
    prefixes: tuple[bytes, ...] = ()

    @classmethod
    def from_terms(cls, terms: Iterable[str]) -> AdjacentPhrases:
        """The phrases in all their forms."""
        made = cls()
        for term in terms:
            if term.endswith("*"):
                made.prefixes += (fold_term(term[:-1]),)
            else:
                forms = {"en": inflect_en.make_forms, "ru": inflect_ru.make_forms, "kk": inflect_kk.make_forms}[
                    guess_term_language(term)
                ](term)
                made.exact_phrases |= {fold_term(form) for form in forms}
        return made

    def find_phrase(self, words: list[bytes], *, before: bool) -> bytes | None:
        """The phrase that the words begin with, or (before) end with."""
        for count in range(min(MAX_PHRASE_WORDS, len(words)), 0, -1):
            phrase = b" ".join(words[-count:] if before else words[:count])
            if phrase in self.exact_phrases or (
                self.prefixes and phrase.startswith(self.prefixes) and b" . " not in phrase
            ):
                return phrase
        return None


@dataclass(slots=True)
class CompiledContext:
    """A context of a rule, made ready. `beside`: whether phrases count, whether they precede the term, the phrases."""

    rule: ContextRule
    adjacent: tuple[tuple[bool, bool, AdjacentPhrases], ...]
    supporting_rules: frozenset[int]


class Disambiguator:
    """Weighs the ambiguous places of an article; the word lists of all rules are one automaton, made at first use."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        numbers = {rule.name: number for number, rule in enumerate(rules.rules)}
        self._contexts: dict[tuple[int, str], CompiledContext] = {}
        for number, rule in enumerate(rules.rules):
            for context in rule.context:
                rules_meant = frozenset({number, *(numbers[name] for name in context.supported_by)})
                guard = CompiledContext(context, _compile_adjacent_phrases(context), rules_meant)
                for term in context.terms or ("",):
                    self._contexts.setdefault((number, term), guard)
        self._context_words: TermAutomaton[ContextWordKey] | None = None

    def set_strengths(self, texts: dict[str, FoldedText], hits: list[Hit]) -> None:
        """Sets strength and reason of every place."""
        guarded = []
        for place in hits:
            guard = self._contexts.get((place.rule_index, place.term)) or self._contexts.get((place.rule_index, ""))
            if _is_in_address(place):
                place.strength, place.reason = Strength.WEAK, "inside a web or mail address"
            elif guard is not None:
                place.strength = Strength.WEAK
                guarded.append((place, guard))
        if not guarded:
            return
        evidence = ContextEvidence(texts, hits, self._get_context_words())
        for _ in range(2):
            strong = [place for place in hits if place.strength is Strength.STRONG]
            verdicts = [(place, evidence.assess_hit(place, guard, strong)) for place, guard in guarded]
            for place, (strength, reason) in verdicts:
                place.strength, place.reason = strength, reason

    def _get_context_words(self) -> TermAutomaton[ContextWordKey]:
        """Every word for and against of every context."""
        if self._context_words is None:
            self._context_words = TermAutomaton()
            for guard in {id(guard): guard for guard in self._contexts.values()}.values():
                context = guard.rule
                lists = ((Polarity.SUPPORT, context.support), (Polarity.AGAINST, context.against))
                for side, terms in (*lists, (Polarity.AGAINST_UNCAPITALIZED, context.against_small)):
                    for language, term in self._expand_vocabularies(terms):
                        self._context_words.add_term((id(context), side, term), term, language)
            self._context_words.build()
        return self._context_words

    def _expand_vocabularies(self, terms: Iterable[str]) -> list[tuple[str, str]]:
        pairs: dict[tuple[str, str], None] = {}
        for term in terms:
            named = (
                self._rules.vocabulary[term[1:]].list_terms()
                if term.startswith("@")
                else [(guess_term_language(term), term)]
            )
            pairs.update(dict.fromkeys(named))
        return list(pairs)


class ContextEvidence:
    """What the texts of one article say for and against its ambiguous places."""

    def __init__(self, texts: dict[str, FoldedText], places: list[Hit], words: TermAutomaton[ContextWordKey]) -> None:
        self.texts = texts
        self.hits = places
        self._expansions: dict[tuple[int, str], tuple[bool, str | None]] = {}
        self._adjacent_verdicts: dict[Hit, tuple[Strength, str] | None] = {}
        self._word_hits: dict[int, list[tuple[Polarity, str, str, int, int]]] = {}
        for name, folded in texts.items():
            for (context, side, word), start, end in words.find_terms(folded.data):
                self._word_hits.setdefault(context, []).append((side, word, name, start, end))

    def assess_hit(self, hit: Hit, context: CompiledContext, strong_hits: list[Hit]) -> tuple[Strength, str | None]:
        """Whether a guarded place counts, and why."""
        if beside := self._get_adjacent_verdict(hit, context):
            return beside
        own, other = self._get_expansions(hit, context)
        if other and not own:
            return Strength.WEAK, f"the text spells it out as {other!r}"
        written = check_capitalization(hit.folded.original, hit.start, hit.end, hit.term)
        support, against = self._weigh_nearby_words(hit, context, written)
        terms = {
            anchor.term for anchor in strong_hits if anchor.rule_index in context.supporting_rules and anchor is not hit
        }
        for_it = sum(support.values()) + 2 * min(2, len(terms)) + (3 if own else 0)
        against_it = sum(against.values()) + (1 if self._has_other_meaning(hit, context) else 0)
        small = context.rule.needs == "capitals" and written is Capitalization.MISSING
        needed = small or context.rule.needs == "support"
        if (for_it > against_it) if needed else (for_it >= against_it):
            return Strength.STRONG, _explain_support(own, terms, support) if needed or against_it else None
        if against_it:
            told = ", ".join(repr(word) for word in list(against)[:3]) or "the same term with another meaning"
            return Strength.WEAK, f"more speaks against it ({told}) than for it"
        return Strength.WEAK, f"{'written without its capitals and ' if small else ''}nothing around supports it"

    def _get_adjacent_verdict(self, place: Hit, guard: CompiledContext) -> tuple[Strength, str] | None:
        """What the phrases directly beside a place decide; looked up once a place."""
        if place not in self._adjacent_verdicts:
            self._adjacent_verdicts[place] = _judge_adjacent_phrases(place, guard)
        return self._adjacent_verdicts[place]

    def _has_other_meaning(self, place: Hit, guard: CompiledContext) -> bool:
        """Whether the same term plainly means something else at another place."""
        twins = (twin for twin in self.hits if twin.rule_index == place.rule_index and twin.term == place.term)
        return any(
            (verdict := self._get_adjacent_verdict(twin, guard)) and verdict[0] is Strength.WEAK for twin in twins
        )

    def _weigh_nearby_words(
        self, place: Hit, guard: CompiledContext, written: Capitalization
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Words for and against with their weight: 2 close by, 1 in reach of the place, or in the title or lead."""
        words: tuple[dict[str, int], dict[str, int]] = ({}, {})
        reach = guard.rule.reach
        for side, word, name, start, end in self._word_hits.get(id(guard.rule), ()):
            if side is Polarity.AGAINST_UNCAPITALIZED and written is Capitalization.CORRECT:
                continue
            apart = max(start - place.folded_end, place.folded_start - end) if name == place.field else None
            if apart is not None and apart < 0:
                continue
            if name in ("title", "lead") or (apart is not None and apart <= reach):
                weights = words[0 if side is Polarity.SUPPORT else 1]
                weights[word] = max(
                    weights.get(word, 1), 2 if apart is not None and apart <= CLOSE_WORD_CHARACTERS else 1
                )
        return words

    def _get_expansions(self, place: Hit, guard: CompiledContext) -> tuple[bool, str | None]:
        """Whether the article spells the abbreviation out as one of the rules' own terms, and how else it does."""
        if not is_abbreviation(place.term):
            return False, None
        key = (place.rule_index, place.term)
        if key not in self._expansions:
            self._expansions[key] = self._find_expansions(place.term, guard)
        return self._expansions[key]

    def _find_expansions(self, term: str, guard: CompiledContext) -> tuple[bool, str | None]:
        own, other = False, None
        for name, folded in self.texts.items():
            for start, end in find_expansions(folded.original, term):
                mine = any(
                    p.field == name
                    and p.rule_index in guard.supporting_rules
                    and p.start < end
                    and p.end > start
                    and " " in p.surface
                    for p in self.hits
                )
                own = own or mine
                other = other if mine else folded.original[start:end]
        return own, other


def _compile_adjacent_phrases(context: ContextRule) -> tuple[tuple[bool, bool, AdjacentPhrases], ...]:
    """The phrases that decide alone, those against first."""
    return (
        (False, False, AdjacentPhrases.from_terms(context.not_before)),
        (False, True, AdjacentPhrases.from_terms(context.not_after)),
        (True, False, AdjacentPhrases.from_terms(context.sure_before)),
        (True, True, AdjacentPhrases.from_terms(context.sure_after)),
    )


def _judge_adjacent_phrases(place: Hit, guard: CompiledContext) -> tuple[Strength, str] | None:
    """What a phrase directly beside the place decides."""
    data = place.folded.data
    after = data[place.folded_end : place.folded_end + 80].split()
    before = data[max(0, place.folded_start - 80) : place.folded_start].split()
    for counts, first, phrases in guard.adjacent:
        if phrase := phrases.find_phrase(before if first else after, before=first):
            start = place.folded_start - 1 - len(phrase) if first else place.folded_end + 1
            told = f"directly {'preceded' if first else 'followed'} by {_get_original_phrase(place, start, phrase)!r}"
            return Strength.STRONG if counts else Strength.WEAK, told
    return None


def _get_original_phrase(place: Hit, start: int, phrase: bytes) -> str:
    first, last = place.folded.find_original_span(start, start + len(phrase))
    return place.folded.original[first:last]


def _is_in_address(place: Hit) -> bool:
    text = place.folded.original
    first, last = place.start, place.end
    while first > 0 and not text[first - 1].isspace():
        first -= 1
    while last < len(text) and not text[last].isspace():
        last += 1
    return last - first > place.end - place.start + 2 and _ADDRESS_PATTERN.search(text[first:last]) is not None


def _explain_support(own: bool, terms: set[str], support: dict[str, int]) -> str:
    if own:
        return "the text spells it out"
    told = [*sorted(terms), *support][:3]
    return "supported by " + ", ".join(repr(word) for word in told)
