"""Judge one edited sentence by what a lawyer would ask.

*Substantive*: a figure with its unit, a date, a name, a negation, a quantifier, a frequency, a modal verb, a verb of
stance or speech, who did what to whom, an attribution, or a run of three or more content words. *Cosmetic*: the same
tokens (`tokens`), so only typography, the spelling of numbers, look-alike letters, counters and time stamps.
*Editorial*: the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from crawler.defaults import load_default_toml
from crawler.revisions.abbreviations import unify_abbreviations
from crawler.revisions.claims import compare_claims, find_claims, is_negation
from crawler.revisions.inflection import count_common_letters, is_same_word, is_typo
from crawler.revisions.kinds import ChangeKind, ClaimChange, Severity
from crawler.revisions.lexicon import is_listed, list_groups, load_function_words, load_grammar, load_support_verbs
from crawler.revisions.page_stamps import is_page_label, remove_page_stamps
from crawler.revisions.roles import find_changed_binding, find_role_change
from crawler.revisions.tokens import Token, TokenKind, read_tokens

MIN_RUN_LENGTH = 3
"""Content words in a row from which their change is substantive."""
MIN_CLAUSE_LENGTH = 2
"""The same for all content words of a clause: "Residents who stayed behind"."""
MIN_ROOT_LENGTH = 5
MAX_JUDGED_LENGTH = 5000
"""Characters of a text without sentence ends that is judged word by word."""
CONTEXT_LENGTH = 300
"""Characters of what both versions have that is kept on either side of the change."""
MIN_SENTENCE_WORDS = 3
"""Words of a sentence without a final mark. A shorter one is a heading, a caption or a signature."""
_END_OF_SENTENCE = Token(TokenKind.MARK, ".", ".")
_FINAL_MARK = re.compile(r"[.!?…][\"'»”’)\]]*\s*$")
_RUSSIAN_PAST = re.compile(r"\w{3,}(?:[аяиыеуо])л(?:а|о|и)?(?:ся|сь)?")
_RUSSIAN_PRESENT = re.compile(r"\w{2,}(?:ет|ит|ут|ют|ат|ят)(?:ся)?")
_KAZAKH_PAST = re.compile(r"\w{2,}(?:[^аейәи](?:д[ыі]|т[ыі])|[ғгқк][ае]н)")
_KAZAKH_PRESENT = re.compile(r"\w{2,}(?:[ае]д[ыі]|йд[ыі]|м[ае]к|п[ае]к|б[ае]к)")
_ENGLISH_PAST = re.compile(r"\w{2,}ed")
_VERB_KINDS = frozenset({ChangeKind.ACTIONS, ChangeKind.STANCE, ChangeKind.MODALITY, ChangeKind.NEGATION})
_SPEECH_GROUPS = frozenset({"say", "state", "stress"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a change touches, how severe it is, why, and the claims that differ."""

    kinds: tuple[ChangeKind, ...]
    severity: Severity
    reason: str
    claims: tuple[ClaimChange, ...] = ()


def judge_edit(
    old: str, new: str, *, language: str | None = None, known_names: Collection[str] = frozenset()
) -> Judgement:
    """Return the judgement about a sentence that was edited. `known_names` are certain names of the text."""
    old, new = _trim_common_text(old, new)
    before, after = read_tokens(old, language), read_tokens(new, language)
    if [token.key for token in before] == [token.key for token in after]:
        return Judgement((ChangeKind.FORM,), Severity.COSMETIC, _explain_form(old, new))
    if max(len(old), len(new)) > MAX_JUDGED_LENGTH:
        return Judgement((ChangeKind.CLAUSE,), Severity.SUBSTANTIVE, "a long passage")
    before, after = unify_abbreviations(before, after)
    if [token.key for token in before] == [token.key for token in after]:
        return Judgement((ChangeKind.WORDING,), Severity.EDITORIAL, "an abbreviation or its words")
    if _list_word_keys(before) == _list_word_keys(after):
        return Judgement((ChangeKind.PUNCTUATION,), Severity.EDITORIAL, "punctuation")
    if is_page_label(old) and is_page_label(new):
        return Judgement((ChangeKind.WORDING,), Severity.EDITORIAL, "a credit or label of the page")
    claims = compare_claims(find_claims(before, known_names), find_claims(after, known_names), before, after)
    claims += _WordingComparison(before, after, language).list_changes(claims)
    if claims:
        kinds = tuple(dict.fromkeys(claim.kind for claim in claims))
        return Judgement(kinds, Severity.SUBSTANTIVE, _explain_claims(claims), tuple(claims))
    if Counter(_list_word_keys(before)) == Counter(_list_word_keys(after)):
        return Judgement((ChangeKind.ORDER,), Severity.EDITORIAL, "another order of the words")
    return Judgement((ChangeKind.WORDING,), Severity.EDITORIAL, "other words")


