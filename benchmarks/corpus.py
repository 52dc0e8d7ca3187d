"""Make press releases in English, Russian and Kazakh. The same seed and number always give the same text.

Words are made of syllables and inflected by a small grammar. Each release has its own names, numbers and vocabulary, so
two releases share no more than two real ones: function words, frequent words and one of a few official formulas.
Third parties' texts are not used.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

LANGUAGES = ("en", "ru", "kk")
SECTIONS = ("news", "economy", "lifestyle")
ON_TOPIC_EVERY = 20
COPY_EVERY = 50
COPY_DISTANCE = 7
"""How many releases before its copy the original is."""
REVISED_EVERY = 100
PARAGRAPHS = 6
SENTENCES = (3, 5)

SYLLABLES = {
    "en": "ba ber con den fal gar hil kel lor men nor pra qui res sol tem ven wil yor dus lim pat ros ham tir",
    "ru": "ба бер вон ден жар зал кир лов мен нор пра рес сол тем уг фил хор цен шар дус лим пат рос хам тир",
    "kk": "ақ бай қар дән жол зау кіл мұн нар өрт піш рас сұл тоң үйр шың біл әу ғыл дос лім пат рос хам тір",
}
NAME_SYLLABLES = {
    "en": "Ad Bel Cor Dar Fen Gor Hal Jar Kol Lan Mer Nav Os Pel Ras Sil Tar Ul Ver Zan",
    "ru": "Ад Бел Кор Дар Фен Гор Хал Жар Кол Лан Мер Нав Ос Пел Рас Сил Тар Ул Вер Зан",
    "kk": "Әд Бел Қор Дәр Пен Ғор Хал Жар Көл Лән Мер Нау Ос Піл Рас Сіл Тар Ұл Бер Зан",
}
NAME_ENDINGS = {"en": ("ton", "berg", "well"), "ru": ("ский", "енко", "ов"), "kk": ("бек", "ұлы", "хан")}
NOUN_ENDINGS = {"en": ("", "s", "ment"), "ru": ("", "а", "ами", "ов"), "kk": ("", "лар", "ды", "ның")}
ADJECTIVE_ENDINGS = {"en": ("al", "ive", "ous"), "ru": ("ный", "ского", "ной"), "kk": ("лық", "шы", "дағы")}
VERB_ENDINGS = {"en": ("ed", "ised"), "ru": ("ил", "овал", "ила"), "kk": ("ды", "лады", "ген")}
PATTERNS = {
    "en": (
        "The {a} {n} {v} the {n} of the {n} and {v} {a} {n}",
        "{name} {v} {a} {n} with the {n} that the {n} has {v} by {n}",
        "After the {n} of {n}, {a} {n} {v} to {name} from the {n}",
        "In all, {number} {n} {v} the {a} {n} of the {n}",
    ),
    "ru": (
        "В {n} {a} {n} {v} {n} и {v} {a} {n} для {n}",
        "{name} {v} {a} {n} из {n}, который {v} {n} по {n}",
        "После {n} и {n} {a} {n} {v} для {name} на {n}",
        "Всего {number} {n} {v} {a} {n} за {n}",
    ),
    "kk": (
        "Бұл {a} {n} және {n} үшін {a} {n} {n} {v}",
        "{name} {a} {n} бойынша {n} мен {n} туралы {v}",
        "Осы {n} кейін {a} {n} және {name} {n} үшін {v}",
        "Барлығы {number} {n} {a} {n} арқылы {n} {v}",
    ),
}
FORMULAS = {
    "en": ("according to the press service of the ministry", "as the official statement of the council says"),
    "ru": ("сообщили в пресс-службе министерства", "говорится в официальном сообщении совета"),
    "kk": ("деп хабарлады министрліктің баспасөз қызметі", "делінген кеңестің ресми хабарламасында"),
}
TOPIC = {
    "en": "{name} spoke to the International Committee of the Red Cross about international humanitarian law.",
    "ru": "{name} выступил в Международном Комитете Красного Креста по вопросам международного гуманитарного права.",
    "kk": "{name} Халықаралық Қызыл Крест комитетінде халықаралық гуманитарлық құқық туралы сөйледі.",
}
CORRECTION = {
    "en": "The figure was later corrected to {number}.",
    "ru": "Позднее цифру исправили на {number}.",
    "kk": "Кейін бұл сан {number} болып түзетілді.",
}
EVENT_NAMES = {
    "en": ("Barvenor", "Keltovan", "Mirandol"),
    "ru": ("Барвенор", "Кельтован", "Мирандол"),
    "kk": ("Барвенор", "Келтован", "Мирандол"),
}
EVENT_NUMBERS = (471, 38, 12_650)


@dataclass(frozen=True, slots=True)
class Release:
    """A press release as plain text. `id` is the source's own; a revised release has the id of the first version."""

    id: str
    slug: str
    section: str
    language: str
    title: str
    lead: str
    paragraphs: tuple[str, ...]


