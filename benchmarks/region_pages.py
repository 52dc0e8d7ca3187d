"""Write labelled pages in Kazakh, Kyrgyz, Uzbek and Tajik, in six shapes of news sites, for `benchmarks.extraction`.

    python -m benchmarks.region_pages FOLDER && python -m benchmarks.extraction FOLDER

No public set has such pages. The texts are in `region_texts.toml`. The shapes are those that news sites of the region
have: two WordPress themes, Bitrix, a rendered React page, an agency with microdata and teasers, an old portal of tables.
Uzbek pages are half in Latin, half in Cyrillic letters.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

TEXTS = Path(__file__).with_name("region_texts.toml")
YEAR, MONTHS = 2026, 12
CYRILLIC_MONTHS = {"sentabr": "сентябр", "oktabr": "октябр"}
CYRILLIC_PAIRS = {
    **{"o‘": "ў", "g‘": "ғ", "sh": "ш", "ch": "ч", "yo": "ё", "ya": "я", "yu": "ю", "ye": "е", "ts": "ц", "’": "ъ"},
    **dict(zip("abdefghijklmnopqrstuvxyz", "абдефгҳижклмнопқрстувхйз", strict=True)),
}


@dataclass(frozen=True)
class RegionPage:
    """A page with what a reader sees in it. `day` is `YYYY-MM-DD`."""

    id: str
    language: str
    url: str
    html: str
    title: str
    paragraphs: tuple[str, ...]
    day: str


@dataclass(frozen=True)
class PageText:
    """What a shape needs: the article, and the words of the site around it."""

    language: str
    title: str
    paragraphs: tuple[str, ...]
    date: str
    iso: str
    number: int
    menu: Sequence[str]
    others: Sequence[str]
    shared: Sequence[str]


def make_region_pages() -> Iterator[RegionPage]:
    """Yield thirty pages in each language: every text in every shape."""
    for language in tomllib.loads(TEXTS.read_text(encoding="utf-8"))["language"]:
        number = 0
        for shape_number, shape in enumerate(SHAPES):
            for text in language["text"]:
                yield _make_page(language, text, shape, number, shape_number)
                number += 1


def _make_page(
    language: dict[str, Any], text: dict[str, Any], shape: Callable[[PageText], str], number: int, shape_number: int
) -> RegionPage:
    month, day = number % MONTHS, number % 27 + 1
    word = language["months"].split()[month]
    values = {
        "place": language["places"][(number + shape_number) % 6],
        "count": 14 + 7 * number,
        "days": 3 + number % 9,
    }
    dated = {"year": YEAR, "day": day, "month": word, "Month": word.capitalize(), "time": f"{8 + number % 12:02d}:45"}
    convert = write_in_cyrillic if language["code"] == "uz" and number % 2 else str
    page = PageText(
        language=language["code"],
        title=convert(text["title"].format(**values)),
        paragraphs=tuple(convert(paragraph.format(**values)) for paragraph in text["paragraphs"]),
        date=convert(language["dates"][number % 3].format(**dated)),
        iso=f"{YEAR}-{month + 1:02d}-{day:02d}",
        number=number,
        menu=[convert(word) for word in language["menu"]],
        others=[convert(title) for title in language["other"]],
        shared=[convert(phrase) for phrase in language["shared"]],
    )
    name = f"{shape.__name__.removeprefix('make_').removesuffix('_page')}-{page.language}"
    url = f"https://{name}.example/{page.language}/news/{4000 + number}/"
    return RegionPage(f"{name}-{number:02d}", page.language, url, shape(page), page.title, page.paragraphs, page.iso)


def write_in_cyrillic(text: str) -> str:
    """Return an Uzbek text in Latin letters in Cyrillic ones.

    >>> write_in_cyrillic("Qo‘shni davlat elchisi")
    'Қўшни давлат элчиси'
    """
    for latin, cyrillic_month in CYRILLIC_MONTHS.items():
        text = text.replace(latin, cyrillic_month)
    written, place = [], 0
    while place < len(text):
        pair = text[place : place + 2]
        size = 2 if pair.lower() in CYRILLIC_PAIRS else 1
        letters = pair[:size]
        cyrillic = CYRILLIC_PAIRS.get(letters.lower(), letters)
        if letters.lower() == "e" and (place == 0 or not text[place - 1].isalpha()):
            cyrillic = "э"
        written.append(cyrillic.upper() if letters[0].isupper() else cyrillic)
        place += size
    return "".join(written)


def _wrap(page: PageText, head: str, body: str) -> str:
    return f'<!DOCTYPE html><html lang="{page.language}"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'


def _list_items(words: Sequence[str], before: str = "") -> str:
    return "".join(f'<li>{before}<a href="/n/{number}/">{escape(word)}</a></li>' for number, word in enumerate(words))


def _write_paragraphs(page: PageText) -> str:
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in page.paragraphs)


def make_blocks_page(page: PageText) -> str:
    """WordPress, block theme: JSON-LD, `entry-content`, related posts under the text."""
    data = {"@type": "NewsArticle", "headline": page.title, "datePublished": f"{page.iso}T10:30:00+05:00"}
    head = (
        f"<title>{escape(page.title)} - Aimaq News</title><meta property='og:site_name' content='Aimaq News'>"
        f"<script type='application/ld+json'>{json.dumps(data, ensure_ascii=False)}</script>"
    )
    body = (
        f"<header class='wp-block-template-part'><nav><ul>{_list_items(page.menu)}</ul></nav></header>"
        f"<main><article class='post-{page.number} post type-post'><h1 class='wp-block-post-title'>{escape(page.title)}</h1>"
        f"<div class='wp-block-post-date'><time datetime='{page.iso}T10:30:00+05:00'>{page.date}</time></div>"
        f"<figure class='wp-block-image'><img src='/a.jpg' alt=''><figcaption>Aimaq News</figcaption></figure>"
        f"<div class='entry-content wp-block-post-content'>{_write_paragraphs(page)}</div>"
        f"<div class='sharedaddy'><span>{page.shared[0]}</span> <a href='#'>Telegram</a> <a href='#'>Facebook</a></div>"
        f"</article><section class='related'><h2>{page.shared[3]}</h2><ul>{_list_items(page.others)}</ul></section></main>"
        f"<footer><p>© {YEAR} Aimaq News. {page.shared[2]}</p></footer>"
    )
    return _wrap(page, head, body)


def make_magazine_page(page: PageText) -> str:
    """WordPress, magazine theme: no JSON-LD, a sidebar with dated titles, comments, a link inside the text."""
    first, *others = page.paragraphs
    inside = f"<p><strong>{page.shared[1]}:</strong> <a href='/n/9/'>{escape(page.others[0])}</a></p>"
    text = f"<p>{escape(first)}</p>{inside}" + "".join(f"<p>{escape(each)}</p>" for each in others)
    dated = "".join(
        f"<div class='td-module'><h3><a href='/n/{n}/'>{escape(title)}</a></h3><span class='td-post-date'>{page.date}</span>"
        "</div>"
        for n, title in enumerate(page.others)
    )
    head = f"<title>{escape(page.title)} | Dala</title><meta property='og:title' content='{escape(page.title)}'>"
    body = (
        f"<div class='td-header'><ul class='sf-menu'>{_list_items(page.menu)}</ul></div><div class='td-main-content'>"
        f"<div class='td-post-header'><h1 class='entry-title'>{escape(page.title)}</h1><div class='td-module-meta-info'>"
        f"<span class='td-post-date'><time class='entry-date'>{page.date}</time></span></div></div>"
        f"<div class='td-post-content'>{text}</div><div class='comments'><h4>{page.shared[4]}</h4><form><label>E-mail</label>"
        f"</form></div></div><aside class='td-sidebar'>{dated}</aside><div class='td-sub-footer'>© Dala</div>"
    )
    return _wrap(page, head, body)


def make_bitrix_page(page: PageText) -> str:
    """Bitrix: no metadata, text in one element with line breaks."""
    text = "<br>\n<br>\n".join(map(escape, page.paragraphs))
    body = (
        f"<div id='panel'></div><div class='top-menu'><ul>{_list_items(page.menu)}</ul></div>"
        f"<div class='workarea'><div class='breadcrumb'><a href='/'>{page.menu[0]}</a> / <a href='/news/'>{page.menu[1]}</a>"
        f"</div><h1>{escape(page.title)}</h1><div class='news-detail'><span class='news-date-time'>{page.date}</span>"
        f"<img class='detail_picture' src='/upload/1.jpg' alt=''>{text}<div style='clear:both'></div></div>"
        f"<p><a href='/news/'>{page.menu[1]}</a></p></div>"
        f"<div class='news-list'>{''.join(f'<p class=news-item><b>{escape(each)}</b></p>' for each in page.others)}</div>"
        f"<div id='footer'>{page.shared[2]}</div>"
    )
    return _wrap(page, f"<title>{escape(page.title)}</title>", body)


def make_rendered_page(page: PageText) -> str:
    """A ministry's page rendered by React: names of classes say nothing, the counter is beside the date."""
    head = f"<title>{escape(page.title)} — Portal</title><meta property='og:title' content='{escape(page.title)}'>"
    body = (
        f"<div id='root'><div class='css-1x9'><div class='css-8k'>{''.join(f'<span>{each}</span>' for each in page.menu)}</div>"
        f"<div class='css-2f'><div class='css-77'><h1 class='css-k0'>{escape(page.title)}</h1>"
        f"<div class='css-aa'><div>{page.date}</div><div>{300 + page.number}</div></div>"
        f"<div class='css-bb'>{_write_paragraphs(page)}</div><div class='css-cc'><button>{page.shared[0]}</button></div></div>"
        f"<div class='css-dd'><div class='css-ee'>{page.shared[3]}</div>"
        f"{''.join(f'<a class=css-ff href=/n/{n}><div>{escape(each)}</div></a>' for n, each in enumerate(page.others))}</div>"
        f"</div><div class='css-zz'>{page.shared[2]}</div></div></div>"
    )
    return _wrap(page, head, body)


