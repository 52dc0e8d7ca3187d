"""Datelines and attribution lines of press releases."""

from __future__ import annotations

import re

import pytest

from crawler.pages.blocks import Block
from crawler.pages.press_release import find_attribution, find_dateline_place, split_attribution
from crawler.text.dates import load_time_zone

ALMATY = load_time_zone("Asia/Almaty")


def find_place(*lines: str) -> str | None:
    return find_dateline_place([Block(line) for line in lines], ALMATY)


def split_lines(lines: list[str]) -> tuple[list[str], str | None]:
    kept, name = split_attribution([Block(line) for line in lines])
    return [line.text for line in kept], name


@pytest.mark.parametrize(
    ("line", "city"),
    [
        ("Астана, 6 марта 2026 года – Министр принял посла.", "Астана"),
        ("Астана, 3 мая 2018 год - Министр принял посла.", "Астана"),
        ("Astana, February 20, 2025 – The minister received him.", "Astana"),
        ("Astana, 9 July 2026 — The minister received him.", "Astana"),
        ("Нью-Йорк, 24 сентября 2025 г. – Министр выступил.", "Нью-Йорк"),
        ("Ханты-Мансийск, 1 июня 2026 – Открыта выставка.", "Ханты-Мансийск"),
        ("Рио де Жанейро, 1 июня 2026 – Открыта выставка.", "Рио де Жанейро"),
        ("Сан Паулу, 1 июня 2026 – Открыта выставка.", "Сан Паулу"),
        ("Алматы, 2026 жылғы 8 шілде – Мектеп ашылды.", "Алматы"),
    ],
)
def test_dateline_names_the_city(line: str, city: str) -> None:
    assert find_place(line, "More.") == city


@pytest.mark.parametrize(
    "line",
    [
        "Министр, встречаясь с послом – давним другом, сказал речь.",
        "Астана – столица.",
        "Астана, столица страны – город на реке.",
        "6 марта 2026 года – день памяти.",
        "Астана, 6 марта 2026 года. Министр принял посла.",
        "Встреча прошла в городе Астана, 6 марта 2026 года – она была первой.",
        "",
    ],
)
def test_other_beginnings_have_no_city(line: str) -> None:
    assert find_place(line) is None


def test_dateline_further_down_is_none() -> None:
    assert find_place("Заголовок.", "Астана, 6 марта 2026 года – Министр принял посла.") is None
    assert find_place() is None


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Источник: МИД РК", "МИД РК"),
        ("источник : пресс-служба МИД РК.", "пресс-служба МИД РК"),
        ("Source: Ministry of Foreign Affairs", "Ministry of Foreign Affairs"),
        ("Дереккөз: ҚР СІМ", "ҚР СІМ"),
        ("Дереккөзі: ҚР СІМ", "ҚР СІМ"),
        ("Источник: Telegram-канал МИД РК", "Telegram-канал МИД РК"),
        ("Источник: портал «Мост», г. Астана", "портал «Мост», г. Астана"),
        ("Фото: А. Серик. Источник: МИД РК", "МИД РК"),
    ],
)
def test_last_line_is_the_attribution_and_leaves_the_text(line: str, name: str) -> None:
    assert split_lines(["One.", line]) == (["One."], name)


@pytest.mark.parametrize(
    "paragraphs",
    [
        [],
        ["One."],
        ["Источник: МИД РК", "One."],
        ["Источники: вода и ветер"],
        ["Источник тепла: солнце"],
        ["One. Источник: МИД"],
        ["One.", "Источник: министр сообщил, что мост открыт."],
        ["One.", "Источник: посол передал книги школе."],
        ["One.", "Источник: мост построен. Река рядом."],
        ["One.", "Источник: делегация посетила мост."],
        ["One.", "Source: the minister said the bridge was open."],
        ["One.", "Дереккөз: министр көпірді ашты деді."],
        ["One.", "Источник: " + "мост, река и аул, " * 9],
    ],
)
def test_other_lines_are_no_attribution(paragraphs: list[str]) -> None:
    assert split_lines(paragraphs) == (paragraphs, None)


@pytest.mark.parametrize("tail", [["Фото: пресс-служба"], ["Фото: пресс-служба", "Количество просмотров: 12"]])
def test_credits_may_come_after_the_attribution(tail: list[str]) -> None:
    assert split_lines(["One.", "Источник: МИД РК", *tail]) == (["One.", *tail], "МИД РК")


def test_images_are_no_lines() -> None:
    picture, last, text = Block("Источник: фото", "img", "/a.jpg"), Block("Источник: МИД РК"), Block("One.")
    assert split_attribution([text, last, picture]) == ([text, picture], "МИД РК")
    assert find_dateline_place([picture, Block("Астана, 6 марта 2026 года – Министр принял.")], ALMATY) == "Астана"


@pytest.mark.parametrize(
    "line",
    [
        *("Источник: gov.kz", "Источник: @mfa_kz", "Источник: Telegram-канал «Бизнес»", "Источник: tengrinews"),
        *("Источник: Пресс-служба Акорды", "Источник: консульская служба МИД РК", "Источник: сайт Минздрава"),
        *("Источник: акимат Северо-Казахстанской области", "Источник: официальный сайт президента РК"),
        *("Источник: газета «Мост открыли», № 12", "Источник: агентство Reuters", "Источник: открытые источники"),
        *("Источник: Международный Комитет Красного Креста", "Источник: Центр «Ана мен бала»", "Источник: Хабар"),
        *("Источник информации: МИД РК", "Источник – МИД РК", "Source: press service of the ministry"),
        *("Source: Kazakh foreign ministry", "Source: The Astana Times", "Source: social media", "Дереккөз — ҚР СІМ"),
        *("Дереккөз: Сыртқы істер министрлігінің баспасөз қызметі", "Дереккөз: Қазақстан Қызыл Жарты Ай қоғамы"),
        *("Дереккөз: «Хабар» агенттігі", "Ақпарат дереккөзі: inform.kz", "Дереккөз: ашық дереккөздер"),
    ],
)
def test_names_of_sources_are_attributions(line: str) -> None:
    assert find_attribution(line) == re.split(r"\s*(?::|–|—)\s+", line, maxsplit=1)[1]


@pytest.mark.parametrize(
    "line",
    [
        *("Источник: Красный Крест помог школе", "Источник: мост открыт", "Источник: погибших нет"),
        *("Источник: переговоры идут в Женеве", "Источник: врачи спасли людей", "Источник: МИД не может ответить"),
        *("Источник: суд отложил дело", "Источник: служба спасения эвакуировала людей", "Источник – родник"),
        *(
            "Source: Red Cross opens a school",
            "Source: minister to visit Geneva",
            "Source: bridge reopened after flood",
        ),
        *("Source: government to cut aid", "Source: no one died", "Дереккөз: елші кездесті"),
        *("Дереккөз: келіссөз жүріп жатыр", "Дереккөз: министрлік хабарлады", "Дереккөз: мектеп жабылды"),
    ],
)
def test_sentences_are_no_attributions(line: str) -> None:
    assert find_attribution(line) is None


def test_credit_after_the_name_is_no_part_of_it() -> None:
    assert find_attribution("Источник: inform.kz. Фото: МИД РК") == "inform.kz"
    assert find_attribution("Source: Kazinform / photo: A. Serik") == "Kazinform"
