"""Find who did what to whom, as far as order, prepositions and case endings tell it.

Where all words of a sentence stay and only their order changes, the meaning stays too, unless a small word ("from",
"not", "all", a number) stands with another word, or the first of two participants changes. Where two participants
exchange their case endings, they exchanged their roles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crawler.revisions.inflection import is_same_name
from crawler.revisions.lexicon import load_function_words, load_grammar, load_word_classes
from crawler.revisions.tokens import Token, TokenKind, is_year

MAX_DISTANCE = 3
"""Words before a participant in which a preposition belongs to it."""
_PASSIVE_PATTERN = re.compile(
    r"(?:\w{3,}(?:ся|сь|ан[аоы]?|ен[аоы]?|ят[аоы]?|ыт[аоы]?)|был[аои]?|[а-яәғқңөұүһі]{2,}[ыіа]?л(?:ды|ді|ған|ген|ады|еді))"
)
_INSTRUMENTAL_PATTERN = re.compile(r"\w{2,}(?:ом|ем|ой|ей|ами|ями|ым|им|ью)")


_PLURAL_CASE = re.compile(r"(?:ов|ев|ей|ам|ям|ами|ями|ах|ях)$")


@dataclass(frozen=True, slots=True)
class _Participant:
    """A person, body or place: consecutive tokens, and whether a preposition governs it."""

    tokens: tuple[Token, ...]
    is_bound: bool
    is_agent_of_passive: bool

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(token.word for token in self.tokens)


def find_role_change(old: Sequence[Token], new: Sequence[Token], language: str | None) -> tuple[str, str] | None:
    """Return the words of participants that exchanged their roles, before and after, or None.

    The caller makes sure that both sentences name the same participants.
    """
    if exchanged := _find_exchanged_cases(old, new):
        return exchanged
    before, after = _list_participants(old), _list_participants(new)
    if not _are_same_words(old, new) and not _is_voice_changed(old, new):
        return None
    first, second = _find_agent(before, language), _find_agent(after, language)
    if first and second and not _are_same_participant(first, second) and _has_both(before, after, first, second):
        return " ".join(first.words), " ".join(second.words)
    return None


def find_changed_binding(old: Sequence[Token], new: Sequence[Token]) -> tuple[str, str] | None:
    """Return a small word with the word that it stands with, before and after, for sentences of the same words."""
    if not _are_same_words(old, new):
        return None
    before, after = Counter(_list_bindings(old)), Counter(_list_bindings(new))
    removed, added = list((before - after).elements()), list((after - before).elements())
    return (" ".join(removed[0]), " ".join(added[0])) if removed and added else None


def _are_same_words(old: Sequence[Token], new: Sequence[Token]) -> bool:
    words, others = (Counter(token.key for token in side if token.kind is not TokenKind.MARK) for side in (old, new))
    return words == others


def _is_voice_changed(old: Sequence[Token], new: Sequence[Token]) -> bool:
    """Return whether only one of two English sentences is a passive with "by"."""
    passives = ["by" in (words := {token.word for token in side}) and bool(words & _load_be()) for side in (old, new)]
    return passives[0] is not passives[1]


# --- participants


def _list_participants(tokens: Sequence[Token]) -> list[_Participant]:
    """Return the participants in their order. Those joined by "and" or a comma are one."""
    words = [token.word for token in tokens]
    places = {
        index
        for meaning in load_word_classes()["participants"].find_meanings(words)
        for index in range(meaning.start, meaning.end)
    }
    places |= {
        index
        for index, token in enumerate(tokens)
        if token.kind is TokenKind.WORD and token.is_capitalized and token.word not in load_function_words()
        if index > 0 or len(token.text) > 2
    }
    participants: list[_Participant] = []
    index = 0
    while index < len(tokens):
        if index not in places:
            index += 1
            continue
        end = index + 1
        while end < len(tokens) and (
            end in places or (tokens[end].key in load_grammar("conjunctions") and end + 1 in places)
        ):
            end += 1
        governor = _find_governor(tokens, index, end, places)
        members = tuple(tokens[each] for each in range(index, end) if each in places)
        participants.append(_Participant(members, governor is not None, governor == "by"))
        index = end
    return participants


def _find_governor(tokens: Sequence[Token], start: int, end: int, places: set[int]) -> str | None:
    """Return the preposition before a participant, or the postposition behind it."""
    if end < len(tokens) and tokens[end].word in load_grammar("postpositions"):
        return tokens[end].word
    for index in range(start - 1, max(start - 1 - MAX_DISTANCE, -1), -1):
        if index in places or tokens[index].kind is TokenKind.MARK:
            return None
        if tokens[index].word in load_grammar("prepositions"):
            return tokens[index].word
    return None


def _find_agent(participants: Sequence[_Participant], language: str | None) -> _Participant | None:
    """Return who acts: the participant behind "by", else the first that no preposition governs.

    Where endings show the case, only participants whose form does not tell it count.
    """
    passive = next((each for each in participants if each.is_agent_of_passive), None)
    if passive is not None:
        return passive
    free = [each for each in participants if not each.is_bound]
    if language in ("ru", "kk"):
        free = [each for each in free if _is_ambiguous(each.tokens[-1])]
    return free[0] if len(free) > 1 or (free and language not in ("ru", "kk")) else None


def _is_ambiguous(token: Token) -> bool:
    """Return whether a name has one form as subject and object: МИД, Казахстан, ООН."""
    return token.is_capitalized and (token.text.isupper() or token.word[-1] not in "аяыйіуюеиоьң")


def _are_same_participant(one: _Participant, other: _Participant) -> bool:
    return any(is_same_name(word, each) for word in one.words for each in other.words)


def _has_both(
    before: Sequence[_Participant], after: Sequence[_Participant], first: _Participant, second: _Participant
) -> bool:
    """Return whether each sentence names the agent of the other one."""
    return any(_are_same_participant(second, each) for each in before) and any(
        _are_same_participant(first, each) for each in after
    )


def _find_exchanged_cases(old: Sequence[Token], new: Sequence[Token]) -> tuple[str, str] | None:
    """Return two words of which one lost its case ending and the other one got one, or None.

    They are participants, unless all other words stay. A verb that became a passive explains other endings.
    """
    pairs = _list_changed_forms(old, new)
    rest, others = (Counter(token.key for token in side if token.kind is not TokenKind.MARK) for side in (old, new))
    rest.subtract(one.key for one, _ in pairs)
    others.subtract(other.key for _, other in pairs)
    if rest != others:
        places = [{id(token) for each in _list_participants(side) for token in each.tokens} for side in (old, new)]
        pairs = [(one, other) for one, other in pairs if id(one) in places[0] and id(other) in places[1]]
    lost = [pair for pair in pairs if _is_oblique(pair[0].word, pair[1].word)]
    got = [pair for pair in pairs if _is_oblique(pair[1].word, pair[0].word)]
    if not lost or not got or _became_passive(old, new, pairs):
        return None
    changed = (lost[0], got[0])
    if all(_are_joined(side, *each) for side, each in zip((old, new), zip(*changed, strict=True), strict=True)):
        return None  # In Kazakh only the last of several takes the ending.
    return " ".join(one.text for one, _ in changed), " ".join(other.text for _, other in changed)


def _are_joined(tokens: Sequence[Token], one: Token, other: Token) -> bool:
    """Return whether only "and" or a comma is between two words."""
    first, last = sorted(next(index for index, token in enumerate(tokens) if token is each) for each in (one, other))
    between = tokens[first + 1 : last]
    return bool(between) and all(token.key in load_grammar("conjunctions") for token in between)


def _list_changed_forms(old: Sequence[Token], new: Sequence[Token]) -> list[tuple[Token, Token]]:
    """Return the nouns that both sentences have, in another form."""
    words, others = ([token for token in side if token.kind is TokenKind.WORD] for side in (old, new))
    gone = Counter(token.key for token in words) - Counter(token.key for token in others)
    come = Counter(token.key for token in others) - Counter(token.key for token in words)
    left = [token for token in others if token.key in come]
    pairs = []
    for token in words:
        if token.key not in gone or token.word in load_function_words():
            continue
        other = next((each for each in left if is_same_name(_drop_plural(token.word), _drop_plural(each.word))), None)
        if other is not None:
            left.remove(other)
            pairs.append((token, other))
    return pairs


def _drop_plural(word: str) -> str:
    """Return a Russian genitive plural as the nominative: "повстанцев", "повстанцы"."""
    return re.sub("(?:ов|ев)$", "ы", word)


def _is_oblique(word: str, base: str) -> bool:
    """Return whether a word has a case ending that the other form of it lacks: "Бельмарку" beside "Бельмарк"."""
    if word.startswith(base) or (base[-1] in "ыи" and _PLURAL_CASE.search(word) and not _PLURAL_CASE.search(base)):
        return True
    return base[-1] in "аяо" and not base.startswith(word) and (word[-1] not in "аяо" or len(word) > len(base))


def _became_passive(old: Sequence[Token], new: Sequence[Token], changed: Sequence[tuple[Token, Token]]) -> bool:
    passives = [sum(_PASSIVE_PATTERN.fullmatch(token.word) is not None for token in side) for side in (old, new)]
    instrumental = any(_INSTRUMENTAL_PATTERN.fullmatch(token.word) for pair in changed for token in pair)
    return instrumental and passives[0] != passives[1]


# --- small words and the words that they stand with


def _list_bindings(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    words = [token for token in tokens if token.kind is not TokenKind.MARK]
    quantifiers = load_word_classes()["quantifiers"].find_meanings([token.word or "#" for token in words])
    bound = [words[meaning.end - 1] for meaning in quantifiers]
    bound += [token for token in tokens if token.kind is TokenKind.NUMBER and not is_year(token)]
    small = load_grammar("prepositions") | load_grammar("denials")
    bound += [token for token in tokens if token.word in small]
    for index, token in enumerate(tokens):
        if any(token is each for each in bound) and (after := _find_content(tokens, index + 1)) is not None:
            yield token.key, after.key
        if token.word in load_grammar("postpositions") and index > 0:
            yield tokens[index - 1].key, token.key


def _find_content(tokens: Sequence[Token], start: int) -> Token | None:
    """Return the next word that is more than grammar, in the same clause."""
    functions = load_function_words()
    found = next((token for token in tokens[start:] if token.word not in functions), None)
    return None if found is None or found.kind is TokenKind.MARK else found


def _load_be() -> frozenset[str]:
    return load_grammar("be_present") | load_grammar("be_past") | load_grammar("be_other")