def make_agency_page(page: PageText) -> str:
    """An agency: microdata, the place before the text, teasers of other articles with their first sentences."""
    teasers = "".join(
        f"<div class='teaser'><a href='/n/{n}/'><b>{escape(title)}</b></a><p>{escape(title)}. {escape(page.others[n - 1])}.</p>"
        "</div>"
        for n, title in enumerate(page.others)
    )
    first, *others = page.paragraphs
    body = (
        f"<div class='navbar'><ul>{_list_items(page.menu)}</ul></div><div class='row'><div class='col-8' itemscope "
        f"itemtype='http://schema.org/NewsArticle'><h1 itemprop='headline'>{escape(page.title)}</h1>"
        f"<div class='news-meta'><span itemprop='datePublished' content='{page.iso}T09:00:00'>{page.date}</span></div>"
        f"<div itemprop='articleBody' class='cont'><p>{escape(first)}</p>"
        f"{''.join(f'<p>{escape(each)}</p>' for each in others)}</div>"
        f"<div class='tags'><a href='/t/1'>{page.menu[1]}</a> <a href='/t/2'>{page.menu[2]}</a></div></div>"
        f"<div class='col-4'><h4>{page.shared[3]}</h4>{teasers}</div></div><div class='foot'>{page.shared[2]}</div>"
    )
    head = f"<title>{escape(page.title)} » Agency</title><meta name='description' content='{escape(page.paragraphs[0][:90])}'>"
    return _wrap(page, head, body)


