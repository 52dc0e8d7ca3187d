"""A source is added in a browser: wait, look, correct a date, save; on a desk and on a phone, without scripts too."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.in_process_survey import TwoDatesSite, make_survey
from support.newsroom_server import OpenPage, expect, run_newsroom
from support.shaped_sites import ShapedSite

from crawler.config import load_config
from crawler.store import Store
from crawler.web.newsroom import Newsroom
from crawler.web.surveys import SurveyDesk

pytestmark = pytest.mark.browser
LOOKS = {
    "desk": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1600, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True},
}


@pytest.fixture(scope="module")
def site() -> Iterator[ShapedSite]:
    with TwoDatesSite(count=8) as opened:
        yield opened


@pytest.fixture
def newsroom(store: Store, tmp_path: Path, site: ShapedSite) -> Newsroom:
    path = tmp_path / "crawler.toml"
    text = '[channels]\ndesk = "mailto://a@b.kz"\n[subscriptions.press]\nchannels = ["desk"]\n'
    path.write_text(f'data_dir = "{tmp_path}"\nallow_private = true\n{text}', encoding="utf-8")
    found = Newsroom(config=load_config(path), store=store)
    found.surveys = SurveyDesk(make_survey(site))
    return found


@pytest.fixture
def address(newsroom: Newsroom) -> Iterator[str]:
    with run_newsroom(newsroom) as found:
        yield found


@pytest.mark.parametrize(
    ("language", "look", "read", "save"),
    [
        ("en", "Look at it", "Read the samples with these choices", "Save and watch"),
        ("ru", "Посмотреть", "Прочитать образцы с этим выбором", "Сохранить и наблюдать"),
        ("kk", "Қарау", "Үлгілерді осы таңдаумен оқу", "Сақтау және бақылау"),
    ],
)
def test_source_is_added(
    open_page: OpenPage, address: str, site: ShapedSite, tmp_path: Path, language: str, look: str, read: str, save: str
) -> None:
    has_scripts = language != "kk"
    page = open_page(f"{address}/sources/add", locale=language, java_script_enabled=has_scripts, **LOOKS["phone"])
    page.fill("#url", site.url)
    page.click(f"button:has-text('{look}')")
    page.wait_for_selector("#h-prev", timeout=60_000)
    place = page.locator("label:has-text('p.day-of-news')")
    if not place.is_visible():
        page.locator("tr:has(input[name=place-published_at]) summary").click()
    place.click()
    page.click(f".btn:has-text('{read}')")
    expect(page.locator("input[name=place-published_at]:checked")).not_to_have_value("0")
    expect(page.locator("tr:has(input[name=place-published_at]) td:last-child")).to_contain_text("5")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360 if has_scripts else True
    page.fill("#name", "valley")
    page.click(f"button:has-text('{save}')")
    expect(page.locator("#valley")).to_be_visible()
    definition = tomllib.loads((tmp_path / "sources" / "valley.toml").read_text(encoding="utf-8"))
    assert definition["fields"]["published_at"] == {"css": "p.day-of-news"}


@pytest.mark.parametrize("look", LOOKS)
def test_no_barrier(open_page: OpenPage, newsroom: Newsroom, address: str, site: ShapedSite, look: str) -> None:
    from axe_playwright_python.sync_playwright import Axe  # of the extra `browser`, which the collection must not need

    survey = newsroom.surveys.start("local", site.url, newsroom.config.path, newsroom.config)
    page = open_page(f"{address}/sources/add?survey={survey.id}", **LOOKS[look])
    found = [("waiting", Axe().run(page).response["violations"])]
    assert survey.thread is not None
    survey.thread.join(60)
    page = open_page(address, **LOOKS[look])  # the page that waits reloads itself, and would end a visit to another
    paths = (f"/sources/add?survey={survey.id}", "/sources/add", "/subscriptions", "/sources", "/messages")
    for path in paths:
        page.goto(f"{address}{path}")
        for details in page.locator("main details").all():
            details.evaluate("each => { each.open = true }")
        found.append((path, Axe().run(page).response["violations"]))
        assert page.evaluate("document.documentElement.scrollWidth") <= LOOKS[look]["viewport"]["width"], path
    assert [(path, each["id"], each["nodes"][0]["html"]) for path, violations in found for each in violations] == []
