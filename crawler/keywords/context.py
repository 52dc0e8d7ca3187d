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
from crawler.keywords.abbreviations import is_abbreviation, spelled_out
from crawler.keywords.capitals import Capitals, capitals
from crawler.keywords.forms import Automaton
from crawler.keywords.query import language_of
from crawler.keywords.rules import Context, RuleSet
from crawler.text.normalise import Folded, folded_term


class Side(Enum):
    """What a word near a term says."""

    FOR = "for"
    AGAINST = "against"
    AGAINST_SMALL = "against, where capitals do not tell"


_ADDRESS = re.compile(r"://|www\.|^\S+@\S+\.\w|[\w-]\.(?:org|com|int|net|info|edu|gov|kz|ru|uk|us|ch)\b", re.I)
Key = tuple[int, Side, str]
"""The id of a context, on which side a word stands there, and the word."""
CLOSE = 40
"""Characters within which a word for or against weighs double."""
LONG = 4
"""Most words of a phrase in not_before and not_after."""


@dataclass(slots=True, eq=False)
class Place:
    """One place where a term of a rule stands, in folded bytes and in the text, and what is thought of it."""

    rule: int
    term: str
    field: str
    folded: Folded
    start: int
    end: int
    first: int
    last: int
    strength: Strength = Strength.STRONG
    reason: str | None = None

    @property
    def surface(self) -> str:
        """The term as written."""
        return self.folded.original[self.first : self.last]


@dataclass(slots=True)
class Neighbours:
    """Phrases that may stand directly beside a term: whole in every form, or by their beginning."""

    whole: set[bytes] = field(default_factory=set)
    begun: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, terms: Iterable[str]) -> Neighbours:
        """The phrases in all their forms."""
        made = cls()
        for term in terms:
            if term.endswith("*"):
                made.begun += (folded_term(term[:-1]),)
            else:
                forms = {"en": inflect_en.forms, "ru": inflect_ru.forms, "kk": inflect_kk.forms}[language_of(term)](
                    term
                )
                made.whole |= {folded_term(form) for form in forms}
        return made

    def found(self, words: list[bytes], *, before: bool) -> bytes | None:
        """The phrase that the words begin with, or (before) end with."""
        for count in range(min(LONG, len(words)), 0, -1):
            phrase = b" ".join(words[-count:] if before else words[:count])
            if phrase in self.whole or (self.begun and phrase.startswith(self.begun) and b" . " not in phrase):
                return phrase
        return None


@dataclass(slots=True)
class Guard:
    """A context of a rule, made ready. `beside`: whether phrases count, whether they precede the term, the phrases."""

    context: Context
    beside: tuple[tuple[bool, bool, Neighbours], ...]
    rules: frozenset[int]


