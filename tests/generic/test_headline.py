"""Titles: what a reader sees above the text, without the name of the site."""

from __future__ import annotations

import re

import pytest

from crawler.generic.headline import (
    MAX_HEADING_LENGTH,
    MAX_HEADING_TEXTS,
    Headline,
    find_headline,
    is_in_address,
    remove_site_name,
)
from crawler.generic.page import GenericPage

TITLE = "River ferry returns after the storm"


def read_title(html: str, url: str = "https://www.valleyherald.example/1") -> str | None:
    found = find_headline(GenericPage(html, url))
    return found.text if found else None


@pytest.mark.parametrize(
    "html",
    [
        f"<title>{TITLE} - Valley Herald</title><h1>{TITLE}</h1>",
        f"<title>{TITLE} | Valley Herald</title><h1>Valley Herald</h1><h2>{TITLE}</h2>",
        f'<title>News</title><meta property="og:title" content="{TITLE} — Valley Herald"><h1>News</h1>',
        f"<title>News :: {TITLE} :: All about the valley and its people</title><div><b>{TITLE}</b></div>",
        f'<title>{TITLE}</title><meta property="og:title" content="{TITLE}"><h1>Opinion {TITLE}</h1>',
        f"<title>{TITLE}</title><h1>{TITLE}<span>Transport</span><span>Weather</span></h1>",
        f"<title>{TITLE}</title><h1>Transport<span>{TITLE}</span></h1>",
        f"<title>Transport after the storm: {TITLE}</title><h1><i>Storm in the valley</i> – <b>{TITLE}</b></h1>",
        f"<title>{TITLE}</title><h1>{TITLE} <small>All boats are safe</small></h1>",
        f"<title>{TITLE} | Opinion</title><h1>{TITLE} | Opinion</h1>",
        f"<title>Ferry runs again</title><h1>{TITLE}</h1>",
        f'<title>River ferry returns</title><meta property="og:title" content="River ferry returns"><h1>{TITLE}</h1>',
        f"<title>{TITLE}</title><h1>All about our valley</h1><h1>Read next</h1>",
        f"<title>Ferry runs again</title><h1>Business weekly</h1><h1>{TITLE}</h1><h1>Read next</h1>",
        f"<title>{TITLE} | Good news for each valley</title><h1>Good news for each valley</h1><h2>{TITLE}</h2>",
        f"<title>When does the ferry return to the river?</title><h1>{TITLE}</h1><h2>When will the ferry return?</h2>",
        f"<title>{TITLE}</title><h1>Ann Miller</h1><h2>{TITLE} / May 2026</h2>",
        f'<title>{TITLE}</title><meta name="headline" content="River ferry returns after the st"><h1>{TITLE}</h1>',
        f'<title>{TITLE}</title><meta property="og:site_name" content="The Valley Herald"><h1>The Valley Herald</h1>',
        f"<title>{TITLE}</title>",
        f"<h1>{TITLE}</h1>",
    ],
)
def test_the_title_is_found(html: str) -> None:
    assert read_title(html) == TITLE


@pytest.mark.parametrize(
    ("head", "heading"),
    [
        ("<title>River ferry returns after storm</title>", "The river ferry returns after storm"),
        ("<title>River ferry returns after the storm - and what follows</title>", f"{TITLE} - and what follows"),
        (f'<meta property="og:title" content="Sports: {TITLE}"><title>{TITLE}</title>', f"Sports: {TITLE}"),
        (f"<title>Live | {TITLE}</title>", f"Live | {TITLE}"),
        (f"<title>Storm in May: {TITLE}</title>", f"Storm in May: <b>{TITLE}</b>"),
        (f'<meta property="og:title" content="{TITLE}"><title>{TITLE} in May</title>', f"{TITLE} - in May"),
    ],
)
def test_words_that_are_no_kicker_stay_in_the_title(head: str, heading: str) -> None:
    assert read_title(f"{head}<h1>{heading}</h1>") == re.sub("<.*?>", "", heading)


def test_the_longest_part_of_the_host_names_the_site() -> None:
    html = f"<title>{TITLE} - Valley Herald Online</title><h1>1 May 2026 {TITLE}</h1>"
    assert read_title(html, "https://www.valleyherald.gv.example/1") == TITLE


def test_a_heading_that_begins_with_a_word_of_the_host_is_no_name_of_the_site() -> None:
    html = "<title>Our River Institute</title><h1>{}</h1>"
    url = "https://ferries.river.example/1"
    assert read_title(html.format("Ferries in a warm world"), url) == "Ferries in a warm world"
    assert read_title(html.format("All the Ferries"), url) == "Our River Institute"


