"""Readers' comments are removed from a page by their structure; articles in elements of the same names stay."""

from __future__ import annotations

import pytest

from crawler.generic.page import GenericPage

TEXT = "The bridge over the lower river was opened on Monday after eleven months of repair work."
COMMENT = "They promise this every single year, and then the budget ends in October, as everybody here knows."
HEAD = "<title>Bridge opened after repair - Herald</title>"


@pytest.mark.parametrize(
    "comments",
    [
        "<table class='forum-post-table'>"
        f"<tr><td><b>Ann</b> <span>28.11.2026 14:00:00</span><div class='reviews-text'>{COMMENT}</div></td></tr>"
        f"<tr><td><b>Guest_71</b> <span>28.11.2026 18:00:00</span><div class='reviews-text'>{COMMENT}</div></td></tr>"
        "</table>",
        f"<ol class='comment-list'><li><p>Ann</p><time>May 3, 2026 at 4:15 pm</time><p>{COMMENT}</p></li></ol>",
        f"<div id='disqus_thread'><p>Ann, 2 hours ago</p><p>{COMMENT}</p></div>",
        f"<div class='b-otzyvy'><p>Ирина 3 мая 2026</p><p>{COMMENT}</p></div>",
    ],
)
def test_comments_are_removed(comments: str) -> None:
    page = GenericPage(f"{HEAD}<h1>Bridge opened after repair</h1><div>{TEXT}</div>{comments}<p>Footer</p>")
    assert [line.text for line in page.lines] == ["Bridge opened after repair", TEXT, "Footer"]
    assert COMMENT not in page.html


@pytest.mark.parametrize(
    "html",
    [
        f"<p>{TEXT}</p><div class='review'><h2>Bridge opened after repair</h2><p>Ann 3.5.2026</p>"
        f"<p>Tom 3.5.2026</p><p>{TEXT}</p></div>",
        f"<p>{TEXT}</p><div class='review-body'><p>Ann 3.5.2026</p><p>{TEXT}</p></div>",
        f"<p>{TEXT}</p><div class='post comments-open'><p>Ann 3.5.2026</p><p>{TEXT}</p></div>",
        f"<div class='comment'><p>Ann 3.5.2026</p><p>{TEXT}</p></div>",
        f"<p>{TEXT}</p><div class='comment'><p>{TEXT}</p></div>",
        f"<p>{TEXT}</p><div class='comments'><p>Ann 3.5.2026</p>{f'<p>{TEXT}</p>' * 5}</div>",
        f"<p>{TEXT}</p><div class='preview'><p>Ann 3.5.2026</p><p>Tom 3.5.2026</p><p>{TEXT}</p></div>",
    ],
)
def test_article_in_an_element_of_such_a_name_stays(html: str) -> None:
    document = f"<html><head>{HEAD}</head><body>{html}</body></html>"
    assert GenericPage(document).html is document


def test_article_in_an_element_with_the_name_of_comments_loses_the_name() -> None:
    links = "<ul><li>16:00 Ferry</li><li>15:00 Market</li></ul>"
    article = f"<p>3.5.2026 | 17:17</p><p>{TEXT}</p><p>{TEXT}</p>{links}"
    page = GenericPage(f"{HEAD}<p>{TEXT}</p><div id='comments_page_wrapper' class='comments'>{article}</div>")
    assert [line.text for line in page.lines].count(TEXT) == 3
    assert "comments" not in page.html


@pytest.mark.parametrize(
    "block",
    [
        f"<div class='{'a' * 200_000}'><p>{TEXT}</p></div>",
        f"<div class='{'-' * 200_000}'><p>{TEXT}</p></div>",
        f"<div class='comment'><p>{TEXT}</p><p>{'1' * 200_000}</p></div>",
        f"{'<div class=comment>' * 400}{f'<p>{TEXT}</p>' * 10_000}{'</div>' * 400}",
    ],
    ids=["letters", "hyphens", "digits", "nested"],
)
def test_names_texts_and_nesting_of_any_size_are_read(block: str) -> None:
    page = GenericPage(f"{HEAD}<h1>Bridge opened after repair</h1><p>{TEXT}</p>{block}")
    assert [line.text for line in page.lines][:3] == ["Bridge opened after repair", TEXT, TEXT]
