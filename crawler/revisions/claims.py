"""Find what a sentence claims: figures, dates, names, negations and attributions.

An edit can change one of these without drawing attention. Patterns and word lists (`defaults/claim_words.toml`) read
English, Russian and Kazakh in every text, because a text quotes other languages. They only compare two readings of one
sentence, where a false find is on both sides and does no harm. They are no general recogniser.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from crawler.defaults import load_default_toml
from crawler.text.capitals import measure_capital_share
from crawler.text.months import get_month_numbers
from crawler.text.number_words import load_cardinal_words, load_scale_words, load_share_words

FIGURE_PATTERN = re.compile(r"\d+(?:[ \u00a0\u202f,.]\d{3}(?!\d))+(?:[.,]\d+)?|\d+(?:[.,]\d+)?|%")
_GROUP_SPACE = re.compile(r"[ \u00a0\u202f]")
# Kazakh negates a verb inside it: кел-ме-ді, бар-ба-йды, айт-па-ған.
KAZAKH_NEGATED_VERB = re.compile(
    r"\b(?!(?:тұмау|алмас|Алмас))[а-яёәғқңөұүһі]{2,}(?:[мбп][ае])"
    r"(?:д[ыі](?:м|ң|қ|к|ңыз|ңіз)?|й(?:д[ыі]|м[ыі]н|мыз|міз|сың|сің|т[ыі]н\w*)?|[ғг][ае]н\w*|с|у\w{0,4}|п|с[ае]|йынша|йінше)\b"
)
WORD_PATTERN = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
_KAZAKH_CASE = r"(?:да|де|та|те|нда|нде|дан|ден|ға|ге|ның|нің|дың|дің|ы|і)?"
# Endings of a day's name. "среди", "средства" and the like are other words.
_DAY_ENDING = r"(?:а|у|е|ы|я|ю|ник\w{0,2}|шний|ым|ой|де|да|нде|нда|гі|ғы|s)?"
_DATE_FORMS = "1234"
"""Suffixes of the groups of `_get_date_pattern`: d1, m1, y1 are day, month and year of its first form."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one sentence. Two sentences that claim the same have equal claims."""

    figures: Counter[str] = field(default_factory=Counter)
    dates: Counter[str] = field(default_factory=Counter)
    negations: Counter[str] = field(default_factory=Counter)
    attributions: Counter[str] = field(default_factory=Counter)
    names: tuple[str, ...] = ()


def find_claims(sentence: str, known_names: Collection[str] = frozenset()) -> Claims:
    """Return the claims of a sentence. `known_names` are certain names of the text; they count as first words too."""
    dates, rest = _extract_dates(sentence)
    return Claims(
        figures=_count_figures(rest),
        dates=dates,
        negations=_count_negations(sentence),
        attributions=_count_attributions(sentence),
        names=tuple(_find_names(rest, known_names)),
    )


def find_certain_names(sentences: Iterable[str]) -> frozenset[str]:
    """Return the words with a capital inside sentences, folded. Headlines in capitals yield none."""
    names: set[str] = set()
    for sentence in sentences:
        words = WORD_PATTERN.findall(sentence)
        if not _is_headline(words):
            names |= {word.casefold() for word in words[1:] if word[0].isupper()}
    return frozenset(names - _load_not_names())