class Judge:
    """Weighs the ambiguous places of an article; the word lists of all rules are one automaton, made at first use."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        numbers = {rule.name: number for number, rule in enumerate(rules.rules)}
        self._guards: dict[tuple[int, str], Guard] = {}
        for number, rule in enumerate(rules.rules):
            for context in rule.context:
                rules_meant = frozenset({number, *(numbers[name] for name in context.supported_by)})
                guard = Guard(context, _beside(context), rules_meant)
                for term in context.terms or ("",):
                    self._guards.setdefault((number, term), guard)
        self._words: Automaton[Key] | None = None

    def judge(self, texts: dict[str, Folded], places: list[Place]) -> None:
        """Sets strength and reason of every place."""
        guarded = []
        for place in places:
            guard = self._guards.get((place.rule, place.term)) or self._guards.get((place.rule, ""))
            if _in_address(place):
                place.strength, place.reason = Strength.WEAK, "inside a web or mail address"
            elif guard is not None:
                place.strength = Strength.WEAK
                guarded.append((place, guard))
        if not guarded:
            return
        evidence = Evidence(texts, places, self._vocabulary())
        for _ in range(2):
            strong = [place for place in places if place.strength is Strength.STRONG]
            verdicts = [(place, evidence.weigh(place, guard, strong)) for place, guard in guarded]
            for place, (strength, reason) in verdicts:
                place.strength, place.reason = strength, reason

    def _vocabulary(self) -> Automaton[Key]:
        """Every word for and against of every context."""
        if self._words is None:
            self._words = Automaton()
            for guard in {id(guard): guard for guard in self._guards.values()}.values():
                context = guard.context
                lists = ((Side.FOR, context.support), (Side.AGAINST, context.against))
                for side, terms in (*lists, (Side.AGAINST_SMALL, context.against_small)):
                    for language, term in self._spread(terms):
                        self._words.add((id(context), side, term), term, language)
            self._words.build()
        return self._words

    def _spread(self, terms: Iterable[str]) -> list[tuple[str, str]]:
        pairs: dict[tuple[str, str], None] = {}
        for term in terms:
            named = self._rules.vocabulary[term[1:]].pairs() if term.startswith("@") else [(language_of(term), term)]
            pairs.update(dict.fromkeys(named))
        return list(pairs)


class Evidence:
    """What the texts of one article say for and against its ambiguous places."""

    def __init__(self, texts: dict[str, Folded], places: list[Place], words: Automaton[Key]) -> None:
        self.texts = texts
        self.places = places
        self._spelt: dict[tuple[int, str], tuple[bool, str | None]] = {}
        self._neighbours: dict[Place, tuple[Strength, str] | None] = {}
        self._found: dict[int, list[tuple[Side, str, str, int, int]]] = {}
        for name, folded in texts.items():
            for (context, side, word), start, end in words.find(folded.data):
                self._found.setdefault(context, []).append((side, word, name, start, end))

    def weigh(self, place: Place, guard: Guard, strong: list[Place]) -> tuple[Strength, str | None]:
        """Whether a guarded place counts, and why."""
        if beside := self._beside(place, guard):
            return beside
        own, other = self._spellings(place, guard)
        if other and not own:
            return Strength.WEAK, f"the text spells it out as {other!r}"
        written = capitals(place.folded.original, place.first, place.last, place.term)
        support, against = self._around(place, guard, written)
        terms = {anchor.term for anchor in strong if anchor.rule in guard.rules and anchor is not place}
        for_it = sum(support.values()) + 2 * min(2, len(terms)) + (3 if own else 0)
        against_it = sum(against.values()) + (1 if self._astray(place, guard) else 0)
        small = guard.context.needs == "capitals" and written is Capitals.MISSING
        needed = small or guard.context.needs == "support"
        if (for_it > against_it) if needed else (for_it >= against_it):
            return Strength.STRONG, _because(own, terms, support) if needed or against_it else None
        if against_it:
            told = ", ".join(repr(word) for word in list(against)[:3]) or "the same term with another meaning"
            return Strength.WEAK, f"more speaks against it ({told}) than for it"
        return Strength.WEAK, f"{'written without its capitals and ' if small else ''}nothing around supports it"

    def _beside(self, place: Place, guard: Guard) -> tuple[Strength, str] | None:
        """What the phrases directly beside a place decide; looked up once a place."""
        if place not in self._neighbours:
            self._neighbours[place] = _neighbour(place, guard)
        return self._neighbours[place]

    def _astray(self, place: Place, guard: Guard) -> bool:
        """Whether the same term plainly means something else at another place."""
        twins = (twin for twin in self.places if twin.rule == place.rule and twin.term == place.term)
        return any((verdict := self._beside(twin, guard)) and verdict[0] is Strength.WEAK for twin in twins)

    def _around(self, place: Place, guard: Guard, written: Capitals) -> tuple[dict[str, int], dict[str, int]]:
        """Words for and against with their weight: 2 close by, 1 in reach of the place, or in the title or lead."""
        words: tuple[dict[str, int], dict[str, int]] = ({}, {})
        reach = guard.context.reach
        for side, word, name, start, end in self._found.get(id(guard.context), ()):
            if side is Side.AGAINST_SMALL and written is Capitals.RIGHT:
                continue
            apart = max(start - place.end, place.start - end) if name == place.field else None
            if apart is not None and apart < 0:
                continue
            if name in ("title", "lead") or (apart is not None and apart <= reach):
                weights = words[0 if side is Side.FOR else 1]
                weights[word] = max(weights.get(word, 1), 2 if apart is not None and apart <= CLOSE else 1)
        return words

    def _spellings(self, place: Place, guard: Guard) -> tuple[bool, str | None]:
        """Whether the article spells the abbreviation out as one of the rules' own terms, and how else it does."""
        if not is_abbreviation(place.term):
            return False, None
        key = (place.rule, place.term)
        if key not in self._spelt:
            self._spelt[key] = self._spelt_out(place.term, guard)
        return self._spelt[key]

    def _spelt_out(self, term: str, guard: Guard) -> tuple[bool, str | None]:
        own, other = False, None
        for name, folded in self.texts.items():
            for start, end in spelled_out(folded.original, term):
                mine = any(
                    p.field == name and p.rule in guard.rules and p.first < end and p.last > start and " " in p.surface
                    for p in self.places
                )
                own = own or mine
                other = other if mine else folded.original[start:end]
        return own, other


def _beside(context: Context) -> tuple[tuple[bool, bool, Neighbours], ...]:
    """The phrases that decide alone, those against first."""
    return (
        (False, False, Neighbours.of(context.not_before)),
        (False, True, Neighbours.of(context.not_after)),
        (True, False, Neighbours.of(context.sure_before)),
        (True, True, Neighbours.of(context.sure_after)),
    )


def _neighbour(place: Place, guard: Guard) -> tuple[Strength, str] | None:
    """What a phrase directly beside the place decides."""
    data = place.folded.data
    after = data[place.end : place.end + 80].split()
    before = data[max(0, place.start - 80) : place.start].split()
    for counts, first, phrases in guard.beside:
        if phrase := phrases.found(before if first else after, before=first):
            start = place.start - 1 - len(phrase) if first else place.end + 1
            told = f"directly {'preceded' if first else 'followed'} by {_written(place, start, phrase)!r}"
            return Strength.STRONG if counts else Strength.WEAK, told
    return None


def _written(place: Place, start: int, phrase: bytes) -> str:
    first, last = place.folded.span(start, start + len(phrase))
    return place.folded.original[first:last]


def _in_address(place: Place) -> bool:
    text = place.folded.original
    first, last = place.first, place.last
    while first > 0 and not text[first - 1].isspace():
        first -= 1
    while last < len(text) and not text[last].isspace():
        last += 1
    return last - first > place.last - place.first + 2 and _ADDRESS.search(text[first:last]) is not None


def _because(own: bool, terms: set[str], support: dict[str, int]) -> str:
    if own:
        return "the text spells it out"
    told = [*sorted(terms), *support][:3]
    return "supported by " + ", ".join(repr(word) for word in told)
