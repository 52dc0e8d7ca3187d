"""A page of a known source that has a new shape: the generic reader reads it where it is sure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.http_server import SiteReply, SiteRequest
from support.ktkz_site import KtkzSite
from support.sandbox import Sandbox

from crawler.config import Config
from crawler.errors import PageChanged
from crawler.generic import extractors
from crawler.generic.safety_net import cut_after_first_article, read_changed_page
from crawler.items import Extraction, Verdict
from crawler.pages.base import read_snapshot
from crawler.pages.snapshot import Snapshot
from crawler.spiders.ktkz import KtSpider

pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")

URL = "https://www.kt.kz/rus/state/otkryt_punkt_1377990777.html"
TITLE = "В предгорьях открыли три пункта обогрева"
TEXTS = (
    "В предгорных районах открылись три пункта обогрева, сообщили в областном управлении по чрезвычайным ситуациям.",
    "По словам начальника управления, в каждом пункте есть запас топлива на две недели, горячая еда и связь. "
    "Дежурят спасатели и медики, которые сменяются каждые двенадцать часов.",
    "За прошлую зиму такими пунктами воспользовались больше шестисот человек, в основном водители на перевале.",
)
NOTICE = (
    "При использовании материалов издания ссылка на источник обязательна. Полная перепечатка статей разрешена только "
    "с письменного согласия редакции, а частичная не должна быть больше тридцати процентов исходного текста статьи."
)
OTHER = "В городе прошла выставка, на которой показали сорок картин, и её за неделю увидели две тысячи человек. " * 3


def make_html(title: str = TITLE, date: str = "14 октября 2026, 09:45", texts: tuple[str, ...] = TEXTS) -> str:
    text = "".join(f"<p>{each}</p>" for each in texts)
    return (
        f"<!DOCTYPE html><html lang='ru'><head><title>{title}</title></head><body><main><section class='story'>"
        f"<h1>{title}</h1><div class='when'>{date}</div><div class='story-text'>{text}</div></section>"
        f"<section class='story'><h1>Выставка открыта</h1><div class='when'>13 октября 2026, 08:00</div>"
        f"<div class='story-text'><p>{OTHER}</p></div></section></main></body></html>"
    )


def read(html: str) -> tuple[PageChanged, Snapshot]:
    snapshot = Snapshot(
        url=URL,
        body=html.encode(),
        headers={"content-type": "text/html; charset=utf-8"},
        fetched_at=datetime(2026, 10, 15, tzinfo=UTC),
    )
    with pytest.raises(PageChanged) as failure:
        read_snapshot(snapshot, KtSpider.make_site(Config()))
    return failure.value, snapshot


def test_the_first_article_of_a_changed_page_is_read() -> None:
    error, snapshot = read(make_html())
    article = read_changed_page(snapshot, KtSpider.make_site(Config()), error).articles[0]
    assert (article.id, article.title, article.extraction) == ("ktkz:1377990777:ru", TITLE, Extraction.GENERIC)
    assert article.body.splitlines() == list(TEXTS)
    assert article.published_at is not None
    assert article.published_at.isoformat() == "2026-10-14T09:45:00+05:00"


@pytest.mark.parametrize(
    ("html", "doubt"),
    [
        (make_html(date="скоро").replace("13 октября 2026", ""), "it finds no published_at"),
        (make_html(texts=("Коротко о главном за сегодняшний день.",)), "the text is short"),
        (make_html(texts=(TITLE, "Фото: пресс-служба области", "14 октября 2026, 09:45", NOTICE)), "the text is short"),
    ],
    ids=["date", "teaser", "notice of rights instead of a text"],
)
def test_a_doubtful_page_stays_changed_and_says_why(html: str, doubt: str) -> None:
    error, snapshot = read(html)
    with pytest.raises(PageChanged, match=doubt):
        read_changed_page(snapshot, KtSpider.make_site(Config()), error)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    error, snapshot = read(make_html())
    monkeypatch.setattr(extractors, "REQUIRED_PACKAGES", ("no_such_package",))
    with pytest.raises(PageChanged, match=r'pip install ".\[sites\]"'):
        read_changed_page(snapshot, KtSpider.make_site(Config()), error)


def test_a_page_with_one_heading_is_not_cut() -> None:
    html = "<html><body><h1>A</h1><p>text</p><h1>A</h1></body></html>"
    assert cut_after_first_article(html) == html


class RedesignedKtkz(KtkzSite):
    """kt.kz with new class names while `is_new` is true."""

    is_new = True

    def answer(self, request: SiteRequest) -> SiteReply:
        reply = super().answer(request)
        if self.is_new and request.path.endswith(".html"):
            return replace(reply, body=re.sub(r'class="page-(heading|meta|content)', r'class="new-\1', str(reply.body)))
        return reply


@pytest.fixture(scope="module")
def site() -> Iterator[RedesignedKtkz]:
    with RedesignedKtkz(6) as site:
        yield site


@pytest.mark.slow
def test_a_redesign_degrades_the_run_and_the_mended_page_class_makes_no_revision(
    site: RedesignedKtkz, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sandbox = Sandbox(tmp_path_factory.mktemp("user"), {"ktkz": site})
    run = sandbox.run_crawler("crawl", "ktkz", "--json")
    assert run.code == 14, run.err
    stored = sandbox.get_articles("ktkz")
    assert stored
    assert {each.extraction for each in stored.values()} == {Extraction.GENERIC}
    assert "read by the generic reader" in run.get_run("ktkz")["reason"]
    assert "'title' was looked for" in run.get_run("ktkz")["reason"]
    lines = sandbox.run_crawler("articles", "--json").lines
    assert {line["extraction"] for line in lines} == {"generic"}

    site.is_new = False
    for article in stored.values():
        assert sandbox.run_crawler("crawl", "ktkz", "--url", article.url).code == 0
    after = sandbox.get_articles("ktkz")
    assert set(after) == set(stored)
    for key, article in after.items():
        verdicts = [version.verdict for version in sandbox.list_versions(key)]
        assert Verdict.REVISED not in verdicts
        assert (verdicts[0], article.edit_verdict) == (Verdict.NEW, Verdict.NEW)
        if article.verdict is Verdict.REPROCESSED:
            assert article.extraction is None
