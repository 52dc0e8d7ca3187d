"""HTML and a text rendering of it have the same lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from parsel import Selector

from crawler.pages.blocks import Block, parse_html, parse_text, read_line


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


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        ("<p>A</p><p hidden>no</p><p aria-hidden='true'>no</p><p style='color:red; display: none'>no</p>B", ["A", "B"]),
        ("<p>A <span style='visibility:hidden'>no</span>b</p><dialog>no</dialog><dialog open>C</dialog>", ["A b", "C"]),
        ("<p>A<template>no</template></p><select><option>no</option></select><textarea>no</textarea>", ["A"]),
        ("<p>A<button>no</button>b</p><video>no video</video><audio>no</audio><canvas>no</canvas>", ["A b"]),
        ("<body style='display:none'><p>A</p></body>", ["A"]),
    ],
)
def test_what_a_reader_does_not_see_is_no_text(markup: str, lines: list[str]) -> None:
    assert list_texts(parse_html_text(markup)) == lines


@pytest.mark.parametrize("tag", ["center", "legend", "caption", "hgroup", "dir", "menu", "search", "listing", "xmp"])
def test_block_elements_separate_words(tag: str) -> None:
    assert list_texts(parse_html_text(f"<div>мост<{tag}>Аул</{tag}>река</div>"))[0] == "мост"
    assert "Аул" in list_texts(parse_html_text(f"<div>мост<{tag}>Аул</{tag}>река</div>"))


def test_style_makes_a_block_of_any_element() -> None:
    assert list_texts(parse_html_text("<span style='display:block'>One</span><span>two</span>")) == ["One", "two"]


@pytest.mark.parametrize(
    ("markup", "line"),
    [
        ("мостов<sup>1</sup> и рек", "мостов 1 и рек"),
        ("МОСТ<sup><a href='#n'>[2]</a></sup>", "МОСТ [2]"),
        ("мост<sup>*</sup>", "мост *"),
        ("250<sup>3</sup> домов", "250 3 домов"),
        ("40 м<sup>2</sup> и 5 km<sup>2</sup>", "40 м2 и 5 km2"),
        ("10<sup>6</sup>, 10<sup>-3</sup> и 110<sup>2</sup>", "10⁶, 10⁻³ и 110 2"),
        ("XXI<sup>th</sup> век", "XXIth век"),
    ],
)
def test_footnote_marks_are_separated_and_powers_are_not(markup: str, line: str) -> None:
    assert list_texts(parse_html_text(f"<p>{markup}</p>")) == [line]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("между-\nнародно-\n  правового", "международноправового"),
        ("гума\u00ad\nнитарный", "гуманитарный"),
        ("Санкт-\nПетербург", "Санкт-Петербург"),
        ("какой-\nто мост из-\r\nза реки", "какой-то мост из-за реки"),
        ("теле-\nи радио", "теле- и радио"),
        ("2020-\n2025", "2020-2025"),
        ("мост -\nрека", "мост - река"),
        ("бірте-\nбірте", "бірте-бірте"),
        ("humani-\ntarian", "humanitarian"),
    ],
)
def test_word_cut_at_a_line_end_is_joined(text: str, line: str) -> None:
    assert list_texts(parse_html_text(f"<p>{text}</p>")) == [line]


def test_layout_table_keeps_its_paragraphs() -> None:
    picture = "<td><img src='/a.jpg'></td>"
    found = parse_html_text(f"<table><tr>{picture}<td><p>One</p><p>Two</p></td></tr></table>")
    assert list_texts(found) == ["", "One", "Two"]
    columns = "<table><tr><td><p>One</p><p>Two</p></td><td><p>Three</p></td></tr></table>"
    assert list_texts(parse_html_text(columns)) == ["One", "Two", "Three"]


@pytest.mark.parametrize(
    "icon",
    [
        "<img class='wp-smiley' alt='x'>",
        "<img src='/emoji/1.svg' alt='x'>",
        "<img alt='🙂' src='/e.svg'>",
        "<img width='16' height='16' src='/flag.png' alt='KZ'>",
        "<svg><text>x</text></svg>",
        "<i class='icon'></i>",
    ],
)
def test_icon_in_a_sentence_splits_nothing(icon: str) -> None:
    assert parse_html_text(f"<p>Мост {icon} открыт.</p>") == [Block("Мост открыт.")]


@pytest.mark.parametrize(
    ("attributes", "source"),
    [
        ("src='data:image/gif;base64,R0' data-src='/b.jpg'", "/b.jpg"),
        ("src='/img/grey.gif' data-original='/b.jpg'", "/b.jpg"),
        ("src='/a.jpg' data-src=''", "/a.jpg"),
        ("src='data:image/gif;base64,R0' srcset='/s.jpg 480w, /b.jpg 800w'", "/b.jpg"),
        ("srcset='/s.jpg 1x,/b.jpg 2x'", "/b.jpg"),
        ("data-srcset='/b.jpg' src='/blank.gif'", "/b.jpg"),
        ("src='/img/spacer.gif'", None),
        ("src='data:image/png;base64,R0'", None),
        ("src='/loading-bridge/photo.jpg'", "/loading-bridge/photo.jpg"),
    ],
)
def test_lazy_image_has_its_real_source(attributes: str, source: str | None) -> None:
    assert parse_html_text(f"<img {attributes}>") == [Block("", "img", source)]


def test_picture_gives_the_source_of_its_image() -> None:
    markup = "<picture><source srcset='/b.webp 2x'><img src='data:image/gif;base64,R0'></picture>"
    assert parse_html_text(markup) == [Block("", "img", "/b.webp")]


def test_markup_and_entities_that_are_encoded_twice_are_read() -> None:
    once = "&lt;p&gt;Мост &amp;laquo;Аул&amp;raquo;&lt;/p&gt;&lt;p&gt;Два&lt;br&gt;три&lt;/p&gt;"
    assert list_texts(parse_html_text(f"<div>{once}</div>")) == ["Мост «Аул»", "Два", "три"]
    assert list_texts(parse_html_text("<p>5 &amp;lt; 6, &lt;press@example.org&gt;</p>")) == [
        "5 < 6, <press@example.org>"
    ]


def test_markup_in_a_text_rendering_is_read() -> None:
    assert list_texts(parse_text("<p>Мост\n<br/>\nРека <b>Иле</b> &lt;i&gt;\n5 < 6")) == ["Мост", "Река Иле", "5 < 6"]


def test_markup_that_is_encoded_three_times_is_read() -> None:
    assert list_texts(parse_html_text("<p>&amp;lt;p&amp;gt;Мост&amp;lt;br&amp;gt;Река&amp;lt;/p&amp;gt;</p>")) == [
        "Мост",
        "Река",
    ]


def test_title_has_no_tags_and_keeps_angle_brackets() -> None:
    assert read_line("Мост <b>Аул</b> &amp;amp; <press@example.org>") == "Мост Аул &"
    assert read_line("Если 5 &lt; 6: <press@example.org>") == "Если 5 < 6: <press@example.org>"


def test_deep_markup_is_read_in_linear_time() -> None:
    root = etree.Element("div")
    node = root
    for _ in range(5_000):
        node = etree.SubElement(node, "font")
    node.text = "Мост"
    assert parse_html(root) == [Block("Мост")]


def test_nested_tables_are_read_without_recursion() -> None:
    root = etree.Element("table")
    node = root
    for _ in range(3_000):
        row = etree.SubElement(node, "tr")
        etree.SubElement(row, "td").text = "x"
        node = etree.SubElement(etree.SubElement(row, "td"), "table")
    assert [block.text for block in parse_html(root)] == [" ".join(["x"] * 3_000)]


@pytest.mark.parametrize(
    "name", ["sr-only", "a visually-hidden b", "screen-reader-text", "material-icons md-18", "w-condition-invisible"]
)
def test_text_for_screen_readers_and_icon_fonts_is_no_text(name: str) -> None:
    assert list_texts(parse_html_text(f"<p>Мост<span class='{name}'>нет</span> открыт</p>")) == ["Мост открыт"]
    assert list_texts(parse_html_text(f"<p>Мост</p><p class='x-{name.split()[0]}-y'>Река</p>")) == ["Мост", "Река"]


@pytest.mark.parametrize(
    "markup",
    [
        "<img src='/loading.svg' data-echo='/real.jpg?w=1'>",
        "<img src='data:image/gif;base64,R0' data-options='{x}' data-full-url='/real.jpg?w=1'>",
        "<img class='lazy' src='/spacer.gif'><noscript><img src='/real.jpg?w=1'></noscript>",
    ],
)
def test_image_that_is_loaded_late_gives_its_own_address(markup: str) -> None:
    assert [block.source for block in parse_html_text(markup) if block.tag == "img"] == ["/real.jpg?w=1"]


def test_compound_that_is_cut_at_its_own_hyphen_keeps_it() -> None:
    assert list_texts(parse_html_text("<p>twenty-\nfive e-\nmails, русско-\nказахский, междуна-\nродный</p>")) == [
        "twenty-five e-mails, русско-казахский, международный"
    ]


def test_cells_with_long_texts_are_columns_of_a_layout() -> None:
    left, right = "Мост через реку открыт. " * 12, "Река."
    found = list_texts(parse_html_text(f"<table><tr><td>{left}</td><td>{right}</td></tr></table>"))
    assert found == [left.strip(), right]


def test_a_text_with_line_breaks_in_a_cell_is_a_column_of_a_layout() -> None:
    text = ["The bridge is open.", "28.11.2026", "It was closed for a week because of the flood. " * 4]
    found = list_texts(parse_html_text(f"<table><tr><td>Menu</td><td>{'<br>'.join(text)}</td></tr></table>"))
    assert found == ["Menu", *(line.strip() for line in text)]
