"""Dates of pages: only what is written there."""

from __future__ import annotations

import pytest

from crawler.generic.date_texts import find_dates, is_date_line
from crawler.generic.page import GenericPage
from crawler.generic.publication_date import find_publication_date


def read_day(html: str, url: str = "", title: str = "") -> str | None:
    found = find_publication_date(GenericPage(html, url), title)
    return found.value if found else None


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("Published 14 October 2026 at 09:45", "en", "2026-10-14T09:45:00"),
        ("October 3rd, 2026", "en", "2026-10-03"),
        ("Datum:26. Januar 2026", "de", "2026-01-26"),
        ("Астана, 14 октября 2026 года", "ru", "2026-10-14"),
        ("2026 жылғы 21 қараша", "kk", "2026-11-21"),
        ("2026 ж. 21 қараша", "kk", "2026-11-21"),
        ("2026 жылдың 21 қарашасы", "kk", "2026-11-21"),
        ("2026-ж. 21-ноябрь", "ky", "2026-11-21"),
        ("21-ноябрь 2026-ж., 18:05", "ky", "2026-11-21T18:05:00"),
        ("21-noyabr 2026-yil, 09:15", "uz", "2026-11-21T09:15:00"),
        ("21-уми ноябри соли 2026", "tg", "2026-11-21"),
        ("2026-жылдын 3-ноябры", "ky", "2026-11-03"),
        ("21-ноябрь, 2026-жыл", "ky", "2026-11-21"),
        ("2026-yil 5-dekabr", "uz", "2026-12-05"),
        ("2026 йил 5 декабрь", "uz", "2026-12-05"),
        ("7 декабри соли 2026", "tg", "2026-12-07"),
        ("Montag, 2. März 2026, 08:15 Uhr", "de", "2026-03-02T08:15:00"),
        ("le 1er août 2026", "fr", "2026-08-01"),
        ("21.11.2026 07:05", "ru", "2026-11-21T07:05:00"),
        ("14:05 / 27.11.2026", "uz", "2026-11-27T14:05:00"),
        ("14:05, 27.11.2026", "uz", "2026-11-27T14:05:00"),
        ("27.11.2026 / 14:05", "uz", "2026-11-27T14:05:00"),
        ("09:30 – 27 ноября 2026", "ru", "2026-11-27T09:30:00"),
        ("12:00–14:05, 27.11.2026", "ru", "2026-11-27"),
        ("11/21/2026", "en", "2026-11-21"),
        ("11.21.2026", "en", "2026-11-21"),
        ("Published on 01/25/26", "en", "2026-01-25"),
        ("05/04/26 14:05", "en", "2026-05-04T14:05:00"),
        ("05/04/26", "fr", "2026-04-05"),
        ("2026年11月21日", "ja", "2026-11-21"),
        ("2026 Nov 21;14(2):43–51", "en", "2026-11-21"),
        ("2026. november 21. 14:05", "hu", "2026-11-21T14:05:00"),
        ("Plan for 2027 May 4, 2026", "en", "2026-05-04"),
        ("4. 5. 2026, 14:05", "de", "2026-05-04T14:05:00"),
        ("Ann MillerMay 4, 2026", "en", "2026-05-04"),
        ("TransportNOVEMBER 21, 2026", "en", "2026-11-21"),
        ("21.11.202614:05", "ru", "2026-11-21T14:05:00"),
        ("4 мая 20269:30", "ru", "2026-05-04T09:30:00"),
        ("Updated November 30, 2026 at 10:05 p.m.", "en", "2026-11-30T22:05:00"),
        ("30 November 2026, 12:30:15 AM ET", "en", "2026-11-30T00:30:00"),
        ("30 November 2026 12:05pm", "en", "2026-11-30T12:05:00"),
        ("30 de noviembre de 2026, 10:05 p. m.", "es", "2026-11-30T22:05:00"),
        ("30 November 2026 17:29 PM", "en", "2026-11-30T17:29:00"),
        ("10:05 PM, November 30, 2026", "en", "2026-11-30T22:05:00"),
        ("30 November 2026 10:05 Amman", "en", "2026-11-30T10:05:00"),
        ("30.11.2026 22:00 UTC", "ru", "2026-11-30T22:00:00+00:00"),
        ("Nov 30, 2026 10:00:15 PM GMT", "en", "2026-11-30T22:00:00+00:00"),
        ("30 November 2026 22:00Z", "en", "2026-11-30T22:00:00+00:00"),
        ("22:00 UTC, 30.11.2026", "ru", "2026-11-30T22:00:00+00:00"),
        ("30.11.2026 22:00 UTC+5", "ru", "2026-11-30T22:00:00"),
        ("30.11.2026 22:00 GMT +05:00", "ru", "2026-11-30T22:00:00"),
        ("30.11.2026 22:00 Z ostatniej chwili", "pl", "2026-11-30T22:00:00"),
    ],
)
def test_dates_are_read_in_their_own_words(text: str, language: str, value: str) -> None:
    assert [found.value for found in find_dates(text, "visible text", language)] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "31 February 2026",
        "in 2026",
        "November 2026",
        "45.13.2026",
        "10.0.0.1",
        "1/2/24/7",
        "10/10/99",
        "call 12 34 2026",
        "21.11.20261",
        "dismay 4, 2026",
        "5 people in 2026",
        "",
    ],
)
def test_what_is_no_date_gives_none(text: str) -> None:
    assert list(find_dates(text, "visible text", "en")) == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("Күні: 2026 жылғы 28 қараша | Қаралды: 300", True),
        ("Просмотров: 300 | 28.11.2026, 14:05", True),
        ("Saturday, 28 November 2026", True),
        ("28 ноября 2026 • Астана", True),
        ("By Ann Miller · 28 November 2026", False),
        ("On 28 November 2026 the bridge fell.", False),
        ("Views: 300", False),
    ],
)
def test_a_line_of_a_date_may_have_labels_and_counters(text: str, is_one: bool) -> None:
    assert is_date_line(text) is is_one


