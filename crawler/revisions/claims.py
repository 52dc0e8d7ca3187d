"""Find what a sentence claims: figures, dates, names, negations, attributions, and words such as "must" or "all".

An edit can change one of these without drawing attention. The word lists (`defaults/claim_words.toml` and
`revision_words.toml`) hold English, Russian and Kazakh for every text, because a text quotes other languages. They only
compare two readings of one sentence, where a false find is on both sides and does no harm. They are no general
recogniser.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from crawler.defaults import load_default_toml
from crawler.revisions.inflection import is_same_name, is_same_word, is_typo
from crawler.revisions.kinds import ChangeKind, ClaimChange
from crawler.revisions.lexicon import is_listed, load_grammar, load_support_verbs, load_word_classes
from crawler.revisions.tokens import Token, TokenKind, is_year
from crawler.text.capitals import measure_capital_share
from crawler.text.months import get_month_numbers

# Kazakh negates a verb inside it: кел-ме-ді, бар-ба-йды, айт-па-ған.
KAZAKH_NEGATED_VERB = re.compile(
    r"(?!(?:тұмау|алмас))[а-яәғқңөұүһі]{2,}(?:[мбп][ае])"
    r"(?:д[ыі](?:м|ң|қ|к|ңыз|ңіз)?|й(?:д[ыі]|м[ыі]н|мыз|міз|сың|сің|т[ыі]н\w*)?|[ғг][ае]н\w*|с|у\w{0,4}|п|с[ае]|йынша|йінше)"
)
# Endings of a day's name. "среди", "средства" and the like are other words.
_DAY_ENDING = r"(?:а|у|е|ы|я|ю|ник\w{0,2}|шний|ым|ой|де|да|нде|нда|гі|ғы|ге|ға|ден|нан|дан|ден|нің|ның|s)?"
_MONTH_ENDING = (
    r"(?:ь|я|ю|ем|е|у|ом|а|[дтн][ае]|нд[ае]|[дтн][ае]н|[ғгқк][ае]|[ндт][ыі]ң|[дт][ае]ғ[ыі]|[ндт][ыі]|[ыі]нд[ае])?"
)
_RUSSIAN_VERB = re.compile(
    r"\w+(?:л|ла|ло|ли|ет|ит|ут|ют|ат|ят|ть|н|на|но|ны|т|та|то|ты|вший|вшие|вшая|вших)(?:ся|сь)?"
)
_KAZAKH_VERB = re.compile(r"\w+(?:[дт][ыі]|[ғгқк][ае]н|[ыіае]?п|м[ае]к)")
_LISTED_KINDS = frozenset({ChangeKind.ACTIONS, ChangeKind.STANCE, ChangeKind.PARTICIPANTS, ChangeKind.INSTRUMENTS})
_CAPITALIZED_KINDS = frozenset({ChangeKind.PARTICIPANTS, ChangeKind.INSTRUMENTS})
"""Kinds of words that may have a capital inside a sentence: the President. Any other such word is a name."""
_CONTRACTIONS = {"won't": "will", "can't": "can", "cannot": "can", "shan't": "shall"}


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a sentence. Two that say the same share a key; `text` is as written.

    `unit` is that of a figure. A weak claim may be none ("one", a noun of action). It counts only where a claim of the
    other sentence replaces it.
    """

    kind: ChangeKind
    keys: frozenset[str]
    text: str
    is_weak: bool = False
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one sentence."""

    claims: tuple[Claim, ...]
    names: tuple[str, ...]

    def list_of(self, kind: ChangeKind) -> list[Claim]:
        """Return the claims of one kind."""
        return [claim for claim in self.claims if claim.kind is kind]


def _make_claim(kind: ChangeKind, key: str, text: str) -> Claim:
    return Claim(kind, frozenset({key}), text)


def find_claims(tokens: Sequence[Token], known_names: Collection[str] = frozenset()) -> Claims:
    """Return the claims of a sentence. `known_names` are certain names of the text; they count as first words too."""
    words = _drop_idioms([token for token in tokens if token.kind is not TokenKind.MARK])
    claims = [
        *_find_figures_and_dates(words),
        *_find_limits(words),
        *_find_negations(words),
        *_find_attributions(words),
        *_find_meanings(words),
    ]
    return Claims(claims=tuple(claims), names=tuple(_find_names(words, known_names)))


def _drop_idioms(words: Sequence[Token]) -> list[Token]:
    """Return the tokens without phrases such as "тем не менее", which denies nothing."""
    left: list[Token] = []
    at = 0
    plain = [token.word for token in words]
    while at < len(words):
        length = next((len(idiom) for idiom in _load_idioms() if tuple(plain[at : at + len(idiom)]) == idiom), 0)
        if not length:
            left.append(words[at])
        at += max(length, 1)
    return left


def compare_claims(
    old: Claims, new: Claims, old_tokens: Sequence[Token], new_tokens: Sequence[Token]
) -> list[ClaimChange]:
    """Return the claims that differ between two readings of a sentence."""
    changes = []
    for kind in dict.fromkeys(claim.kind for claim in (*old.claims, *new.claims)):
        before, after = old.list_of(kind), new.list_of(kind)
        if kind is ChangeKind.NEGATION and len(before) == len(after):
            continue  # "is not" and "isn't" deny the same.
        removed = [each for each in _list_unmatched(before, after) if not _has_other_form(each, new_tokens, old_tokens)]
        added = [each for each in _list_unmatched(after, before) if not _has_other_form(each, old_tokens, new_tokens)]
        if (removed and added) or not all(claim.is_weak for claim in (*removed, *added)):
            old_words, new_words = (_list_texts(side, others) for side, others in ((removed, added), (added, removed)))
            changes.append(make_claim_change(kind, old_words, new_words))
    removed_names = _list_unmatched_names(old.names, new.names, new_tokens)
    added_names = _list_unmatched_names(new.names, old.names, old_tokens)
    if removed_names or added_names:
        changes.append(make_claim_change(ChangeKind.NAMES, removed_names, added_names))
    return changes


def _list_texts(claims: Sequence[Claim], others: Sequence[Claim]) -> list[str]:
    """Return the words of claims, a figure with its unit where that changed too."""
    has_same_units = [claim.unit for claim in claims] == [claim.unit for claim in others]
    return [claim.text if has_same_units else f"{claim.text} {claim.unit}".strip() for claim in claims]


def make_claim_change(kind: ChangeKind, old: Iterable[str], new: Iterable[str]) -> ClaimChange:
    """Return a change with its words in one text for each side."""
    return ClaimChange(kind=kind, old=" ".join(old), new=" ".join(new))


def find_certain_names(sentences: Iterable[Sequence[Token]]) -> frozenset[str]:
    """Return the words with a capital inside sentences, in small letters. Headlines in capitals yield none."""
    names: set[str] = set()
    for tokens in sentences:
        words = [token for token in tokens if token.kind is TokenKind.WORD]
        if not _is_headline(words):
            names |= {token.word for token in words[1:] if token.is_capitalized}
    return frozenset(names - _load_not_names())


def _list_unmatched_names(names: Iterable[str], others: Sequence[str], other_tokens: Sequence[Token]) -> list[str]:
    """Return the names, each once, that the other sentence does not have.

    It has a name in another grammatical form, as an adjective ("казахстанский") or as an initial.
    """
    other_words = [token.word for token in other_tokens if token.kind is TokenKind.WORD]
    return [
        name
        for name in dict.fromkeys(names)
        if not any(is_same_name(name, other) for other in others)
        and not any(_is_derived(name, word) for word in other_words)
        and not _has_initial(name, other_tokens)
    ]


def _list_unmatched(claims: Sequence[Claim], others: Sequence[Claim]) -> list[Claim]:
    """Return the claims that the other sentence does not have."""
    left = list(others)
    unmatched = []
    for claim in claims:
        same = next((other for other in left if claim.keys & other.keys), None)
        if same is None:
            unmatched.append(claim)
        else:
            left.remove(same)
    if claims and claims[0].kind is ChangeKind.FIGURES:
        return [claim for claim in unmatched if not _cancel_bare_figure(claim, left)]
    return unmatched


def _cancel_bare_figure(claim: Claim, left: list[Claim]) -> bool:
    """Return whether the other sentence has the number without a unit, or this one has none: "10 and 40 euros"."""
    value, _, unit = min(claim.keys).partition(" ")
    for other in left:
        other_value, _, other_unit = min(other.keys).partition(" ")
        if value == other_value and not (unit and other_unit):
            left.remove(other)
            return True
    return False


def _has_other_form(claim: Claim, tokens: Sequence[Token], own_tokens: Sequence[Token]) -> bool:
    """Return whether the other sentence has the word in a form that no list has: "келді", "келмеді"."""
    if claim.kind not in _LISTED_KINDS or " " in claim.text:
        return False
    own = {token.word for token in own_tokens}
    word = claim.text.casefold()
    others = [token.word for token in tokens if token.word and token.word not in own]
    return any(is_same_word(word, other) or (is_typo(word, other) and not is_listed(other)) for other in others)


# --- figures, dates, limits


def _find_figures_and_dates(words: Sequence[Token]) -> Iterator[Claim]:
    for index, token in enumerate(words):
        after = words[index + 1] if index + 1 < len(words) else None
        unit = after if after is not None and after.kind is TokenKind.UNIT else None
        if token.kind is TokenKind.DATE or (is_year(token) and unit is None and not token.word):
            yield _make_claim(ChangeKind.DATES, token.key, token.text)
        elif token.kind is TokenKind.NUMBER:
            key = f"{token.key} {unit.key}" if unit else token.key
            is_weak = token.is_weak and unit is None
            yield Claim(ChangeKind.FIGURES, frozenset({key}), token.text, is_weak, unit.text if unit else "")
        elif token.kind is TokenKind.WORD and (day := _find_day_or_month(token, index)):
            yield _make_claim(ChangeKind.DATES, day, token.text)


def _find_day_or_month(token: Token, index: int) -> str | None:
    if day := _get_day_pattern().fullmatch(token.word):
        return f"day:{day['day']}"
    if season := _get_season_pattern().fullmatch(token.word):
        return f"season:{season[0][:3]}"
    month: re.Match[str] | None = _get_month_pattern().fullmatch(token.word)
    if month is None or (month["english"] and not (token.is_capitalized and index > 0)):
        return None
    return f"month:{_load_month_stems()[month['english'] or month['name']]}"


def _find_limits(words: Sequence[Token]) -> Iterator[Claim]:
    """Yield "until Friday", "from 5", "1 қыркүйектен бастап": words of time, and others beside a number or date."""
    limits = _load_limits()
    for index, token in enumerate(words):
        limit = limits.get(token.word) if token.kind is TokenKind.WORD else None
        if limit is None:
            continue
        near = words[max(0, index - 2) : index] if _is_postposition(token.word) else words[index + 1 : index + 3]
        if token.word in _load_free_limits() or any(
            each.kind in (TokenKind.NUMBER, TokenKind.DATE) or _find_day_or_month(each, 1) for each in near
        ):
            yield _make_claim(ChangeKind.LIMITS, limit, token.text)


def _is_postposition(word: str) -> bool:
    return re.search("[әғқңөұүһі]", word) is not None or word in ("бастап", "жоғары", "астам")


# --- negation, attribution, words of meaning


def _find_negations(words: Sequence[Token]) -> Iterator[Claim]:
    for token in words:
        if is_negation(token.word):
            yield _make_claim(ChangeKind.NEGATION, token.word, token.text)


def is_negation(word: str) -> bool:
    """Return whether a word in small letters denies."""
    return bool(_get_negation_pattern().fullmatch(word) or KAZAKH_NEGATED_VERB.fullmatch(word))


def _find_attributions(words: Sequence[Token]) -> Iterator[Claim]:
    text = " ".join(token.word for token in words)
    for name, pattern in _get_attribution_patterns().items():
        for found in pattern.finditer(text):
            yield _make_claim(ChangeKind.ATTRIBUTION, name, found[0])


def _find_meanings(words: Sequence[Token]) -> Iterator[Claim]:
    plain = [_get_plain_word(token) for token in words]
    is_headline = _is_headline(words)
    for name, word_class in load_word_classes().items():
        kind = ChangeKind(name)
        for groups, start, end in word_class.find_meanings(plain):
            is_name = words[start].is_capitalized and start > 0 and not is_headline
            if kind is ChangeKind.PARTICIPANTS and groups & _load_titles() and _is_before_name(words, end):
                continue
            if is_name and end == start + 1 and kind not in _CAPITALIZED_KINDS:
                continue
            is_weak = kind is ChangeKind.INSTRUMENTS or (kind is ChangeKind.ACTIONS and _is_noun(words, start, end))
            yield Claim(kind, groups, " ".join(token.text for token in words[start:end]), is_weak)


def _get_plain_word(token: Token) -> str:
    """Return the word by which lists know it: "couldn't" is "could". The denial is another claim."""
    return _CONTRACTIONS.get(token.word) or token.word.removesuffix("n't") or "#"


def _is_noun(words: Sequence[Token], start: int, end: int) -> bool:
    """Return whether a word of action is a noun, by the word before it, its ending and the verb behind it."""
    if start > 0 and words[start - 1].word in load_grammar("noun_markers"):
        return True
    word = words[end - 1].word
    if word.isascii() or (end < len(words) and words[end].word in load_support_verbs()):
        return False
    return not (_RUSSIAN_VERB.fullmatch(word) or _KAZAKH_VERB.fullmatch(word))


def _is_before_name(words: Sequence[Token], end: int) -> bool:
    """Return whether a name follows: that of "minister Umarov" is compared, the post may come and go."""
    return end < len(words) and words[end].kind is TokenKind.WORD and words[end].is_capitalized


# --- names


def _find_names(words: Sequence[Token], known_names: Collection[str]) -> Iterator[str]:
    words = [token for token in words if token.kind is TokenKind.WORD]
    is_headline = _is_headline(words)
    for number, token in enumerate(words):
        if not token.is_capitalized or _is_no_name(token.word):
            continue
        is_certain = (token.text.isupper() and len(token.text) > 1) or any(
            is_same_name(token.word, name) for name in known_names
        )
        has_name_after = number + 1 < len(words) and words[number + 1].is_capitalized
        if is_certain or (not is_headline and (number > 0 or (has_name_after and len(token.text) > 2))):
            yield token.text.removesuffix("'s").removesuffix("'")


def _is_no_name(word: str) -> bool:
    is_common = word in _load_not_names() or word in get_month_numbers() or _get_day_pattern().fullmatch(word)
    return bool(is_common) or _get_post_pattern().match(word) is not None


def _is_headline(words: Sequence[Token]) -> bool:
    """Return whether capitals mean nothing, as in English headlines."""
    return measure_capital_share([token.text for token in words[1:] if len(token.text) > 3], min_words=3) >= 0.7


def _is_derived(name: str, word: str) -> bool:
    """Return whether a word is made from a name: "Казахстан" and "казахстанский"."""
    stem = name.casefold()[: max(5, len(name) - 2)]
    return len(stem) >= 5 and word.startswith(stem)


def _has_initial(name: str, others: Sequence[Token]) -> bool:
    """Return whether one is the initial of the other: "К." and "Касым"."""
    return any(
        len(other.text) != len(name) and 1 in (len(other.text), len(name)) and other.text[:1] == name[0]
        for other in others
        if other.is_capitalized
    )


# --- word lists, loaded and compiled at their first use


def _load_words(name: str) -> Any:
    return load_default_toml("claim_words.toml")[name]


@cache
def _load_not_names() -> frozenset[str]:
    """Return words with a capital that are no names."""
    return frozenset(_load_words("not_names").replace("ё", "е").split())


@cache
def _load_titles() -> frozenset[str]:
    return frozenset(_load_words("titles").split())


@cache
def _load_limits() -> Mapping[str, str]:
    lists = {limit: words for limit, words in _load_words("limits").items() if limit != "anywhere"}
    return {word: limit for limit, words in lists.items() for word in words.split()}


@cache
def _load_free_limits() -> frozenset[str]:
    return frozenset(_load_words("limits")["anywhere"].split())


@cache
def _get_attribution_patterns() -> Mapping[str, re.Pattern[str]]:
    return {
        name: re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)
        for name, phrases in _load_words("attribution_phrases").items()
    }


@cache
def _get_negation_pattern() -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(_load_words('negations').split())})", re.IGNORECASE)


@cache
def _get_post_pattern() -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(_load_words('posts').split())})", re.IGNORECASE)


@cache
def _get_day_pattern() -> re.Pattern[str]:
    days = sorted(_load_words("days").split(), key=len, reverse=True)
    return re.compile(rf"(?P<day>{'|'.join(days)}){_DAY_ENDING}")


@cache
def _get_season_pattern() -> re.Pattern[str]:
    return re.compile("|".join(word.replace("*", r"\w*") for word in _load_words("seasons").split()))


@cache
def _load_idioms() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(idiom.split("_")) for idiom in _load_words("idioms").split())


@cache
def _load_month_stems() -> Mapping[str, int]:
    """Return the numbers of the months by name, and by name without the soft sign of Russian ones."""
    names = {name: number for name, number in get_month_numbers().items() if len(name) > 3}
    stems = {name.removesuffix("ь"): number for name, number in names.items()}
    return {**names, **stems, "may": 5, "май": 5, "ма": 5}


@cache
def _get_month_pattern() -> re.Pattern[str]:
    """Return the pattern of a month's name in any case. Names in Latin letters are in `english`."""
    names = _load_month_stems()
    english = "|".join(name for name in names if name.isascii())
    other = "|".join(sorted((name for name in names if not name.isascii()), key=len, reverse=True))
    return re.compile(rf"(?P<english>{english})|(?P<name>{other}){_MONTH_ENDING}")