def _trim_common_text(old: str, new: str) -> tuple[str, str]:
    """Return a very long sentence without most of what both versions begin and end with."""
    if max(len(old), len(new)) <= MAX_JUDGED_LENGTH:
        return old, new
    start = max(count_common_letters(old, new) - CONTEXT_LENGTH, 0)
    rest = count_common_letters(old[: start - 1 if start else None : -1], new[: start - 1 if start else None : -1])
    end = max(rest - CONTEXT_LENGTH, 0)
    return old[start : len(old) - end], new[start : len(new) - end]


def judge_added_or_removed(sentence: str, kind: ChangeKind, *, language: str | None = None) -> Judgement:
    """Return the judgement about a sentence that one version lacks. `kind` is ADDED or REMOVED."""
    tokens = read_tokens(sentence, language)
    words = [token for token in tokens if token.kind is not TokenKind.MARK]
    if not words:
        reason = "a counter, time stamp or item number" if any(map(str.isalnum, sentence)) else "punctuation or spaces"
        return Judgement((ChangeKind.FORM,), Severity.COSMETIC, reason)
    is_sentence = len(words) >= MIN_SENTENCE_WORDS and (
        _FINAL_MARK.search(sentence) is not None or len(words) > MIN_SENTENCE_WORDS
    )
    if is_page_label(sentence) or not (is_sentence or any(token.kind is TokenKind.NUMBER for token in words)):
        return Judgement((kind,), Severity.EDITORIAL, f"a heading or label {kind}")
    return Judgement((kind,), Severity.SUBSTANTIVE, f"a sentence {kind}")


def judge_regrouped(old: Sequence[str], new: Sequence[str], *, language: str | None = None) -> Judgement | None:
    """Return the judgement about sentences that were only split or joined, or None if more changed."""
    before, after = ([token for each in side for token in read_tokens(each, language)] for side in (old, new))
    if [token.key for token in before] == [token.key for token in after]:
        return Judgement((ChangeKind.FORM,), Severity.COSMETIC, "the end of a sentence")
    words, others = (_list_meaningful(side) for side in (before, after))
    if len(words) == len(others) and all(map(is_same_word, words, others)):
        return Judgement((ChangeKind.PUNCTUATION,), Severity.EDITORIAL, "sentences split or joined")
    return None


def _list_meaningful(tokens: Sequence[Token]) -> list[str]:
    """Return the words that are more than grammar, and the keys of numbers and dates."""
    functions = load_function_words()
    return [
        token.word or token.key
        for token in tokens
        if token.kind is not TokenKind.MARK
        and (token.word not in functions or is_listed(token.word) or is_negation(token.word))
    ]


def format_change(old: str, new: str) -> str:
    """Return `old → new` with a dash for nothing."""
    return f"{old or '–'} → {new or '–'}"


def _explain_claims(claims: Sequence[ClaimChange]) -> str:
    return ", ".join(f"{claim.kind}: {format_change(claim.old, claim.new)}" for claim in claims)


def _explain_form(old: str, new: str) -> str:
    stamps = [remove_page_stamps(side) != side.strip() for side in (old, new)]
    if any(stamps):
        return "a counter, time stamp or item number"
    words = [re.findall(r"\w+", side.casefold()) for side in (old, new)]
    if words[0] == words[1]:
        return "punctuation, capitals or spaces"
    return "the same letters or numbers in another spelling"


def _list_word_keys(tokens: Sequence[Token]) -> list[str]:
    return [token.key for token in tokens if token.kind is not TokenKind.MARK]