def test_a_time_of_metadata_may_have_the_half_of_its_day() -> None:
    assert read_day('<meta property="article:published_time" content="2026-11-30 10:05 PM">') == "2026-11-30T22:05:00"


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-30 22:00:00 UTC", "2026-11-30 22:00:00 +0000 UTC", "2026-11-30 22:00 GMT", "2026-11-30T22:00:00 Z"),
        *("2026-11-30T22:00:00.123Z (updated)", "Nov 30, 2026 22:00 GMT", "30.11.2026 22:00 UTC"),
    ],
)
def test_a_time_of_metadata_may_name_utc(text: str) -> None:
    assert read_day(f'<meta property="article:published_time" content="{text}">') == "2026-11-30T22:00:00+00:00"


def test_a_time_of_metadata_may_name_a_zone_of_rfc_822() -> None:
    html = '<meta property="article:published_time" content="Mon, 30 Nov 2026 10:00:00 EST">'
    assert read_day(html) == "2026-11-30T15:00:00+00:00"


def test_data_of_the_page_comes_first_with_its_offset() -> None:
    html = """<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2026-11-20T23:10:00+05:00"}
    </script><h1>Title</h1><p>3 May 2020</p>"""
    assert read_day(html) == "2026-11-20T23:10:00+05:00"


def test_a_time_in_utc_has_the_day_that_the_reader_sees() -> None:
    html = """<meta property="article:published_time" content="2026-11-20T21:10:00Z">
    <h1>A title of some words</h1><p class="date">21 November 2026</p>"""
    assert read_day(html, title="A title of some words") == "2026-11-21"


def test_a_time_in_utc_has_the_day_of_the_same_time_in_the_zone_of_the_site() -> None:
    html = """<meta property="article:published_time" content="2026-11-20T21:10:00Z"><h1>A title of some words</h1>
    <time datetime="2026-11-21T02:10:00+05:00">at night</time><p class="date">20 November 2026</p>"""
    assert read_day(html, title="A title of some words") == "2026-11-21T02:10:00+05:00"


def test_no_zone_has_the_day_before_a_late_time_in_utc() -> None:
    html = """<meta property="article:published_time" content="2026-11-20T21:10:00Z">
    <h1>A title of some words</h1><p class="date">19 November 2026</p>"""
    assert read_day(html, title="A title of some words") == "2026-11-20T21:10:00+00:00"


@pytest.mark.parametrize(
    ("data", "day"),
    [
        ('<meta name="date" content="2026-11-25">', "2026-11-20T09:00:00+05:00"),
        ('<meta property="article:published_time" content="2026-11-25T10:00:00+05:00">', "2026-11-20T09:00:00+05:00"),
        (
            '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2026-11-25"}</script>',
            "2026-11-25",
        ),
    ],
)
def test_a_day_that_more_and_better_places_name_outweighs_metadata(data: str, day: str) -> None:
    shown = '<time datetime="2026-11-20T09:00:00+05:00">at nine</time><p class="date">20 November 2026</p>'
    assert read_day(f"{data}<h1>A title</h1>{shown}", title="A title") == day


