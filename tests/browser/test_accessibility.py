"""No page has a barrier that axe finds: on a desk in both colour schemes, and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from support.newsroom_server import OpenPage

pytestmark = pytest.mark.browser
PATHS = (
    *(
        "/",
        "/stories/1",
        "/articles/mfa:77:ru",
        "/search",
        "/search?q=visit",
        "/review",
        "/rules",
        "/rule-draft",
        "/rules/ihl/edit",
    ),
    *("/sources", "/sources/add", "/subscriptions", "/messages", "/runs", "/account", "/users", "/api", "/login"),
)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}},
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_barrier(open_page: OpenPage, address: str, look: str) -> None:
    from axe_playwright_python.sync_playwright import Axe  # of the extra `browser`, which the collection must not need

    page = open_page(address, **LOOKS[look])
    found = []
    for path in PATHS:
        page.goto(f"{address.rstrip('/')}{path}")
        results = Axe().run(page)
        found += [(path, each["id"], each["nodes"][0]["html"]) for each in results.response["violations"]]
        assert results.response["passes"]
    assert found == []
