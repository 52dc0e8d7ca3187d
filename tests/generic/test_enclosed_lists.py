"""Lists inside an article's text belong to it; menus and lists of other articles do not."""

from __future__ import annotations

import pytest

from crawler.generic.enclosed_lists import add_enclosed_lists
from crawler.generic.page import GenericPage

ITEMS = "<ul><li>a copy of the deed;</li><li>the plan;</li></ul>"


@pytest.mark.parametrize(
    ("html", "added"),
    [
        (f"<div><p>Bring: </p>{ITEMS}<p>We open at nine.</p></div>", ["a copy of the deed;", "the plan;"]),
        (f"<div>Bring a list.<a href='/1'>Other</a>{ITEMS}We open.</div>", ["a copy of the deed;", "the plan;"]),
        ("<div><p>We.</p><ul><li>One</li><li><ul><li>Two</li></ul></li></ul><p>You.</p></div>", ["One", "Two"]),
        (f"<div><p>We ask for this.</p>{ITEMS}</div><p>Footer</p>", ["a copy of the deed;", "the plan;"]),
        ("<div><p>We ask for:</p><ul><li>Deed</li><li>Plan</li></ul></div>", ["Deed", "Plan"]),
        ("<div>We ask.<ul><li>Deed;</li></ul> <ul><li>Plan.</li></ul></div>", ["Deed;", "Plan."]),
        ("<div><p>We ask.</p><ul><li>Mail</li><li>Print</li></ul></div><p>Footer</p>", []),
        ("<div><p>We.</p><ul><li><a href='/1'>Snow falls.</a></li><li>One</li></ul><p>You.</p></div>", []),
        (f"<div><p>We.</p><aside>{ITEMS}</aside><p>You.</p></div>", []),
        (f"<div>{ITEMS}<p>We.</p></div>", []),
    ],
)
def test_list_in_the_text_belongs_to_it(html: str, added: list[str]) -> None:
    lines = GenericPage(html).lines
    is_item = ["li" in line.sections or line.link_share == 1 or line.text == "Footer" for line in lines]
    chosen = [not each for each in is_item]
    completed = add_enclosed_lists(lines, chosen)
    assert [line.text for line, was, now in zip(lines, chosen, completed, strict=True) if now and not was] == added
