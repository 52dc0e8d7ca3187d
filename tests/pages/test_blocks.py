"""HTML and a text rendering of it have the same lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsel import Selector

from crawler.pages.blocks import Block, parse_html, parse_text


def parse_html_text(text: str) -> list[Block]:
    return parse_html(Selector(text=text, type="html").root)


def list_texts(blocks: list[Block]) -> list[str]:
    return [block.text for block in blocks]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo\n"),
        ("<div>One<div>Two</div>Three</div>", "One\nTwo\nThree"),
        ("<p>One<br>Two<br/>Three</p>", "One\nTwo\nThree"),
        ("<p>One <b>bold</b> and <a href='/x'>linked</a> line</p>", "One bold and linked line"),
        ("<p>Между&shy;народ&shy;ный&nbsp; комитет</p>", "Между\u00adнарод\u00adный\u00a0 комитет"),
        ("<h1>Title</h1>\n  <p>  One\n two </p>", "Title\nOne two"),
        ("<p>One</p><!-- no line --><p></p><p>&nbsp;</p><p>Two</p>", "One\n \n\u00a0\nTwo"),
        (
            "<p>A</p><script>no()</script><style>no{}</style><noscript>no</noscript><template>no</template><p>B</p>",
            "A\nB",
        ),
        ("<head><title>no</title></head><body><p>A</p></body>", "A"),
        ("<blockquote><p>“Said.”</p><footer>Who, what</footer></blockquote>", "“Said.”\nWho, what"),
        (
            "<table><tr><th>City</th><th>Day</th></tr><tr><td>Semey</td><td>9 June</td></tr></table>",
            "City Day\nSemey 9 June",
        ),
        ("<table><tr><td><p>Semey</p></td><td>9<br>June</td></tr></table>", "Semey 9 June"),
        ("<dl><dt>Term</dt><dd>Meaning</dd></dl>", "Term\nMeaning"),
        ("<p>R&amp;D &laquo;Жетіген&raquo;</p>", "R&D «Жетіген»"),
        ("text before<p>in</p>and after", "text before\nin\nand after"),
    ],
)
def test_html_and_text_give_the_same_lines(markup: str, text: str) -> None:
    assert list_texts(parse_html_text(markup)) == list_texts(parse_text(text))


def test_list_items_have_their_tag_in_both() -> None:
    markup, text = (
        "<ol><li>Main Page</li><li><a>News</a></li></ol><p>1. no item</p>",
        "  1. Main Page\n  2. News\n1. no item",
    )
    assert parse_html_text(markup) == parse_text(text)
    assert [block.tag for block in parse_text(text)] == ["li", "li", "p"]


@pytest.mark.parametrize("tag", ["p", "li", "h1", "h3", "figcaption", "blockquote"])
def test_tag_is_the_nearest_named_element(tag: str) -> None:
    assert parse_html_text(f"<section><{tag}>x <i>y</i></{tag}><div>z</div></section>") == [
        Block("x y", tag),
        Block("z", "p"),
    ]


def test_unnamed_element_keeps_the_tag_around_it() -> None:
    assert parse_html_text("<blockquote><div>said</div></blockquote>") == [Block("said", "blockquote")]


def test_image_is_a_block_of_its_own() -> None:
    found = parse_html_text(
        "<p>before <img src='/a.jpg' alt=' Two\u00a0 words '> after</p><img data-src='/b.jpg'><img>"
    )
    assert found == [
        Block("before", "p"),
        Block("Two words", "img", "/a.jpg"),
        Block("after", "p"),
        Block("", "img", "/b.jpg"),
        Block("", "img", None),
    ]


def test_image_in_a_table_is_kept_beside_its_row() -> None:
    found = parse_html_text("<table><tr><td>Map <img src='/m.png' alt='Map of Semey'></td><td>9 June</td></tr></table>")
    assert Block("Map of Semey", "img", "/m.png") in found
    assert " ".join(block.text for block in found if block.tag != "img") == "Map 9 June"


def test_row_of_one_cell_is_only_a_frame() -> None:
    assert list_texts(parse_html_text("<table><tr><td><p>One</p><p>Two</p></td></tr></table>")) == ["One", "Two"]


def test_image_in_a_later_cell_does_not_break_its_row() -> None:
    found = parse_html_text("<table><tr><td>9 June</td><td>Map<img src='/m.png'></td></tr></table>")
    assert found == [Block("9 June Map"), Block("", "img", "/m.png")]


def test_table_within_a_table_stays_in_its_row() -> None:
    inner = "<table><tr><td>b</td><td>c</td></tr></table>"
    assert list_texts(
        parse_html_text(f"<table><tr><td>a</td><td>{inner}</td></tr><tr><td>d</td><td>e</td></tr></table>")
    ) == [
        "a b c",
        "d e",
    ]


def test_script_in_a_table_cell_is_no_text() -> None:
    assert list_texts(
        parse_html_text("<table><tr><td>Semey<script>no()</script></td><td>9<style>no{}</style></td></tr></table>")
    ) == ["Semey 9"]


def test_comment_and_processing_instruction_are_no_text() -> None:
    assert list_texts(parse_html_text("<p>a<!-- no -->b<?php no ?>c</p>")) == ["abc"]
    assert list_texts(parse_html_text("<table><tr><td>a<!-- no --></td></tr></table>")) == ["a"]


WORDS = st.text(alphabet="абвxyz", min_size=1, max_size=8)
PARAGRAPHS = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), max_size=6)


@given(PARAGRAPHS)
def test_any_paragraphs_are_the_same_in_both(paragraphs: list[str]) -> None:
    markup = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    assert (
        list_texts(parse_html_text(f"<body>{markup}</body>"))
        == list_texts(parse_text("\n\n".join(paragraphs)))
        == paragraphs
    )


@given(st.text())
def test_text_blocks_are_clean_lines(text: str) -> None:
    assert all(block.text == " ".join(block.text.split()) != "" for block in parse_text(text))


@pytest.mark.parametrize("tag", ["font", "div", "table><tr><td", "table><tr><td>1</td><td", "blockquote"])
def test_markup_of_any_depth_is_read(tag: str) -> None:
    found = parse_html_text(f"<p>Мост</p>{f'<{tag}>' * (700 if tag.isalpha() else 450)}открыт.<img src='/a.jpg'>")
    texts = [block.text.strip("1 ") for block in found if block.tag != "img"]
    assert texts == ["Мост", "открыт."]
    assert found[-1].source == "/a.jpg"