def test_day_that_data_name_twice_gives_way_to_one_that_every_other_place_names() -> None:
    html = """<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2026-11-25"}</script>
    <meta property="article:published_time" content="2026-11-20">
    <meta property="og:article:published_time" content="2026-11-25">
    <h1>A title</h1><time datetime="2026-11-20">on Friday</time><p class="date">20 November 2026</p>"""
    assert read_day(html, title="A title") == "2026-11-20"


@pytest.mark.parametrize(
    "line",
    [
        "Updated 20 November 2026",
        "20 November 2026 (updated) | Views: 300",
        "The bridge has been closed since 20 November 2026.",
    ],
)
def test_a_change_or_a_sentence_does_not_outweigh_metadata(line: str) -> None:
    html = f'<meta name="published" content="2026-11-25"><h1>A title</h1><p>{line}</p>'
    assert read_day(html, title="A title") == "2026-11-25"


def test_dates_of_other_articles_and_of_the_footer_are_not_taken() -> None:
    others = "".join(f'<li class="date">{day} May 2026</li>' for day in range(1, 9))
    assert read_day(f"<h1>A title</h1><ul>{others}</ul><footer>© 1 January 2026</footer>", title="A title") is None


def test_an_update_comes_after_the_publication() -> None:
    html = "<h1>A title</h1><p>Updated 5 May 2026</p><p>Posted 3 May 2026</p>"
    assert read_day(html, title="A title") == "2026-05-03"


def test_the_address_is_evidence_too() -> None:
    assert read_day("<h1>A title</h1>", "https://site.example/2026/11/21/title") == "2026-11-21"


def test_the_data_of_a_script_is_the_last_evidence() -> None:
    script = """<script>window.state = {"article": {"publishedAt": "2026-11-21T08:00:00Z"}}</script>"""
    assert read_day(f"{script}<h1>A title</h1>") == "2026-11-21T08:00:00+00:00"
    assert read_day(f"{script}<h1>A title</h1><p>20 November 2026</p>", title="A title") == "2026-11-20"
    state = "{&quot;datePublished&quot;:&quot;2026-11-21T08:00:00Z&quot;}"
    assert read_day(f'<div data-state="{state}"></div><h1>A title</h1>') == "2026-11-21T08:00:00+00:00"


def test_a_page_that_states_no_day_has_none() -> None:
    assert read_day("<h1>A title</h1><p>It happened in 2026.</p>", "https://site.example/2026/title") is None


def test_the_day_in_the_head_of_the_page_comes_after_the_date_beside_the_heading() -> None:
    head = '<header><div class="header__date">{}</div><nav><a href="/a">Sport</a></nav></header>'
    words = head.format("29 Қараша 2026, 12:00")
    own = '<h1>A title</h1><div class="article__time">28 Қараша 2026, 09:00<span>| Оқылды: 211</span></div>'
    assert read_day(words + own, title="A title") == "2026-11-28T09:00:00"
    marked = head.format('<time datetime="2026-11-29T12:00">today</time>')
    assert read_day(marked + own, title="A title") == "2026-11-28T09:00:00"
    plain = '<div class="top__date">29.11.2026 12:00</div><div>Sport</div><div>Weather</div>'
    assert read_day(plain + own, title="A title") == "2026-11-28T09:00:00"
    assert read_day(f"{words}<h1>A title</h1>", "https://site.example/2026/11/28/title", "A title") == "2026-11-28"


def test_a_header_or_footer_of_the_article_has_its_date() -> None:
    article = "<article><{0}><p>28 November 2026</p></{0}><h1>A title</h1><p>It began on 3 May 2026.</p></article>"
    for tag in ("header", "footer"):
        assert read_day(article.format(tag), title="A title") == "2026-11-28"
    assert read_day("<header><p>28 November 2026</p><h1>A title</h1></header>", title="A title") == "2026-11-28"


def test_the_time_element_beside_the_heading_wins_over_those_of_other_posts() -> None:
    own = '<h1>A title</h1><div><time datetime="2026-11-28T09:00:00+05:00">Nov 28, 2026</time></div>'
    text = f"<p>{'Some words of the text. ' * 30}</p>"
    others = "".join(
        f'<li><a href="/{day}">Other post</a><time datetime="2026-11-{day}T10:00:00+05:00">Nov {day}, 2026</time></li>'
        for day in (11, 12, 13, 14)
    )
    assert read_day(f"{own}{text}<ul>{others}</ul>", title="A title") == "2026-11-28T09:00:00+05:00"
    assert read_day(f"<ul>{others[:200]}</ul>{text}{own}", title="A title") == "2026-11-28T09:00:00+05:00"
    assert read_day(f"<h1>A title</h1>{text}<ul>{others}</ul>", title="A title") is None