def make_releases(count: int) -> list[Release]:
    """Return releases about unrelated events, the oldest first: 5 % on topic, 2 % copies, and 1 % more that revise.

    A revision follows half a corpus later, under the same id and another address.
    """
    releases = [make_release(number) for number in range(count)]
    revised = [revise_release(release) for release in releases[REVISED_EVERY // 2 :: REVISED_EVERY]]
    return releases + revised


def make_crowd(count: int) -> list[Release]:
    """Return releases that all report one event, each in words of its own."""
    return [make_release(number, is_crowd=True) for number in range(count)]


def make_release(number: int, *, is_crowd: bool = False) -> Release:
    """Return release `number`: a copy of an earlier one at some numbers, on topic at others."""
    is_copy = not is_crowd and number % COPY_EVERY == COPY_EVERY - 1
    origin = number - COPY_DISTANCE if is_copy else number
    language = LANGUAGES[origin % len(LANGUAGES)]
    chance = random.Random(f"release {origin}")
    names: Sequence[str] = EVENT_NAMES[language]
    numbers: Sequence[int] = EVENT_NUMBERS
    if not is_crowd:
        names = [_make_name(chance, language) for _ in range(3)]
        numbers = [chance.randint(11, 99_999) for _ in range(3)]
    make_sentence = _sentence_maker(chance, language, names, numbers)
    paragraphs = [" ".join(make_sentence() for _ in range(chance.randint(*SENTENCES))) for _ in range(PARAGRAPHS)]
    if is_crowd or origin % ON_TOPIC_EVERY == 3:
        paragraphs[1] += " " + TOPIC[language].format(name=names[0])
    paragraphs[-1] = f"{paragraphs[-1][:-1]}, {chance.choice(FORMULAS[language])}."
    title = make_sentence()[:-1]
    return Release(
        id=str(1000 + number),
        slug=f"release-{number}",
        section=SECTIONS[number % len(SECTIONS)],
        language=language,
        title=title,
        lead=make_sentence(),
        paragraphs=tuple(paragraphs),
    )


def revise_release(release: Release) -> Release:
    """Return the release with one sentence more and one paragraph less, at another address."""
    added = CORRECTION[release.language].format(number=len(release.title) * 37)
    first, *others = release.paragraphs[:-1]
    return Release(
        id=release.id,
        slug=f"{release.slug}-revised",
        section=release.section,
        language=release.language,
        title=release.title,
        lead=release.lead,
        paragraphs=(f"{first} {added}", *others),
    )


def _sentence_maker(
    chance: random.Random, language: str, names: Sequence[str], numbers: Sequence[int]
) -> Callable[[], str]:
    roots = {kind: _list_roots(language, kind) for kind in ("noun", "adjective", "verb")}
    inflected = {
        "{n}": (roots["noun"], NOUN_ENDINGS[language]),
        "{a}": (roots["adjective"], ADJECTIVE_ENDINGS[language]),
        "{v}": (roots["verb"], VERB_ENDINGS[language]),
    }
    chosen = {"{name}": names, "{number}": list(map(str, numbers))}
    patterns = _split_patterns(language)
    draw_bits, draw_share = chance.getrandbits, chance.random

    def choose(values: Sequence[str]) -> str:  # as `chance.choice`, in half the time
        size = len(values)
        bits = size.bit_length()
        at = draw_bits(bits)
        while at >= size:
            at = draw_bits(bits)
        return values[at]

    def make_sentence() -> str:
        words = []
        for slot, mark in patterns[chance.randrange(len(patterns))]:
            if slot in inflected:
                stems, endings = inflected[slot]
                # The square makes some words frequent and most of them rare, as in real texts.
                words.append(stems[int(len(stems) * draw_share() ** 2)] + choose(endings) + mark)
            else:
                words.append((choose(chosen[slot]) if slot in chosen else slot) + mark)
        sentence = " ".join(words)
        return sentence[0].upper() + sentence[1:] + "."

    return make_sentence


@cache
def _split_patterns(language: str) -> list[list[tuple[str, str]]]:
    """Return the slots and words of each pattern, each with the mark that follows it."""
    splits = ([word.partition("}") for word in pattern.split(" ")] for pattern in PATTERNS[language])
    return [[(before + end, mark) for before, end, mark in split] for split in splits]


def _make_name(chance: random.Random, language: str) -> str:
    first, second, third = chance.choices(NAME_SYLLABLES[language].split(), k=3)
    return f"{first}{second.lower()}{third.lower()}{chance.choice(NAME_ENDINGS[language])}"


@cache
def _list_roots(language: str, kind: str) -> list[str]:
    count = {"noun": 3000, "adjective": 900, "verb": 900}[kind]
    chance = random.Random(f"{language} {kind}")
    return ["".join(chance.choices(SYLLABLES[language].split(), k=chance.choice((2, 3, 3)))) for _ in range(count)]
