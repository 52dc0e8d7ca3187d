"""The newsroom in a real browser: reading, marking, noting, on a desk and on a phone, in three languages."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.newsroom_articles import NOW, make_story_article
from support.newsroom_server import OpenPage, expect

from crawler.store import DeliveryState, Store

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
READING_PATHS = (
    *("/", "/articles/mfa:77:ru", "/sources", "/messages", "/runs"),
    *(
        "/review?since=2026-01-01T00:00&until=2026-01-02T00:00",
        "/review",
        "/search",
        "/search?q=visit+OR+%D0%9C%D0%9A%D0%9A%D0%9A",
    ),
)


def test_first_visit(open_page: OpenPage, empty_address: str) -> None:
    page = open_page(empty_address)
    expect(page.locator("h1")).to_contain_text("no source was read")
    expect(page.locator("main")).to_contain_text("crawler crawl")
    page.click("text=See which sources are read")
    expect(page.locator(".src-row")).to_have_count(3)


@pytest.mark.parametrize("has_scripts", [True, False])
def test_story_diff_note_and_undo(open_page: OpenPage, address: str, has_scripts: bool) -> None:
    page = open_page(address, java_script_enabled=has_scripts, viewport=DESK)
    page.click("h3 a:has-text('Делегация МККК')")
    expect(page).to_have_url(re.compile("/stories/"))
    page.click("text=See the change")
    changed = page.locator("#changed")
    expect(changed.locator("del").first).to_have_text("Астану")
    expect(changed.locator("ins").first).to_have_text("Алматы")
    changed.locator("summary").click()
    expect(changed.locator(".sbs")).to_be_visible()
    page.fill("textarea", "Какой город верен?")
    page.click("button:has-text('Add the note')")
    expect(page.locator("[role=status]")).to_contain_text("Note added.")
    expect(page.locator("#notes")).to_contain_text("Какой город верен?")
    page.click("button:has-text('Undo')")
    expect(page.locator("[role=status]")).to_contain_text("Undone.")
    expect(page.locator("#notes")).not_to_contain_text("Какой город верен?")


def test_marks_in_the_list(open_page: OpenPage, address: str) -> None:
    page = open_page(address, viewport=DESK)
    expect(page.locator(".story.unseen")).to_have_count(2)
    page.locator("button:has-text('Mark seen')").first.click()
    expect(page.locator(".story.unseen")).to_have_count(1)
    expect(page.locator(".done")).to_be_visible()
    important = page.locator(".story").first.locator("button:has-text('Important')")
    important.click()
    expect(important).to_have_attribute("aria-pressed", "true")
    page.click("nav a:has-text('Important')")
    expect(page.locator(".story")).to_have_count(1)
    page.locator("button:has-text('False alarm')").click()
    expect(page.locator(".story")).to_have_count(0)
    page.click("button:has-text('Undo')")
    expect(page.locator(".story")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "360", "1280"])
def test_no_page_scrolls_sideways(open_page: OpenPage, address: str, viewport: dict[str, int], scheme: str) -> None:
    page = open_page(address, viewport=viewport, color_scheme=scheme)
    stories = [link.get_attribute("href") for link in page.locator("h3 a").all()]
    for path in (*READING_PATHS, *stories):
        page.goto(f"{address}{path}")
        for details in page.locator("details").all():
            details.evaluate("each => { each.open = true }")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], path


def test_long_word_makes_no_page_wider(open_page: OpenPage, address: str, filled: Store) -> None:
    article = make_story_article("long", f"МККК {'Ұ' * 400}", title="Д" * 400)
    filled.articles.save(article, content_hash="long", run_id=None, seen_at=NOW)
    filled.messages.add(key="k", subscription="press", kind="alert", channels=("desk",), created_at=NOW, due_at=NOW)
    (_, delivery), *_ = filled.deliveries.list_newest()
    filled.deliveries.save_result(delivery, replace(delivery, state=DeliveryState.DEAD, failure="Д" * 180))
    page = open_page(address)
    for viewport in (PHONE, DESK):
        page.set_viewport_size(viewport)
        for path in ("/", "/articles/mfa:long:ru", "/search?q=%D0%9C%D0%9A%D0%9A%D0%9A", "/messages"):
            page.goto(f"{address}{path}")
            expect(page.locator("main")).to_contain_text("ДДД")
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], path


def test_what_stands_in_a_row_is_in_a_line(open_page: OpenPage, address: str, filled: Store) -> None:
    article = make_story_article("short", "МККК.", title="МККК")  # its row is lower than what stands beside it
    filled.articles.save(article, content_hash="short", run_id=None, seen_at=NOW)
    page = open_page(f"{address}/?lang=ru", viewport=DESK)
    own = page.locator(".story .acts").filter(has=page.locator("[value^='mfa:short']"))
    get_text_top = """each => {
        const text = document.createRange();
        text.selectNodeContents(each);
        return text.getBoundingClientRect().y;
    }"""
    button, link = (own.locator(each).first.evaluate(get_text_top) for each in ("button", "a"))
    assert abs(button - link) < 1
    right = page.locator(".tongue").bounding_box()
    page.goto(f"{address}/search")
    assert page.locator(".tongue").bounding_box()["x"] == right["x"]


def test_filters_on_a_phone(open_page: OpenPage, address: str) -> None:
    page = open_page(address, viewport=PHONE)
    expect(page.locator(".facets nav")).to_be_hidden()
    page.click("text=Filter these stories")
    page.click(".facets a:has-text('Kazakhstan Today')")
    expect(page.locator(".story")).to_have_count(1)
    expect(page).to_have_url(f"{address}/?source=ktkz")


@pytest.mark.parametrize(
    ("language", "today", "mark", "undone"),
    [
        ("en", "Today", "Mark seen", "Undone."),
        ("ru", "Сегодня", "Отметить просмотренным", "Отменено."),
        ("kk", "Бүгін", "Қаралды", "Әрекет қайтарылды."),
    ],
)
def test_each_language(open_page: OpenPage, address: str, language: str, today: str, mark: str, undone: str) -> None:
    page = open_page(address, locale=language, viewport=PHONE)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("h1")).to_have_text(today)
    page.locator(f".acts button:has-text('{mark}')").first.click()
    page.locator(".done button").click()
    expect(page.locator(".done")).to_have_text(undone)
    page.click(".tongue a:has-text('ҚАЗ')")
    expect(page.locator("h1")).to_have_text("Бүгін")
    page.click(".menu > summary")
    page.click(".nav a:has-text('Дереккөздер')")
    expect(page.locator("html")).to_have_attribute("lang", "kk")


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_head_of_a_phone_takes_a_fifth_of_the_first_screen(open_page: OpenPage, address: str, language: str) -> None:
    page = open_page(address, locale=language, viewport={"width": 390, "height": 844}, java_script_enabled=False)
    assert page.locator(".masthead").bounding_box()["height"] <= 844 / 5
    expect(page.locator(".nav a").first).to_be_hidden()
    page.set_viewport_size({"width": 320, "height": 640})
    languages, menu = (page.locator(name).bounding_box() for name in (".tongue", ".menu > summary"))
    assert languages["x"] + languages["width"] <= menu["x"]
    page.click(".menu > summary")
    expect(page.locator(".nav a").first).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_words_of_the_menu_keep_their_places(open_page: OpenPage, address: str, language: str) -> None:
    page = open_page(address, locale=language, viewport=DESK)
    places = []
    for path in ("/", "/sources", "/runs"):
        page.goto(f"{address}{path}")
        places.append([link.bounding_box() for link in page.locator(".nav a").all()])
    assert places[0] == places[1] == places[2]


def test_keyboard_reaches_every_control_and_shows_where_it_is(open_page: OpenPage, address: str) -> None:
    page = open_page(address, viewport=DESK)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        tag = page.evaluate("document.activeElement.tagName")
        if tag == "BODY":
            break
        assert style == "solid", page.evaluate("document.activeElement.outerHTML")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    for label in ("Today", "Sources", "Mark seen", "Important", "False alarm", "Note"):
        assert any(each.startswith(label) for each in reached), label


def test_pages_of_errors_are_pages(open_page: OpenPage, address: str) -> None:
    page = open_page(address)
    for path in ("/stories/99", "/articles/x", "/?status=odd"):
        answer = page.request.get(f"{address}{path}")
        assert answer.status in (400, 404)
        assert "<h1>" in answer.text()


def test_search_on_a_phone_without_scripts(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}/search", viewport=PHONE, java_script_enabled=False)
    page.fill("#q", "делегация (Астана OR Алматы")
    page.click("main button:has-text('Search')")
    expect(page.locator("main")).to_contain_text("Searched as:")
    expect(page.locator(".story mark").first).to_have_text(re.compile("^.елегац"))
    page.click("text=Narrow the search")
    page.click(".facets a:has-text('In an earlier version')")
    expect(page.locator(".story")).to_have_count(1)
    page.locator(".story h3 a").first.click()
    expect(page).to_have_url(re.compile("/articles/mfa:77:ru"))


def test_keys_walk_through_the_list(open_page: OpenPage, address: str) -> None:
    page = open_page(address, viewport=DESK)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(".story.current")).to_have_count(1)
    first = page.inner_text(".story.current h3 a")
    page.keyboard.press("s")
    page.wait_for_selector(".done")
    expect(page.locator(".story.unseen")).to_have_count(1)
    expect(page.locator(".story.current h3 a")).to_have_text(first)
    page.keyboard.press("?")
    expect(page.locator("#keys dl")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("jМККК")
    expect(page.locator("#q0")).to_have_value("jМККК")
    page.locator(".story h3 a").first.focus()
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url("**/articles/ktkz:9:en")


def test_keys_work_on_a_russian_keyboard(open_page: OpenPage, address: str) -> None:
    page = open_page(address, viewport=DESK)
    keyboard = page.context.new_cdp_session(page)

    def press(letter: str, place: str) -> None:
        for kind in ("keyDown", "keyUp"):
            keyboard.send("Input.dispatchKeyEvent", {"type": kind, "key": letter, "code": place})

    press("о", "KeyJ")
    expect(page.locator(".story.current")).to_have_count(1)
    press("ы", "KeyS")
    expect(page.locator(".done")).to_be_visible()
    press("ғ", "KeyG")
    expect(page.locator(".story.current")).to_have_count(1)


def test_colours_are_the_readers_choice(open_page: OpenPage, address: str) -> None:
    page = open_page(address, viewport=PHONE, color_scheme="light")
    body = page.locator("body")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("footer a:has-text('Dark')")
    expect(body).not_to_have_css("background-color", light)
    page.emulate_media(color_scheme="dark")
    page.click("footer a:text-is('Light')")
    expect(body).to_have_css("background-color", light)


@pytest.mark.parametrize(
    ("language", "collect", "update"),
    [
        ("en", "Find stories", "Update the preview"),
        ("ru", "Найти сюжеты", "Обновить предпросмотр"),
        ("kk", "Оқиғаларды табу", "Алдын ала қарауды жаңарту"),
    ],
)
def test_press_review_is_composed_without_scripts(
    open_page: OpenPage, address: str, language: str, collect: str, update: str
) -> None:
    page = open_page(f"{address}/review", viewport=PHONE, java_script_enabled=False, locale=language)
    page.click(f"button:has-text('{collect}')")
    expect(page.locator(".sheet h4")).to_have_count(2)
    expect(page.locator(".stale:visible")).to_have_count(0)
    page.fill(".pick textarea >> nth=1", "Позвонить в пресс-службу")
    page.locator(".pick input[type=checkbox]").first.uncheck()
    expect(page.locator(".stale:visible")).to_have_count(4)
    expect(page.locator(".fresh")).to_be_hidden()  # it counts what was ticked when the page was drawn
    page.locator(f".btns button:has-text('{update}')").click()
    expect(page.locator(".sheet h4")).to_have_count(1)
    expect(page.locator(".sheet")).to_contain_text("Позвонить в пресс-службу")
    page.locator(".pick input[type=checkbox]").first.check()
    before = page.inner_text(".pick label.t >> nth=0")
    page.locator(".updown button[value^=down]").first.click()
    expect(page.locator(".pick label.t >> nth=1")).to_have_text(before)
    with page.expect_download() as download:
        page.locator("button[value=html]").click()
    assert "Позвонить в пресс-службу" in Path(download.value.path()).read_text(encoding="utf-8")