def test_a_page_without_words_has_no_title() -> None:
    assert read_title("<title> </title><h1>…</h1>") is None


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Storm ends - Valley Herald", "Storm ends"),
        ("Valley Herald: a history", "Valley Herald: a history"),
        ("Minister visits the plant «Dawn»", "Minister visits the plant «Dawn»"),
        ("Minister visits the plant «Dawn» - Valley Herald", "Minister visits the plant «Dawn»"),
        ("»The storm is over«", "»The storm is over«"),
        ("Valley Herald » Storm ends", "Storm ends"),
        ("Storm ends « Valley Herald", "Storm ends"),
        ("Storm ends – and what follows", "Storm ends – and what follows"),
    ],
)
def test_only_the_name_of_the_site_is_removed(title: str, bare: str) -> None:
    assert remove_site_name(title, ["Valley Herald", "valleyherald.example"]) == bare


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (
            f'<title>All boats run again</title><meta property="og:title" content="{TITLE}">',
            f"<h1>All boats run again</h1><h2>{TITLE}</h2>",
        ),
        ("<title>Valley journal</title>", f"<h2>Sports news</h2><h3>{TITLE}</h3>"),
    ],
)
def test_the_address_tells_which_heading_is_the_title(head: str, body: str) -> None:
    assert read_title(head + body, "https://valley.example/news/river-ferry-returns-after-the-storm-4711.html") == TITLE


def test_the_address_does_not_outweigh_the_title_in_the_data_of_the_page() -> None:
    data = f'{{"@type": "NewsArticle", "headline": "{TITLE}"}}'
    html = f"""<script type="application/ld+json">{data}</script>
    <meta property="og:title" content="All boats run again"><h1>{TITLE}</h1><h2>All boats run again</h2>"""
    assert read_title(html, "https://valley.example/all-boats-run-again") == TITLE


@pytest.mark.parametrize(
    ("text", "address", "is_in"),
    [
        ("Fähren für alle", "faehrenfueralle123", True),
        ("Fähren für alle", "fahrenfuralle", True),
        ("Ferries", "ferries", False),
        ("Press releases", "pressreleases", False),
        ("River ferry", "riverferryreturnsafterthestorm", False),
        ("Order no. 4711-2026", "orderno47112026", False),
        ("Паром River", "river", False),
        ("Паром", "", False),
    ],
)
def test_a_heading_is_in_the_address_with_all_its_letters(text: str, address: str, is_in: bool) -> None:
    assert is_in_address(text, address) is is_in


def test_a_heading_of_very_many_elements_is_not_searched_for_a_kicker() -> None:
    heading = f"<h1><span>World</span>{'<i> </i>' * MAX_HEADING_TEXTS}<span>Storm closes the high pass</span></h1>"
    headline = find_headline(GenericPage(f"<title>Storm closes the high pass</title>{heading}", "https://h.example/1"))
    assert headline == Headline("Storm closes the high pass", "title")


def test_a_hidden_text_in_a_heading_is_not_searched_for_a_kicker() -> None:
    hidden = "word " * MAX_HEADING_LENGTH
    heading = f"<h1><span>World</span><span hidden>{hidden}</span> <span>Storm closes the high pass</span></h1>"
    headline = find_headline(GenericPage(f"<title>Storm closes the high pass</title>{heading}", "https://h.example/1"))
    assert headline == Headline("Storm closes the high pass", "title")


@pytest.mark.parametrize(
    ("stated", "heading"),
    [
        (
            "Новый закон: что изменится для водителей — Министерство транспорта Республики Казахстан",
            "Новый закон: <br>что изменится для водителей",
        ),
        (
            "Valley: New rules for boats take effect - Ministry of Rivers",
            "<b>Valley:</b> New rules for boats take effect",
        ),
    ],
)
def test_a_heading_with_whose_words_the_stated_title_begins_stays_whole(stated: str, heading: str) -> None:
    title = re.sub("<.*?>", "", heading)
    assert read_title(f"<title>{stated}</title><h1>{heading}</h1>") == title


def test_a_section_that_the_address_names_is_not_the_title() -> None:
    html = "<title>Minister opens a new school in Maple</title><h1>Press center</h1>"
    url = "https://ministry.example/en/press-center/?ELEMENT_ID=4711"
    assert read_title(html, url) == "Minister opens a new school in Maple"


def test_a_long_text_after_a_pipe_belongs_to_the_title() -> None:
    title = "Live from the forum in Maple | The minister opens the session"
    assert read_title(f"<title>{title}</title><h1>{title}</h1>") == title


@pytest.mark.parametrize("end", [" | |", " | valleyherald", " - "])
def test_a_title_of_very_many_separators_is_read(end: str) -> None:
    title = "Storm ends in the lower valley" + end * (50_000 // len(end))
    assert read_title(f"<title>{title}</title><h1>Storm ends in the lower valley</h1>") == (
        "Storm ends in the lower valley"
    )
