"""The rendered article page of gov.kz: title, date, text, and a required end label."""

from __future__ import annotations

import pytest

from crawler import spiders
from crawler.config import Config
from crawler.errors import Blocked, PageChanged
from crawler.items import Article
from crawler.pages.base import read_snapshot
from crawler.pages.snapshot import Snapshot

SITE = spiders.load_spider("mfa").make_site(Config())
URL = "https://www.gov.kz/memleket/entities/mfa/press/news/details/7?lang=ru"
SHELL = "You need to enable JavaScript to run this app."
MENU = "Главная\nПресс-центр\nМост открыт"
TEXT = "Астана, 13 июля 2026 года – Мост открыт.\n\nОн самый длинный в области."
RELATED = "Читайте также\n\nДругая новость\n13 июля 2026\n\nВсе новости\n\nРазработано в АО «НИТ»"


def make_page(*parts: str) -> str:
    return "\n\n".join(parts)


WHOLE = make_page(
    SHELL, MENU, "Мост открыт", "1 / 1.", "13 июля 2026 17:29", "Количество просмотров: 1 204", TEXT, RELATED
)


def read_article(text: str, kind: str = "text", url: str = URL) -> Article:
    (found,) = read_snapshot(Snapshot(url=url, body=text.encode(), kind_hint=kind), SITE).articles
    return found


def test_whole_page() -> None:
    found = read_article(WHOLE)
    assert (found.id, found.title, found.body) == ("mfa:7:ru", "Мост открыт", TEXT.replace("\n\n", "\n"))
    assert found.published_at is not None
    assert (found.published_at.isoformat(), found.place) == ("2026-07-13T17:29:00+05:00", "Астана")


@pytest.mark.parametrize("without", [SHELL, "1 / 1.", "Количество просмотров: 1 204", MENU])
def test_part_that_may_be_missing(without: str) -> None:
    assert read_article(WHOLE.replace(without, "")).body == read_article(WHOLE).body
    assert read_article(WHOLE.replace(without, "")).title == "Мост открыт"


@pytest.mark.parametrize(
    "label",
    [
        *(
            "Направления деятельности",
            "Направления деятельности Консульская служба",
            "Читайте также",
            "Все новости",
            "Разработано в АО «НИТ»",
        ),
        *("Қызмет бағыттары", "Тағы оқыңыз", "Барлық жаңалықтар", "Әзірлеген: ҰАТ"),
        *("Areas of activity", "Read also", "All news", "Developed by JSC «NIT»"),
    ],
)
def test_any_known_label_ends_the_text(label: str) -> None:
    assert read_article(WHOLE.replace(RELATED, f"{label}\n\nmenu and more")).body == TEXT.replace("\n\n", "\n")


def test_sentence_that_begins_like_a_label_is_text() -> None:
    sentences = (
        "Все новости о мосте публикуются здесь, сообщил аким.\n\nActivities of the club began with a song and a walk."
    )
    found = read_article(WHOLE.replace("Он самый длинный в области.", sentences))
    assert found.body.endswith(sentences.replace("\n\n", "\n"))


def test_sentence_with_a_number_is_no_counter() -> None:
    line = "Номер телефона горячей линии: 1 204"
    assert line in read_article(WHOLE.replace("Он самый длинный в области.", f"{line}\n\nКонец.")).body


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (WHOLE.replace(RELATED, ""), "body"),
        (WHOLE.replace(TEXT, ""), "body"),
        (make_page("13 июля 2026 17:29", TEXT, RELATED), "title"),
    ],
)
def test_missing_part_is_named(text: str, field: str) -> None:
    with pytest.raises(PageChanged) as caught:
        read_article(text)
    assert caught.value.field == field


def test_html_without_a_date_is_changed() -> None:
    with pytest.raises(PageChanged) as caught:
        read_article(f"<h1>Мост открыт</h1><p>{TEXT}</p>", kind="html")
    assert caught.value.field == "published_at"


@pytest.mark.parametrize(
    ("text", "kind"),
    [(SHELL, "text"), (f"<noscript>{SHELL}</noscript><div id=root></div>", "html"), (make_page(SHELL, MENU), "text")],
)
def test_shell_is_blocked(text: str, kind: str) -> None:
    with pytest.raises(Blocked, match="JavaScript shell"):
        read_article(text, kind)


def test_language_of_the_address_is_the_texts() -> None:
    found = read_article(WHOLE, url=URL.replace("lang=ru", "lang=en"))
    assert (found.id, found.url) == ("mfa:7:ru", URL)


def test_text_without_date_or_shell_is_a_release_alone() -> None:
    found = read_article(f"{TEXT}\n\nИсточник: МИД РК")
    assert (found.title, found.published_at, found.attribution, found.place) == (None, None, "МИД РК", "Астана")
    assert found.body == TEXT.replace("\n\n", "\n")
