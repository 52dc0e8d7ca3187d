"""Make releases, no two alike, and edit them as other media do."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_NAMES = "Арман Болат Данияр Ерлан Жанна Илья Камила Лаура Мурат Нурлан Ольга Рустам Салтанат Тимур Улан".split()
LAST_NAMES = (
    "Абенов Байтурсынов Дербисалин Есенгалиев Жаксылыков Исабеков Кенжебаев Лесбеков Мадиев Нургожин Оразов Рахимбаев "
    "Садвакасов Тулегенов Умаров Шарипов Валентини Гонсалес Хартманн Лундквист Перейра Дюбуа Новотны Костопулос"
).split()
PLACES = (
    "Актобе Атырау Балхаш Жезказган Караганда Кокшетау Костанай Кызылорда Павлодар Петропавловск Рудный Семей "
    "Талдыкорган Тараз Темиртау Туркестан Уральск Шымкент Экибастуз Риддер"
).split()
THINGS = (
    "школа больница мост дорога библиотека станция плотина склад музей завод теплица порт вокзал лаборатория котельная "
    "приют архив ферма аптека пекарня"
).split()
DEEDS = (
    "открыли построили проверили отремонтировали закрыли передали осмотрели расширили оснастили обследовали спасли "
    "выкупили утеплили переселили затопило эвакуировали"
).split()
QUALITIES = (
    "старый новый единственный северный южный дальний сельский городской временный каменный деревянный учебный "
    "детский военный частный резервный крупный заброшенный"
).split()
WHENS = "утром вечером накануне осенью весной летом зимой ночью днём сегодня вчера неделей раньше".split()
VERBS = (
    "сообщил рассказал пояснил уточнил добавил отметил напомнил подчеркнул признал заявил заметил подтвердил".split()
)
NOUNS = (
    "бюджет договор проект отчёт график запас прогноз список кабель насос груз маршрут участок подрядчик поставщик "
    "житель инженер врач учитель водитель волонтёр фермер студент пожарный сосед архитектор"
).split()
ENDINGS = (
    "по словам очевидцев; до конца квартала; без лишнего шума; согласно документам; несмотря на погоду; за счёт края; "
    "с третьей попытки; вместе с соседями; по просьбе родителей; под надзором комиссии; на средства жертвователей; "
    "в присутствии журналистов; раньше намеченного срока; вопреки ожиданиям; с небольшим опозданием; ночной сменой"
).split("; ")
CHROME_HEAD = (
    "Главная Новости Общество Спорт Погода Курсы валют Поиск Войти Реклама на сайте Подписаться на рассылку.\n"
)
CHROME_FOOT = (
    "\nЧитайте также другие материалы раздела. Все права защищены. При использовании ссылка обязательна. Контакты "
    "редакции. Политика конфиденциальности."
)


def make_sentence(rng: random.Random) -> str:
    """Return a sentence that is hardly ever made twice."""
    pick = rng.choice
    words = [
        pick(WHENS),
        pick(QUALITIES),
        pick(NOUNS),
        pick(VERBS),
        "что",
        pick(QUALITIES),
        pick(THINGS),
        pick(("у", "возле", "близ", "под")),
        pick(PLACES),
        pick(DEEDS),
        pick(ENDINGS),
        pick(("и", "но", "а")),
        pick(NOUNS),
        pick(VERBS),
        pick(("это", "цену", "срок", "причину", "итог")),
        f"{rng.randint(12, 990)}",
        pick(("раз", "тонн", "метров", "человек", "дней")),
    ]
    text = " ".join(words)
    return text[0].upper() + text[1:] + "."


def make_lead(rng: random.Random) -> str:
    """Return a first sentence: who did what, where."""
    person = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    what = f"{rng.choice(QUALITIES)} {rng.choice(THINGS)}"
    return (
        f"В городе {rng.choice(PLACES)} {rng.choice(DEEDS)} {what}, {rng.choice(VERBS)} {person} {rng.choice(WHENS)}."
    )


def make_release(rng: random.Random, sentences: int = 12) -> str:
    """Return a lead and so many sentences, in paragraphs of three."""
    listed = [make_lead(rng), *(make_sentence(rng) for _ in range(sentences))]
    return "\n".join(" ".join(listed[i : i + 3]) for i in range(0, len(listed), 3))


def split_release(text: str) -> list[str]:
    """Return the sentences of a release."""
    return [part.strip(". ") + "." for part in text.replace("\n", " ").split(". ")]


def drop_sentences(share: float) -> Callable[[str, random.Random], str]:
    """Return an edit that drops a share of the sentences, never the lead."""

    def edit(text: str, rng: random.Random) -> str:
        first, *rest = split_release(text)
        gone = set(rng.sample(range(len(rest)), round(share * (len(rest) + 1))))
        return " ".join([first, *(part for i, part in enumerate(rest) if i not in gone)])

    return edit


def exchange_words(share: float) -> Callable[[str, random.Random], str]:
    """Return an edit that exchanges a share of the words."""

    def edit(text: str, rng: random.Random) -> str:
        words = text.split(" ")
        for at in rng.sample(range(len(words)), round(share * len(words))):
            words[at] = rng.choice(NOUNS) + rng.choice("аыуе")
        return " ".join(words)

    return edit


def add_page_frame(text: str, rng: random.Random) -> str:
    """Return the text between a site's header and footer."""
    return f"{CHROME_HEAD}{text}{CHROME_FOOT}"


def replace_lead(text: str, rng: random.Random) -> str:
    """Return the text with another first sentence."""
    return " ".join([make_lead(rng), *split_release(text)[1:]])


def keep_first_part(text: str, rng: random.Random) -> str:
    """Return the first 60 % of the words."""
    words = text.split(" ")
    return " ".join(words[: round(0.6 * len(words))])


def append_foreign_text(text: str, rng: random.Random) -> str:
    """Return the text with half as much of another text after it."""
    count = len(split_release(text)) // 2
    return " ".join([text, *(make_sentence(rng) for _ in range(count))])


EDITS: dict[str, tuple[Callable[[str, random.Random], str], float]] = {
    "header and footer": (add_page_frame, 0.95),
    "lead swapped": (replace_lead, 0.95),
    "20 % of sentences dropped": (drop_sentences(0.2), 0.95),
    "40 % of sentences dropped": (drop_sentences(0.4), 0.95),
    "first 60 % only": (keep_first_part, 0.95),
    "5 % of words changed": (exchange_words(0.05), 0.95),
    "15 % of words changed": (exchange_words(0.15), 0.85),
    "half as much foreign text": (append_foreign_text, 0.85),
}
"""Every kind of edit, with the share of its kind that must be recognised."""
BOILERPLATE = (
    "Фонд поддержки городов основан в прошлом веке и работает в двадцати областях, помогая тем, кто пострадал от "
    "бедствий, и тем, кто за ними ухаживает. Его представительства стоят на севере и на юге, а головная контора "
    "переехала в столицу вслед за ведомствами. Фонд не зависит ни от партий, ни от церквей, и живёт на пожертвования "
    "частных лиц и обществ. Каждый год он печатает отчёт о расходах, который может прочесть любой желающий в читальном "
    "зале или на его странице. Телефон доверия фонда принимает звонки круглые сутки, кроме праздничных дней, когда "
    "отвечает только дежурный."
)
