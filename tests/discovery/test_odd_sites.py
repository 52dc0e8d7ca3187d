"""A look at sites of unusual shapes, in this process and without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from support.news_texts import MONTHS, NewsText, write_text

from crawler.discovery.survey import SiteSurvey, SiteSurveyor
from crawler.errors import Unreachable
from crawler.pages.snapshot import Snapshot

pytest.importorskip("trafilatura")

HOME = "https://odd.example"
ARTICLES = 14
Render = Callable[[str, Mapping[str, str]], str | None]


def get_day(number: int) -> date:
    return date(2026, 11, 28) - timedelta(days=2 * number)


def survey_site(render: Render) -> SiteSurvey:
    """Return what is found about a site whose pages `render` makes from path and parameters."""

    async def fetch(url: str) -> Snapshot:
        parts = urlsplit(url)
        html = render(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)))
        if html is None:
            raise Unreachable("HTTP 404", url=url)
        return Snapshot(url=url, body=html.encode(), headers={"content-type": "text/html"})

    return asyncio.run(SiteSurveyor(fetch).survey_site(f"{HOME}/"))


def render_table_ministry(path: str, parameters: Mapping[str, str]) -> str | None:
    """A Kazakh ministry in tables: one `title` for all pages, no heading, `from=5`, days in words."""

    def frame(content: str) -> str:
        menu = "".join(f'<tr><td><a href="/?page_id={each}">Бөлім {each}</a></td></tr>' for each in range(4))
        side = f'<td><table>{menu}<tr><td><a href="/?news">Жаңалықтар</a></td></tr></table></td>'
        return f"<html><head><title>Су министрлігі</title></head><body><table><tr>{side}<td>{content}</td></tr></table>"

    def write_day(number: int) -> str:
        day = get_day(number)
        return f"{day.day} {MONTHS['kk'][day.month - 1]} {day.year} ж."

    texts = [write_text("ministry", number, "kk") for number in range(ARTICLES)]
    if "nid" in parameters:
        text, day = texts[700 - int(parameters["nid"])], write_day(700 - int(parameters["nid"]))
        rows = (day, f"<b>{text.title}</b>", "<br><br>".join(text.paragraphs))
        return frame(f"<table>{''.join(f'<tr><td>{row}</td></tr>' for row in rows)}</table>")
    if path != "/":
        return None
    first = int(parameters.get("from", 0))
    rows = tuple(
        f'<td>{write_day(number)}</td><td><a href="/?nid={700 - number}">{texts[number].title}</a></td>'
        for number in range(first, min(first + 5, ARTICLES))
    )
    pages = "".join(f'<a href="/?news&from={5 * page}">{page + 1}</a> ' for page in range(3))
    return frame(f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table><p>{pages}</p>")


def render_endless_list(path: str, parameters: Mapping[str, str]) -> str | None:
    """An English site whose button loads more of the list by a script."""
    texts = [write_text("endless", number, "en") for number in range(ARTICLES)]
    if path.startswith("/stories/8"):
        number = int(path.split("/")[2]) - 800
        paragraphs = "".join(f"<p>{each}</p>" for each in texts[number].paragraphs)
        return f"<html lang='en'><title>{texts[number].title}</title><h1>{texts[number].title}</h1>{paragraphs}</html>"
    if path not in ("/", "/stories", "/stories/more"):
        return None
    first = int(parameters.get("offset", 0))
    links = "".join(
        f'<div><a href="/stories/{800 + number}/a-story">{texts[number].title}</a></div>'
        for number in range(first, min(first + 5, ARTICLES))
    )
    return f'{links}<button class="load-more" data-url="/stories/more?offset={first + 5}">Load more</button>'


def render_prefixed_languages(path: str, parameters: Mapping[str, str]) -> str | None:
    """A site whose first language has no prefix. Its front page and its own link lead to the same list."""
    language, _, rest = path.strip("/").partition("/") if path.startswith("/ru/") else ("kk", "", path.strip("/"))
    prefix = "/ru" if language == "ru" else ""
    links = '<a href="/news">Қаз</a> <a href="/ru/news">Рус</a> <a href="/news">Жаңалықтар</a>'
    if rest.startswith("news/"):
        text = write_text("prefixed", int(rest.removeprefix("news/")) - 100, language)
        paragraphs = "".join(f"<p>{each}</p>" for each in text.paragraphs)
        return f"<title>{text.title}</title>{links}<h2>{text.title}</h2>{paragraphs}"
    if rest not in ("", "news"):
        return None
    titles = [write_text("prefixed", number, language).title for number in range(ARTICLES)]
    items = (f'<li><a href="{prefix}/news/{100 + number}">{title}</a></li>' for number, title in enumerate(titles))
    return f"{links}<ul>{''.join(items)}</ul>"


def test_list_of_two_addresses_is_found_once() -> None:
    survey = survey_site(render_prefixed_languages)
    assert [(found.url, found.language) for found in survey.lists] == [
        (f"{HOME}/news", "kk"),
        (f"{HOME}/ru/news", "ru"),
    ]


@pytest.mark.parametrize(
    ("render", "seed", "language", "further"),
    [
        (render_table_ministry, "ministry", "kk", ("/?news&from={page}", 5)),
        (render_endless_list, "endless", "en", ("/stories/more?offset={page}", 5)),
    ],
)
def test_odd_site_is_read(render: Render, seed: str, language: str, further: tuple[str, int]) -> None:
    survey = survey_site(render)
    (found,) = survey.lists
    assert (found.next_page, found.page_step) == (HOME + further[0], further[1])
    texts: list[NewsText] = [write_text(seed, number, language) for number in range(5)]
    assert [sample.fields["title"].value for sample in survey.samples] == [text.title for text in texts]


def test_days_in_kazakh_words_are_read() -> None:
    samples = survey_site(render_table_ministry).samples
    assert [sample.fields["published_at"].value for sample in samples] == [str(get_day(number)) for number in range(5)]
    assert {sample.fields["title"].origin for sample in samples} == {"first line of the text"}