def make_tables_page(page: PageText) -> str:
    """An old portal: layout by tables, the title in an `h2`, a menu of many links beside the text."""
    rows = "".join(
        f"<tr><td><a href='/c/{n}'>{word}</a></td></tr>" for n, word in enumerate([*page.menu, *page.others])
    )
    head = f"<title>Portal :: {escape(page.title)}</title>"
    body = (
        f"<table width='980'><tr><td valign='top' width='180'><table class='leftmenu'>{rows}</table></td>"
        f"<td valign='top'><h2 class='title'>{escape(page.title)}</h2><font size='1'>{page.date}</font>"
        f"<div align='justify'>{_write_paragraphs(page)}</div><br><a href='/print'>{page.shared[0]}</a></td></tr>"
        f"<tr><td colspan='2' align='center'>{page.shared[2]}</td></tr></table>"
    )
    return _wrap(page, head, body)


SHAPES = (
    make_blocks_page,
    make_magazine_page,
    make_bitrix_page,
    make_rendered_page,
    make_agency_page,
    make_tables_page,
)


def write_pages(folder: Path) -> int:
    """Write the pages and `gold.json` into a folder. Return how many pages there are."""
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    gold = {}
    for page in make_region_pages():
        file = f"pages/{page.id}.html"
        (folder / file).write_text(page.html, encoding="utf-8")
        fields = {"title": page.title, "body": "\n".join(page.paragraphs), "published": [page.day]}
        gold[page.id] = {"file": file, "source": page.language, "lang": page.language, "url": page.url, "gold": fields}
    (folder / "gold.json").write_text(json.dumps(gold, ensure_ascii=False), encoding="utf-8")
    return len(gold)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write labelled pages in Kazakh, Kyrgyz, Uzbek and Tajik.")
    parser.add_argument("folder", type=Path)
    print(f"{write_pages(parser.parse_args().folder)} pages")
