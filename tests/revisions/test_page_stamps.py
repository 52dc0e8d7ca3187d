"""Test that counters, time stamps and item numbers are recognised, and that sentences which mention them are not."""

from __future__ import annotations

import pytest

from crawler.revisions.page_stamps import MAX_STAMP_LENGTH, is_page_label, is_page_stamp, remove_page_stamps

STAMPS = """
Updated 17:45 | Views: 1 278|Posted 2 hours ago|Today, 14:20|12 comments|1.2K views · 14 shares|Reading time: 2 min
3 min read|Published on 12 June 2026 at 10:15|© 2025 City Library|Shared 40 times|Photo 3 of 12
Just now|Likes: 15 Shares: 3
Просмотров: 1278|Количество просмотров: 15|Опубликовано: 11.06.2026, 17:45|Обновлено в 09:30|2 часа назад|Сегодня, 14:20
Прочитали 230 раз|Комментарии (4)|10:15, 12 июня 2026|Дата публикации: 01.06.2026 10:00
Последнее изменение: 3 июня 2026 г.
Қаралды: 845|Жаңартылды: 09:30|2 сағат бұрын|230 рет оқылды|Соңғы жаңарту: 12.06.2026, 10:15|Пікірлер: 4|Бүгін, 14:20
👁 1278
"""
SENTENCES = """
The attack began 2 hours ago.|Police received 12 comments on the draft.|He got 15 votes.|The list was updated on 12 May.
Получено 12 комментариев к проекту.|Министр прибыл в 17:45.|Указ опубликован 12 мая.|Это было два часа назад в Астане.
Жоба бойынша 12 пікір түсті.|Министр сағат 17:45-те келді.|Тізім 12 мамырда жаңартылды.|In 2026 views changed.
1 July 2026|Сегодня|1 шілде
"""


@pytest.mark.parametrize("text", [each for line in STAMPS.strip().splitlines() for each in line.split("|") if each])
def test_stamps_are_removed(text: str) -> None:
    assert is_page_stamp(text)
    assert remove_page_stamps(text) == ""


@pytest.mark.parametrize("text", [each for line in SENTENCES.strip().splitlines() for each in line.split("|")])
def test_sentences_stay(text: str) -> None:
    assert remove_page_stamps(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("1. ", ""),
        ("2) They met at 17:45.", "They met at 17:45."),
        ("а) еда; б) вода", "еда; вода"),
        ("See the list (part 5) and the map.", "See the list (part 5) and the map."),
        ("By Lena Orlova | 12:05 | 3 min read", "By Lena Orlova ||"),
        ("Он прибыл. Обновлено 17:45", "Он прибыл."),
        ("Обновлено 17:45 Министр прибыл", "Министр прибыл"),
        ("17:20 Идёт заседание", "Идёт заседание"),
        ("The dam holds (updated at 14:00)", "The dam holds"),
    ],
)
def test_the_rest_of_a_line_stays(text: str, left: str) -> None:
    assert " ".join(remove_page_stamps(text).split()) == left


@pytest.mark.parametrize(
    "text",
    [
        "-" * 60 + " Press service of the Ministry",
        "* " * 60 + "Press service",
        "10:00, " * 20 + "are the times of the trains",
        "Views: 5 | Comments: 3 | Likes: 4 | Shares: 5 | Reposts: 6 | " * 3 + "is what the page shows",
        "12.11.23 " * 20 + "is a day",
        "1 hour ago " * 15 + "it began",
    ],
)
def test_a_line_of_marks_before_words_is_read_at_once(text: str) -> None:
    """Each of these had more readings than there are atoms."""
    assert not is_page_stamp(text[:MAX_STAMP_LENGTH])


def test_labels_of_a_page() -> None:
    assert is_page_label("Фото: А. Серик")
    assert is_page_label("Read also: another story")
    assert not is_page_label("The photo shows a bridge.")