class _WordingComparison:
    """Compares the words of two sentences that no claim distinguishes: runs, verbs, denials, roles."""

    def __init__(self, old: Sequence[Token], new: Sequence[Token], language: str | None) -> None:
        self._old, self._new, self._language = old, new, language
        gone, come, self._inflected = _match_forms(old, new)
        self._gone, self._come = tuple(gone), tuple(come)
        _match_pairs(gone, come, _is_synonym)
        self._removed, self._added = gone, come

    def list_changes(self, known: Sequence[ClaimChange]) -> list[ClaimChange]:
        """Return what else changed in the meaning, beside the `known` changes."""
        kinds = {change.kind for change in known}
        changes = [*self._find_runs()]
        if ChangeKind.LIMITS not in kinds:
            changes += self._find_opposed_words()
        if ChangeKind.NEGATION not in kinds:
            changes += self._find_denied_words()
        if not kinds & _VERB_KINDS:
            changes += [*self._find_changed_verbs(), *self._find_changed_tenses()]
        if not changes and not known:
            role = find_role_change(self._old, self._new, self._language) or find_changed_binding(self._old, self._new)
            if role:
                changes.append(ClaimChange(kind=ChangeKind.ROLES, old=role[0], new=role[1]))
        return changes

    def _find_runs(self) -> Iterator[ClaimChange]:
        lengths = [
            _get_longest_run(side, words) for side, words in ((self._old, self._removed), (self._new, self._added))
        ]
        if max(lengths) >= MIN_RUN_LENGTH:
            old, new = (f"{length} words" if length >= MIN_RUN_LENGTH else "" for length in lengths)
            yield ClaimChange(kind=ChangeKind.CLAUSE, old=old, new=new)

    def _find_denied_words(self) -> Iterator[ClaimChange]:
        """Yield "lawful" that became "unlawful", "қауіпті" that became "қауіпсіз"."""
        for old in self._gone:
            for new in self._come:
                if _denies(old.word, new.word) or _denies(new.word, old.word):
                    yield ClaimChange(kind=ChangeKind.NEGATION, old=old.text, new=new.text)

    def _find_opposed_words(self) -> Iterator[ClaimChange]:
        """Yield "from" that became "to"."""
        before, after = (
            Counter(token.word for token in side if token.kind is TokenKind.WORD) for side in (self._old, self._new)
        )
        gone, come = before - after, after - before
        for one, other in _load_opposed():
            if (gone[one] and come[other]) or (gone[other] and come[one]):
                old, new = (one, other) if gone[one] else (other, one)
                yield ClaimChange(kind=ChangeKind.ROLES, old=old, new=new)

    def _find_changed_verbs(self) -> Iterator[ClaimChange]:
        old = [token for token in self._removed if _is_verb(token, self._old)]
        new = [token for token in self._added if _is_verb(token, self._new)]
        if old and new and not is_typo(old[0].word, new[0].word) and not _share_root(old[0].word, new[0].word):
            yield ClaimChange(kind=ChangeKind.ACTIONS, old=old[0].text, new=new[0].text)

    def _find_changed_tenses(self) -> Iterator[ClaimChange]:
        """Yield "продолжаются" that became "продолжались". Verbs of speech may change their tense."""
        for old, new in self._inflected:
            is_past, is_present = (tuple(map(test, (old.word, new.word))) for test in (_is_past, _is_present))
            if is_past != is_present and any(is_past) and any(is_present) and not _is_speech(old.word):
                yield ClaimChange(kind=ChangeKind.ACTIONS, old=old.text, new=new.text)
        words, others = ({token.word for token in side} for side in (self._old, self._new))
        present, past = load_grammar("be_present"), load_grammar("be_past")
        for one, other in ((present, past), (past, present)):
            if words & one - others and others & other - words:
                yield ClaimChange(kind=ChangeKind.ACTIONS, old=min(words & one), new=min(others & other))


def _match_forms(
    old: Sequence[Token], new: Sequence[Token]
) -> tuple[list[Token], list[Token], list[tuple[Token, Token]]]:
    """Return the content words that only the old or only the new sentence has, and pairs of two forms of one word."""
    removed, added = _list_content(old), _list_content(new)
    _match_pairs(removed, added, str.__eq__)
    return removed, added, _match_pairs(removed, added, is_same_word)


