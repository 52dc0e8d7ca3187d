"""A page that raises costs only itself: its problem names it, and a failing list is replaced by its fallback."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, XmlResponse
from scrapy.utils.test import get_crawler

from crawler.context.request_meta import META_KEY, RequestMeta
from crawler.context.run_context import RunContext
from crawler.pages.feed import Feed
from crawler.spiders import load_spider
from crawler.spiders.base import SourceSpider

LIST = "https://en.qazmonitor.com/rss"
FALLBACK = "https://qazmonitor.com/news"
ONE = "https://qazmonitor.com/news/1406/x"


def make_spider() -> SourceSpider:
    spider = load_spider("qazmonitor")(context=RunContext(source="qazmonitor"))
    spider._set_crawler(get_crawler())
    return spider


def read_response(spider: SourceSpider, response_class: Any, url: str, body: str, meta: RequestMeta) -> list[Any]:
    request = Request(url, meta={META_KEY: meta})
    return list(spider.parse(response_class(url, body=body.encode(), request=request)))


@pytest.mark.parametrize("fault", [ValueError("port"), RecursionError("deep"), TypeError("none"), OverflowError("big")])
def test_list_that_raises_is_replaced_by_its_fallback(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Feed) -> list[str]:
        raise fault

    monkeypatch.setattr(Feed, "list_addresses", fail)
    spider = make_spider()
    meta = RequestMeta(is_listing=True, fallback_urls=(FALLBACK,))
    (request,) = read_response(spider, XmlResponse, LIST, "<rss/>", meta)
    assert (request.url, spider.context.problems) == (FALLBACK, [])


def test_article_that_raises_is_a_problem_of_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any) -> None:
        raise RecursionError("deep")

    spider = make_spider()
    monkeypatch.setattr(spider.page_classes[1], "extract_fields", fail)
    assert read_response(spider, HtmlResponse, ONE, "<p>x</p>", RequestMeta(is_article=True)) == []
    (problem,) = spider.context.problems
    assert (problem.kind, problem.exit_code, problem.url) == ("PageChanged", 12, ONE)
    assert "RecursionError: deep" in problem.message


def test_malformed_links_of_a_section_cost_only_themselves() -> None:
    body = f"<a href='http://[link]/'>typo</a><a href='{ONE}'>ok</a>"
    spider = make_spider()
    found = read_response(spider, HtmlResponse, FALLBACK, body, RequestMeta(is_listing=True))
    assert [request.url for request in found] == [ONE]
    assert spider.context.problems == []