def test_a_line_near_the_title_tells_which_of_several_time_elements_is_its_own() -> None:
    others = "".join(f'<time datetime="2026-11-{day}">a day</time> Other post ' for day in (11, 12))
    own = '<h1>A title</h1><p>28 November 2026</p><p><time datetime="2026-11-28">Saturday</time></p>'
    assert read_day(f"<div>{others}</div>{own}", title="A title") == "2026-11-28"
    assert read_day('<time datetime="2026-11-11">x</time><h1>A title</h1><p>30 November 2026</p>') == "2026-11-11"


def test_a_marked_day_comes_before_visible_ones_when_a_time_in_utc_has_two() -> None:
    html = """<meta property="article:published_time" content="2026-11-20T21:10:00Z"><h1>A title</h1>
    <p class="today">20 November 2026</p><time>21 November 2026</time>"""
    assert read_day(html, title="A title") == "2026-11-21"


@pytest.mark.parametrize(("visible", "day"), [("March 9, 2026", "2026-03-09"), ("3 September 2026", "2026-09-03")])
def test_the_rest_of_the_page_tells_day_and_month_of_a_date_in_numbers_apart(visible: str, day: str) -> None:
    html = f"""<html lang="en"><head><meta name="article:published_time" content="03-09-2026"></head>
    <body><h1>Storm ends</h1><p>Published {visible}</p></body></html>"""
    assert read_day(html, title="Storm ends") == day


def test_a_short_date_counts_near_the_title_alone() -> None:
    page = "<h1>Ferry returns to the river</h1><p>{}</p>" + "<p>A word about the river.</p>" * 40 + "<p>{}</p>"
    assert read_day(page.format("On 01/25/26", "Tests"), title="Ferry returns to the river") == "2026-01-25"
    assert read_day(page.format("On time", "Tests 01/25/26"), title="Ferry returns to the river") is None


@pytest.mark.parametrize(
    "sentence",
    [
        "This guide was originally published on 4 May 2024 but has been updated since, as each year.",
        "Last updated 21 November 2026, first published 4 May 2024",
    ],
)
def test_a_date_that_is_called_original_comes_before_that_of_a_change(sentence: str) -> None:
    html = f"<h1>Ferry guide</h1><p>21 November 2026</p><p>{sentence}</p>"
    assert (read_day(html, title="Ferry guide") or "")[:10] == "2024-05-04"


def test_the_citation_data_of_a_paper_outweighs_the_day_on_which_it_was_received() -> None:
    html = """<meta name="citation_date" content="2026/11/21"><h1>Ferries</h1>
    <time datetime="2026-04-04">received</time>"""
    assert read_day(html, title="Ferries") == "2026-11-21"


def test_the_same_time_in_the_zone_of_a_reader_confirms_a_day_in_utc() -> None:
    data = '<meta property="article:published_time" content="2026-11-21T03:00:00Z">'
    teaser = "<article><time>20 November 2026</time></article>"
    assert (
        read_day(f"{data}<h1>Ferry</h1><p>21.11.2026, 05:00</p>{teaser}", title="Ferry") == "2026-11-21T03:00:00+00:00"
    )


def test_a_teaser_with_the_title_is_not_the_heading() -> None:
    html = (
        "<h1>Ferry returns to the river</h1><p>21.11.2026</p>"
        + "<p>A word about the river.</p>" * 40
        + "<div><p>2 July 2026</p><a href='/1'><h5>Ferry returns to the river</h5></a></div>"
    )
    assert read_day(html, title="Ferry returns to the river") == "2026-11-21"


def test_an_address_may_repeat_its_year_in_two_digits() -> None:
    assert read_day("<h1>Ferry</h1>", "https://valley.example/energy/2026/11/261121-ferry/") == "2026-11-21"


@pytest.mark.parametrize(
    "line",
    [
        "Updated 23 May 2026 / Published 21 May 2026",
        "Published: 22:00, 21 May 2026 | Updated: 08:39, 23 May 2026",
        "21 May 2026, updated 23 May 2026",
        "21 May 2026 / Updated 2 days ago",
        "21 May 2026, updated (23 May 2026)",
        "21 мая 2026 Обновлено / 23 мая 2026",
    ],
)
def test_words_before_each_date_of_a_line_tell_publication_and_change_apart(line: str) -> None:
    html = f'<h1>Ferry</h1><p>{line}</p><p class="date">23 May 2026</p>'
    assert (read_day(html.replace("23 May 2026</p>", "23 May 2026 (updated)</p>"), title="Ferry") or "")[
        :10
    ] == "2026-05-21"


