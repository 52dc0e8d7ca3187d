"""`remove` in a definition takes away parts of the text, and of nothing else, wherever the text comes from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.unknown_sites import make_wordpress_page

from crawler.config import Config
from crawler.config.source_folder import parse_definition
from crawler.generic.source_pages import DefinedArticle
from crawler.pages.snapshot import Snapshot
from crawler.spiders.defined import make_spider_class

pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")

DEFINITION = """title = "Valley Herald"
origins = ["https://herald.example"]
starts = ["https://herald.example/"]
addresses = ["/{slug}/{number}"]
remove = ["div.share", ".entry-meta", "p.more"]
"""
BODY_RULE = '[fields.body]\ncss = "div.entry-content"\n'


@pytest.mark.parametrize("rule", ["", BODY_RULE], ids=["generic", "named"])
def test_removed_parts_are_missing_in_the_text_alone(rule: str) -> None:
    page = make_wordpress_page(3)
    html = page.html.replace("application/ld+json", "text/plain").replace("<time>21 January", "<time>21 January 2026")
    html = html.replace("</p><p>", "</p><div class='share'><p>Share this story with all your friends.</p></div><p>", 1)
    html = html.replace("</p></div>", "<p class='more'>More on this story by our correspondents.</p></div>", 1)
    site = make_spider_class("herald", parse_definition(DEFINITION + rule, "herald.toml")).make_site(Config())
    article = DefinedArticle(Snapshot(url=page.url, body=html.encode(), kind_hint="html"), site).read_article()
    assert article.body == "\n".join(page.paragraphs)
    assert (article.title, article.author) == (page.title, "Ann Miller")
    assert article.published_at == datetime(2026, 1, 20, 19, tzinfo=UTC)
