"""Invented news texts in English, Russian and Kazakh for the loopback copies. The same seed makes the same text."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "who": ("The deputy minister", "The ambassador", "A trade delegation", "The regional governor", "The council"),
        "did": ("visited", "discussed", "opened", "inspected", "presented", "praised"),
        "what": (
            "a grain terminal",
            "the new visa center",
            "a carpet exhibition",
            "a solar power plant",
            "a tea factory",
        ),
        "where": ("in Shymkent", "in Aktau", "near Lake Balkhash", "in Pavlodar", "in Kostanay", "in Semey"),
        "when": ("on Monday", "last week", "in the spring", "before the holidays", "after long preparations"),
        "why": ("to speed up deliveries", "to help small firms", "to attract students", "to save water and energy"),
    },
    "ru": {
        "who": (
            "Заместитель министра",
            "Посол Казахстана",
            "Глава торговой палаты",
            "Аким области",
            "Руководитель совета",
        ),
        "did": ("посетил", "обсудил", "осмотрел", "представил", "высоко оценил", "подробно изучил"),
        "what": ("зерновой терминал", "новый визовый центр", "выставочный зал", "солнечный парк", "чайный комбинат"),
        "where": ("в Шымкенте", "в Актау", "на берегу Балхаша", "в Павлодаре", "в Костанае", "в Семее"),
        "when": ("в понедельник", "на прошлой неделе", "весной", "перед праздниками", "после долгой подготовки"),
        "why": (
            "чтобы ускорить поставки",
            "чтобы помочь малым фирмам",
            "чтобы привлечь студентов",
            "чтобы сберечь воду",
        ),
    },
    "kk": {
        "who": (
            "Министрдің орынбасары",
            "Қазақстан елшісі",
            "Сауда палатасының басшысы",
            "Облыс әкімі",
            "Кеңес төрағасы",
        ),
        "did": ("аралап көрді", "талқылады", "тексерді", "таныстырды", "жоғары бағалады", "зерттеді"),
        "what": ("астық терминалын", "жаңа виза орталығын", "көрме залын", "күн электр стансасын", "шай зауытын"),
        "where": ("Шымкентте", "Ақтауда", "Балқаш жағасында", "Павлодарда", "Қостанайда", "Семейде"),
        "when": ("дүйсенбіде", "өткен аптада", "көктемде", "мереке алдында", "ұзақ дайындықтан кейін"),
        "why": ("жеткізуді жеделдету үшін", "шағын кәсіпорындарға көмектесу үшін", "суды үнемдеу үшін"),
    },
}
PATTERNS = {
    "en": "{who} {did} {what} {where} {when} {why}.",
    "ru": "{who} {did} {what} {where} {when}, {why}.",
    "kk": "{who} {why} {where} {when} {what} {did}.",
}
LEADS = {
    "en": "The visit {number} took place {where} {when}",
    "ru": "Поездка номер {number} прошла {where} {when}",
    "kk": "{number}-сапар {where} {when} өтті",
}
TITLES = {
    "en": "Report {number}: {who} and {what}",
    "ru": "Сообщение {number}: {who} и {what}",
    "kk": "{number}-хабар: {who} және {what}",
}
ON_TOPIC = {
    "en": (
        "Experts of the International Committee of the Red Cross joined meeting number {number}.",
        "They recalled that international humanitarian law rests on the Geneva Conventions of 1949.",
    ),
    "ru": (
        "В совещании номер {number} участвовали эксперты Международного Комитета Красного Креста.",
        "Они напомнили, что международное гуманитарное право опирается на Женевские конвенции 1949 года.",
    ),
    "kk": (
        "{number}-кеңеске Халықаралық Қызыл Крест комитетінің сарапшылары қатысты.",
        "Олар халықаралық гуманитарлық құқық Женева конвенцияларына сүйенетінін еске салды.",
    ),
}
MONTHS = {
    language: names.split()
    for language, names in {
        "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "kk": "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан",
        "en": "January February March April May June July August September October November December",
    }.items()
}
ON_TOPIC_EVERY = 5
"""Every fifth article is about the Red Cross and international humanitarian law."""


@dataclass(frozen=True)
class NewsText:
    """The plain text of an article in one language."""

    title: str
    lead: str
    paragraphs: tuple[str, ...]

    @property
    def body(self) -> str:
        return "\n".join(self.paragraphs)


def write_text(seed: str, number: int, language: str, paragraphs: int = 6) -> NewsText:
    """Return the text of article `number`. The same arguments make the same text."""
    chance = random.Random(f"{seed}/{number}/{language}")
    title = _fill_pattern(TITLES[language], chance, number, language)
    body = [
        " ".join(_fill_pattern(PATTERNS[language], chance, number, language) for _ in range(chance.randint(3, 5)))
        for _ in range(paragraphs)
    ]
    if is_on_topic(number):
        body[1] = " ".join(sentence.format(number=number) for sentence in ON_TOPIC[language])
    return NewsText(title, _fill_pattern(LEADS[language], chance, number, language), tuple(body))


def is_on_topic(number: int) -> bool:
    """Return whether article `number` is about the Red Cross and international humanitarian law."""
    return number % ON_TOPIC_EVERY == 0


def _fill_pattern(pattern: str, chance: random.Random, number: int, language: str) -> str:
    return pattern.format(number=number, **{slot: chance.choice(words) for slot, words in WORDS[language].items()})


@cache
def make_filler(size: int) -> str:
    """Return about `size` characters of script, such as real pages have."""
    chance = random.Random(size)
    lines = [f'w["{chance.getrandbits(48):012x}"]=function(e,t){{return e.p+"{chance.getrandbits(160):040x}"+t}};\n']
    lines += [lines[0].replace("e.p", f"e.{chance.getrandbits(64):x}") for _ in range(size // len(lines[0]))]
    return "".join(lines)
