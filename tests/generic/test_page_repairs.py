"""A page is read as a browser shows it: with the parts that were sent later, and without endless buttons."""

from __future__ import annotations

from crawler.generic.page import GenericPage

TEXT = "The bridge over the lower river was opened on Monday after eleven months of repair work."
MORE = "The first buses crossed it in the evening, as the office of the mayor said."


def list_texts(html: str) -> list[str]:
    """Return the texts of a page's lines."""
    return [line.text for line in GenericPage(html).lines]


def test_parts_that_were_sent_later_are_read_at_their_places() -> None:
    html = f"""<body><p>Menu</p><main><h1>Bridge opened</h1><!--$?--><template id="B:0"></template>Wait<!--/$--></main>
    <footer>Contact</footer><div hidden id="S:0"><p>{TEXT}</p><template id="B:1f"></template><p>End</p></div>after
    <div hidden id="S:1f"><p>{MORE}</p></div><script>$RC("B:0", "S:0")</script></body>"""
    assert list_texts(html) == ["Menu", "Bridge opened", TEXT, MORE, "End", "Wait", "Contact", "after"]
    assert "hidden" not in GenericPage(html).html


def test_a_part_without_a_place_is_read_where_it_is() -> None:
    own_place = f'<div hidden id="S:0"><p>{TEXT}</p><p><template id="B:0"></template></p></div>'
    assert list_texts(f'<div hidden id="S:0"><p>{TEXT}</p></div><p>End</p>') == [TEXT, "End"]
    assert list_texts(f"{own_place}<p>End</p>") == [TEXT, "End"]


def test_other_hidden_parts_stay_hidden() -> None:
    assert list_texts(f'<div hidden id="popup"><p>{MORE}</p></div><p>{TEXT}</p>') == [TEXT]


def test_a_button_without_its_end_hides_no_article() -> None:
    assert list_texts(f"<header><button>Menu<main><h1>Bridge opened</h1><p>{TEXT}</p></main></header>") == [
        "Menu",
        "Bridge opened",
        TEXT,
    ]
    assert list_texts(f"<button>Subscribe<p>now</p></button><p>{TEXT}</p>") == [TEXT]
