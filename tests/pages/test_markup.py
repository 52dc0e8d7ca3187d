"""HTML of any depth becomes a tree, with all of its text, in linear time."""

from __future__ import annotations

import time

import pytest

from crawler.pages.blocks import parse_markup
from crawler.pages.markup import MAX_NESTED_TAGS, flatten_markup, parse_document


def list_texts(markup: str) -> list[str]:
    return [block.text for block in parse_markup(markup)]


@pytest.mark.parametrize("levels", [10, 2_000, 2_100, 20_000])
@pytest.mark.parametrize("tag", ["div", "font", "blockquote", "x-box", "section"])
def test_text_is_read_at_any_depth(tag: str, levels: int) -> None:
    deep = f"<{tag} class='a'>" * levels + "<p>Мост <b>открыт</b>.</p><p>Он длинный.</p>" + f"</{tag}>" * levels
    markup = f"<html><body><h1>Мост</h1>{deep}<p>Река</p></body></html>"
    assert list_texts(markup) == ["Мост", "Мост открыт.", "Он длинный.", "Река"]


@pytest.mark.parametrize("close", [True, False])
def test_nested_tables_and_lists_are_read(close: bool) -> None:
    for opened, closed in (("<table><tr><td>", "</td></tr></table>"), ("<ul><li>", "</li></ul>")):
        markup = opened * 3_000 + "Мост" + (closed * 3_000 if close else "")
        assert list_texts(f"{markup}<p>Река</p>")[0] == "Мост"
        assert list_texts(f"{markup}<p>Река</p>")[-1] == "Река"


def test_blocks_stay_apart_and_inline_elements_together() -> None:
    deep = "<div>" * 3_000
    assert list_texts(f"{deep}<div>один</div><div>два</div>") == ["один", "два"]
    assert list_texts(f"{'<font>' * 3_000}М<font>ост</font>") == ["Мост"]


def test_what_is_not_shown_stays_hidden() -> None:
    deep = "<div>" * 3_000
    markup = f"{deep}<script>if (a < b) x = '<div>'</script><div hidden>нет</div><!-- <div> --><p>да</p>"
    assert list_texts(markup) == ["да"]


def test_markup_of_usual_depth_is_kept() -> None:
    markup = "<div title='a > b'><p>x<br/>y</div></p><i>" * (MAX_NESTED_TAGS // 2)
    assert flatten_markup(markup) == markup
    assert parse_document("").tag == parse_document("<!-- x -->").tag == "html"
    assert "".join(parse_document("a\0b\ud800c").itertext()) == "abc"


def test_time_is_linear() -> None:
    start = time.thread_time()
    for markup in (
        "<div>" * 40_000,
        "<" * 20_000,
        '<a b="' * 20_000,
        "<a '\"" * 20_000 + ">",
        "<div>" * 3_000 + "<!-- " * 20_000,
        "<div>" * 3_000 + "<script>" * 20_000,
        "<div>" * 3_000 + "</i></b>" * 20_000,
    ):
        parse_document(markup)
        flatten_markup(markup)
    assert time.thread_time() - start < 5