def test_the_month_of_the_address_tells_which_date_is_the_article_s_own() -> None:
    html = "<h1>Ferry returns</h1><p><time>21 October 2025</time></p><p>3 May 2026</p>"
    assert read_day(html, "https://valley.example/2026/05/ferry-returns", "Ferry returns") == "2026-05-03"
    assert read_day(html, "https://valley.example/2026/ferry-returns", "Ferry returns") == "2025-10-21"


@pytest.mark.parametrize("attribute", ["content", "value"])
def test_metadata_may_have_its_text_in_another_attribute(attribute: str) -> None:
    html = f'<meta name="article:published_time" {attribute}="2026-11-21T08:00:00Z"><h1>A title</h1>'
    assert read_day(html) == "2026-11-21T08:00:00+00:00"


def test_the_address_tells_day_and_month_of_a_visible_date_apart() -> None:
    html = "<html lang='en'><body><h1>Ferry returns</h1><p>03/10/2026</p></body></html>"
    assert read_day(html, "https://valley.example/2026/october/03/ferry", "Ferry returns") == "2026-10-03"
    assert read_day(html, "https://valley.example/2026/march/10/ferry", "Ferry returns") == "2026-03-10"
    assert read_day(html, "https://valley.example/ferry", "Ferry returns") == "2026-03-10"


def test_a_date_directly_below_the_title_needs_no_class_name() -> None:
    own = "<h1>Ferry returns</h1><p>21 November 2026 // Ann Miller</p><p>The ferry runs again.</p>"
    teaser = '<div class="info"><p>4 May 2026</p></div>'
    assert read_day(own + teaser, title="Ferry returns") == "2026-11-21"


def test_several_marked_days_without_that_of_the_best_line_are_those_of_other_articles() -> None:
    own = "<h1>Ferry returns</h1><p>21 November 2026</p>"
    others = [f'<p>Bus<time datetime="2026-05-0{day}">{day} May 2026</time></p>' for day in (4, 5)]
    assert read_day(own + "".join(others), title="Ferry returns") == "2026-11-21"
    assert read_day(own + others[0], title="Ferry returns") == "2026-05-04"


@pytest.mark.parametrize("line", ["Updated 20 December 2026", "The bridge has been closed since 4 May 2020."])
def test_the_address_comes_before_a_change_and_a_sentence(line: str) -> None:
    html = f"<h1>Ferry returns</h1><p>{line}</p>"
    assert read_day(html, "https://valley.example/2026/11/21/ferry", "Ferry returns") == "2026-11-21"


@pytest.mark.parametrize("line", ["20.11.2026 жаңартылды, қаралды 300 рет", "20 ноября 2026 обновлено Просмотров: 300"])
def test_a_number_of_views_after_a_change_is_no_time(line: str) -> None:
    html = f"<h1>Паром</h1><p>{line}</p><p>Жарияланды 18.11.2026</p>"
    assert read_day(html, title="Паром") == "2026-11-18"


@pytest.mark.parametrize(
    "line", ["<h2>Форум пройдет 4 декабря 2026 года</h2>", "<p>Дата проведения: 4 декабря 2026</p>"]
)
def test_the_day_of_an_event_below_the_title_is_not_that_of_publication(line: str) -> None:
    html = f"<h1>Форум</h1>{line}<div class='news-date'>21 ноября 2026</div>"
    assert read_day(html, title="Форум") == "2026-11-21"


def test_a_named_day_of_publication_outweighs_teasers_and_an_event() -> None:
    own = '<h1>Форум</h1><time itemprop="datePublished" datetime="2026-11-21">Вчера</time>'
    event = "<p>4 декабря 2026</p>"
    others = "".join(f'<p>Мост<time datetime="2026-05-0{day}">в мае</time></p>' for day in (4, 5))
    assert read_day(own + event + others, title="Форум") == "2026-11-21"


def test_an_english_word_is_no_month_after_a_year() -> None:
    html = "<h1>Athletes in 2025 set 10 records</h1><p class='date'>21 November 2026</p>"
    assert read_day(html, title="Athletes in 2025 set 10 records") == "2026-11-21"