def list_unmatched_names(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once, that have no grammatical form among the others."""
    others = list(others)
    return tuple(dict.fromkeys(name for name in names if not any(is_same_name(name, other) for other in others)))


def is_same_name(first: str, second: str) -> bool:
    """Return whether two words can be one name in two grammatical cases: "Иванова" and "Иванов"."""
    first, second = first.casefold().replace("ё", "е"), second.casefold().replace("ё", "е")
    if first == second:
        return True
    shortest = min(len(first), len(second))
    shared = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), shortest)
    ending_length = max(len(first), len(second)) - shared
    if "\u0400" <= first[0] <= "\u04ff":
        return shared >= 3 and ending_length <= 3
    return shared >= 3 and first[shared:] in ("s", "'s", "’s", "") and ending_length <= 2


def _extract_dates(sentence: str) -> tuple[Counter[str], str]:
    """Return the dates, each in one form, and the sentence without them."""
    dates: Counter[str] = Counter()

    def record_date(match: re.Match[str]) -> str:
        dates.update(_format_dates(match.groupdict()))
        return " "

    rest = _get_date_pattern().sub(record_date, sentence)
    dates.update(match["day"].lower() for match in _get_day_pattern().finditer(rest))
    return dates, _get_day_pattern().sub(" ", rest)


def _format_dates(groups: Mapping[str, str | None]) -> Iterator[str]:
    for form in _DATE_FORMS:
        day, month, year = groups.get(f"d{form}"), groups.get(f"m{form}"), groups.get(f"y{form}")
        if day and month:
            number = get_month_numbers().get(month.lower()) or int(month)
            yield f"{int(day):02}.{number:02}"
            if year:
                yield year
            return
    if groups["hour"]:
        yield f"{int(groups['hour'])}:{groups['minute']}"
    elif groups["month"]:
        yield f"month {get_month_numbers()[groups['month'].lower()]}"
    elif groups["year"]:
        yield groups["year"]


def _count_figures(sentence: str) -> Counter[str]:
    figures = Counter(_normalize_figure(match[0]) for match in FIGURE_PATTERN.finditer(sentence))
    words = _load_figure_words()
    figures.update(words[word] for match in WORD_PATTERN.finditer(sentence) if (word := match[0].lower()) in words)
    return figures


def _normalize_figure(figure: str) -> str:
    """Return one spelling of a number: no group separators, a dot before the fraction."""
    parts = re.split(r"[.,]", _GROUP_SPACE.sub("", figure))
    has_groups = len(parts) > 1 and all(len(part) == 3 for part in parts[1:])
    if has_groups and len(parts[0]) <= 3 and parts[0] != "0":
        return "".join(parts)
    return ".".join(parts)


def _count_negations(sentence: str) -> Counter[str]:
    negations = Counter(match[0].lower() for match in _get_negation_pattern().finditer(sentence))
    negations.update(match[0].lower() for match in KAZAKH_NEGATED_VERB.finditer(sentence))
    return negations


def _count_attributions(sentence: str) -> Counter[str]:
    verbs = _load_attribution_verbs()
    attributions = Counter(
        verbs[word] for match in WORD_PATTERN.finditer(sentence) if (word := match[0].lower()) in verbs
    )
    for name, pattern in _get_attribution_patterns().items():
        attributions[name] += len(pattern.findall(sentence))
    return +attributions


def _find_names(sentence: str, known_names: Collection[str]) -> Iterator[str]:
    words = WORD_PATTERN.findall(sentence)
    is_headline = _is_headline(words)
    for number, word in enumerate(words):
        if not word[0].isupper() or _is_no_name(word):
            continue
        is_certain = (word.isupper() and len(word) > 1) or any(is_same_name(word, name) for name in known_names)
        has_name_after = number + 1 < len(words) and words[number + 1][0].isupper()
        if is_certain or (not is_headline and (number > 0 or (has_name_after and len(word) > 2))):
            yield word


def _is_no_name(word: str) -> bool:
    is_common = word.casefold() in _load_not_names() or word.lower() in get_month_numbers()
    return is_common or _get_post_pattern().match(word) is not None


def _is_headline(words: Iterable[str]) -> bool:
    """Return whether capitals mean nothing, as in English headlines."""
    return measure_capital_share([word for word in words if len(word) > 3], min_words=4) >= 0.7


# --- word lists, loaded and compiled at their first use


def _load_words(name: str) -> Any:
    return load_default_toml("claim_words.toml")[name]


@cache
def _load_figure_words() -> Mapping[str, str]:
    """Return words for figures. Scales are powers of ten: "млн" is 10^6."""
    values = {**load_cardinal_words(), **load_scale_words()}
    figures = {
        word: f"{value:.0f}" if value < 1000 else f"10^{len(f'{value:.0f}') - 1}" for word, value in values.items()
    }
    return {**figures, **load_share_words()}


@cache
def _load_not_names() -> frozenset[str]:
    """Return words with a capital that are no names."""
    return frozenset(_load_words("not_names").split())


@cache
def _load_attribution_verbs() -> Mapping[str, str]:
    """Return the verb of attribution by each of its forms."""
    return {form: verb for verb, forms in _load_words("attribution_verbs").items() for form in forms.split()}


@cache
def _get_attribution_patterns() -> Mapping[str, re.Pattern[str]]:
    return {
        name: re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)
        for name, phrases in _load_words("attribution_phrases").items()
    }


@cache
def _get_negation_pattern() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(_load_words('negations').split())})\b", re.IGNORECASE)


@cache
def _get_post_pattern() -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(_load_words('posts').split())})", re.IGNORECASE)


@cache
def _get_day_pattern() -> re.Pattern[str]:
    days = sorted(_load_words("days").split(), key=len, reverse=True)
    return re.compile(rf"\b(?P<day>{'|'.join(days)}){_DAY_ENDING}\b", re.IGNORECASE)


@cache
def _get_date_pattern() -> re.Pattern[str]:
    """Return the pattern of dates with or without a year, clock times, months before a year, and years."""
    month = "|".join(sorted(get_month_numbers(), key=len, reverse=True))
    return re.compile(
        rf"(?P<d1>\d{{1,2}})(?:-?(?:го|st|nd|rd|th))?\s+(?P<m1>{month}){_KAZAKH_CASE}\b\.?"
        r"(?:,?\s+(?P<y1>(?:19|20)\d\d)\b)?"
        rf"|\b(?P<m2>{month})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<y2>(?:19|20)\d\d)\b)?"
        r"|\b(?P<d3>\d{1,2})\.(?P<m3>\d{1,2})\.(?P<y3>(?:19|20)\d\d)\b"
        r"|\b(?P<y4>(?:19|20)\d\d)-(?P<m4>\d\d)-(?P<d4>\d\d)\b"
        r"|\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b"
        rf"|\b(?P<month>{month})\b(?=\s+(?:19|20)\d\d)|\b(?P<year>(?:19|20)\d\d)(?!\d|[.,]\d)",
        re.IGNORECASE,
    )
