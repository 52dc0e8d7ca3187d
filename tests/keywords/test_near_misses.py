"""No match in 20,000 sentences of foreign-policy news, half of which contain words that look like the terms."""

from __future__ import annotations

import random

import pytest
from support.shipped_rules import get_shipped_matcher

EVERYDAY = {
    "en": (
        [
            "The foreign minister",
            "A delegation from Tashkent",
            "The Kazakh ambassador",
            "The deputy speaker",
            "The trade council",
        ],
        [
            "met officials",
            "signed a memorandum",
            "spoke about transit",
            "praised the reforms",
            "opened a consulate",
            "discussed water",
        ],
        ["in Astana", "in Geneva", "at the United Nations", "in Brussels", "at the border", "on the Caspian"],
    ),
    "ru": (
        [
            "Министр иностранных дел",
            "Делегация Узбекистана",
            "Посол Казахстана",
            "Заместитель спикера",
            "Торговый совет",
        ],
        [
            "провел переговоры",
            "подписал меморандум",
            "обсудил транзит",
            "поддержал реформы",
            "открыл консульство",
            "говорил о воде",
        ],
        ["в Астане", "в Женеве", "в ООН", "в Брюсселе", "на границе", "на Каспии"],
    ),
    "kk": (
        ["Сыртқы істер министрі", "Өзбекстан делегациясы", "Қазақстан елшісі", "Төраға орынбасары", "Сауда кеңесі"],
        [
            "келіссөз жүргізді",
            "меморандумға қол қойды",
            "транзитті талқылады",
            "реформаны қолдады",
            "консулдық ашты",
            "су туралы айтты",
        ],
        ["Астанада", "Женевада", "БҰҰ-да", "Брюссельде", "шекарада", "Каспийде"],
    ),
}
NEAR_MISSES = {
    "en": (
        [
            "A cross-border project",
            "The red carpet",
            "Geneva talks",
            "The convention centre",
            "A crossroads of red roads",
            "The crescent-shaped bay",
            "A humanitarian corridor",
            "International law",
            "The Vienna Convention",
            "Red Sea shipping",
            "The Credentials committee of the party",
            "The Iron Cross",
            "A crisis in Red Cliff",
            "The cross on the red roof",
            "Humanitarian aid and law",
        ],
        ["was discussed", "drew criticism", "will be opened in May", "was named in the report", "is planned"],
    ),
    "ru": (
        [
            "Крестьянин из Туркестана",
            "Серебряный крестик",
            "Красный диплом",
            "Перекресток у вокзала",
            "Женевские переговоры",
            "Конвенция о правах ребенка",
            "Гуманитарный коридор",
            "Международное право",
            "Красная книга",
            "Крестный ход",
            "Полумесяц над мечетью",
            "Венская конвенция",
            "Красноармейский район",
            "Право на гуманитарное образование",
            "Крестовский остров",
            "Женевский форум",
        ],
        ["обсуждали вчера", "вызвал споры", "откроют в мае", "назван в докладе", "готовится к печати"],
    ),
    "kk": (
        [
            "Қызыл кілем",
            "Қызыл кітап",
            "Ай бойынша есеп",
            "Жарты айлық жоспар",
            "Қызылорда қаласы",
            "Крестьян қожалығы",
            "Женева келіссөзі",
            "Гуманитарлық дәліз",
            "Халықаралық құқық",
            "Қызыл алма",
            "Айқызыл гүл",
            "Конвенция орталығы",
            "Жаңа ай",
            "Қызыл шай мен жарты нан",
            "Гуманитарлық сала мен құқық",
        ],
        ["талқыланды", "сынға ұшырады", "мамырда ашылады", "баяндамада аталды", "дайындалуда"],
    ),
}


def make_sentences(count: int) -> list[tuple[str, str]]:
    """(language, sentence): plain news and near misses in turn."""
    dice = random.Random(1864)
    made = []
    for number in range(count):
        language = ("en", "ru", "kk")[number % 3]
        who, what, where = (dice.choice(part) for part in EVERYDAY[language])
        plain = f"{who} {what} {where}" if language != "kk" else f"{who} {where} {what}"
        if number % 2:
            thing, fate = (dice.choice(part) for part in NEAR_MISSES[language])
            extra = f"{thing} {fate}"
            plain = (
                f"{extra}; {plain.lower()}"
                if dice.random() < 0.5
                else f"{plain}. {extra.upper() if dice.random() < 0.1 else extra}"
            )
        made.append((language, plain + "."))
    return made


@pytest.mark.slow
def test_no_match_in_near_misses() -> None:
    matcher = get_shipped_matcher()
    made = make_sentences(20_000)
    assert len(made) == 20_000
    assert [text for language, text in made if matcher.find_matches({"body": text}, language)] == []