def _match_pairs(
    removed: list[Token], added: list[Token], is_same: Callable[[str, str], bool]
) -> list[tuple[Token, Token]]:
    """Take pairs of the same word from both lists, in their order, and return them."""
    pairs = []
    for token in list(removed):
        other = next((each for each in added if is_same(token.word, each.word)), None)
        if other is not None:
            removed.remove(token)
            added.remove(other)
            pairs.append((token, other))
    return pairs


def _list_content(tokens: Sequence[Token]) -> list[Token]:
    empty = load_function_words() | load_support_verbs()
    return [token for token in tokens if token.kind is TokenKind.WORD and token.word not in empty]


def _is_synonym(word: str, other: str) -> bool:
    return bool(list_groups(word) & list_groups(other))


def _get_longest_run(tokens: Sequence[Token], changed: Sequence[Token]) -> int:
    """Return the most changed content words in a row. Words of grammar between them do not end a run.

    A clause that changed as a whole counts as a run from two words on.
    """
    left = Counter(token.key for token in changed)
    functions, relatives = load_function_words(), load_grammar("relatives")
    longest = length = 0
    begins_clause, is_relative = True, False
    for token in (*tokens, _END_OF_SENTENCE):
        is_mark = token.kind is TokenKind.MARK
        if token.kind is TokenKind.WORD and left[token.key] > 0:
            left[token.key] -= 1
            length += 1
            longest = max(longest, length)
        elif token.word in functions and not is_mark:
            is_relative = is_relative or (length == 0 and token.word in relatives)
        else:
            if length >= MIN_CLAUSE_LENGTH and (is_relative or (begins_clause and is_mark and length < len(tokens))):
                longest = max(longest, MIN_RUN_LENGTH)
            begins_clause, is_relative, length = is_mark, False, 0
    return longest


def _denies(word: str, denied: str) -> bool:
    """Return whether the second word denies the first one by its beginning or ending."""
    prefixes, suffixes, affirmed = _load_negating_affixes()
    if any(denied.startswith(prefix) and is_same_word(denied.removeprefix(prefix), word) for prefix in prefixes):
        return True
    for suffix in suffixes:
        stem, found, _ = denied.partition(suffix)
        if found and len(stem) > 2 and (word == stem or word.startswith(tuple(stem + each for each in affirmed))):
            return True
    return False


def _share_root(word: str, other: str) -> bool:
    """Return whether two unlisted verbs differ in their prefix: подтопило, затопило."""
    return count_common_letters(word[::-1], other[::-1]) >= MIN_ROOT_LENGTH


def _is_verb(token: Token, sentence: Sequence[Token]) -> bool:
    """Return whether a word looks like the verb of its sentence."""
    word = token.word
    if word.isascii():
        return _ENGLISH_PAST.fullmatch(word) is not None
    if _RUSSIAN_PAST.fullmatch(word) or _RUSSIAN_PRESENT.fullmatch(word):
        return True
    index = next(at for at, each in enumerate(sentence) if each is token)
    ends_clause = (
        index + 1 == len(sentence) or sentence[index + 1].kind is TokenKind.MARK or sentence[index + 1].word == "деп"
    )
    return ends_clause and bool(_KAZAKH_PAST.fullmatch(word) or _KAZAKH_PRESENT.fullmatch(word))


def _is_past(word: str) -> bool:
    return bool(_RUSSIAN_PAST.fullmatch(word) or _KAZAKH_PAST.fullmatch(word)) and not _is_present(word)


def _is_present(word: str) -> bool:
    return bool(_RUSSIAN_PRESENT.fullmatch(word) or _KAZAKH_PRESENT.fullmatch(word))


def _is_speech(word: str) -> bool:
    return any(name == "stance" and group in _SPEECH_GROUPS for name, group in list_groups(word))


@cache
def _load_opposed() -> tuple[tuple[str, str], ...]:
    pairs = (pair.split() for pair in load_default_toml("claim_words.toml")["opposed"]["pairs"])
    return tuple((one, other) for one, other in pairs)


@cache
def _load_negating_affixes() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    affixes = load_default_toml("claim_words.toml")["negating_affixes"]
    return (
        tuple(affixes["prefixes"].split()),
        tuple(affixes["suffixes"].split()),
        tuple(affixes["affirmed_suffixes"].split()),
    )
