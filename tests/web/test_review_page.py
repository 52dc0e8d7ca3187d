"""The press review that a person composes on a page, and the files of it."""

from __future__ import annotations

import re
import zipfile
from datetime import timedelta
from html import unescape
from io import BytesIO

import httpx
import pytest
from support.newsroom_articles import NOW, TEXT, SaveArticle

from crawler.items import Verdict
from crawler.web.pages import review
from crawler.web.review_drafts import (
    DRAFT_LIFETIME,
    MAX_DRAFT_STORIES,
    MAX_DRAFTS,
    Composition,
    ReviewDraft,
    ReviewDrafts,
    ReviewPeriod,
)

FORM_FIELD = re.compile(r'<input type="hidden" name="([\w-]+)" value="([^"]*)">')


@pytest.fixture(autouse=True)
def stories(save: SaveArticle) -> None:
    """Two stories of one rule, and one of another."""
    save("1", title="Первый", published_at=NOW - timedelta(hours=3))
    save("2", TEXT.replace("Астану", "Женеву"), title="Второй", source="ktkz", published_at=NOW - timedelta(hours=2))
    save("3", "The Red Cross helps.", term="Red Cross", language="en", rule="ihl", title="Third")


def read_form(html: str) -> dict[str, list[str]]:
    form = html.split('<form method="post" action="/review#preview"')[1].split("</form>")[0]
    fields: dict[str, list[str]] = {}
    for name, value in FORM_FIELD.findall(form):
        fields.setdefault(name, []).append(unescape(value))
    fields["in"] = [*fields.get("in", []), *re.findall(r'name="in" value="([^"]*)" checked', form)]
    for name, value in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>([^<]*)<', form):
        fields[name] = [unescape(value)]
    return fields


def list_sheet(html: str) -> list[str]:
    return re.findall(r"<h4[^>]*><bdi>\d+\. </bdi><a [^>]*><bdi[^>]*>(.*?)</bdi>", html)


def post(client: httpx.Client, fields: dict[str, list[str]], do: str, **more: str) -> httpx.Response:
    """Return what a browser shows after a button: the page, after its redirect, or a file."""
    return client.post("/review", data={**fields, "do": do, **more}, follow_redirects=True)


def test_all_stories_of_the_last_day_are_chosen(client: httpx.Client) -> None:
    html = client.get("/review").text
    assert set(list_sheet(html)) == {"Первый", "Второй", "Third"}
    assert "3 of 3 stories" in html


def test_story_is_left_out_moved_and_has_an_own_line(client: httpx.Client) -> None:
    fields = read_form(client.get("/review").text)
    place = fields["order"].index("ktkz:2:ru")
    changed = {**fields, "in": [name for name in fields["in"] if name != "mfa:3:en"]}
    html = post(client, changed, "update", **{f"line-{place}": "Сверить <b>город</b>"}).text
    assert set(list_sheet(html)) == {"Первый", "Второй"}
    line = "<b><bdi>Comment of the newsroom: </bdi></b><bdi>Сверить &lt;b&gt;город&lt;/b&gt;</bdi>"
    assert f'<p class="k-comment">{line}</p>' in html
    first, second = list_sheet(html)
    moved = post(client, changed, f"up:{ {'Первый': 'mfa:1:ru', 'Второй': 'ktkz:2:ru'}[second] }").text
    assert list_sheet(moved) == [second, first]
    again = post(client, read_form(moved), "update").text
    assert list_sheet(again) == [second, first]
    at_end = post(client, read_form(moved), f"down:{ {'Первый': 'mfa:1:ru', 'Второй': 'ktkz:2:ru'}[first] }").text
    assert list_sheet(at_end) == [second, first]


def test_files_have_what_the_preview_has(client: httpx.Client) -> None:
    fields = read_form(client.get("/review?language=ru").text)
    place = fields["order"].index("mfa:1:ru")
    fields["in"] = ["mfa:1:ru"]
    line = {f"line-{place}": "Моя строка"}
    page = post(client, fields, "html", **line)
    assert "sandbox" in page.headers["content-security-policy"]
    assert page.headers["content-disposition"].startswith('attachment; filename="press-review-')
    assert "Моя строка" in page.text
    assert "Второй" not in page.text
    pytest.importorskip("docxtpl")  # of the extra `review`
    word = post(client, fields, "docx", **line)
    assert "Моя строка" in zipfile.ZipFile(BytesIO(word.content)).read("word/document.xml").decode()
    assert post(client, fields, "pdf", **line).content.startswith(b"%PDF")


def test_preview_has_every_line_of_the_file(client: httpx.Client) -> None:
    pytest.importorskip("docxtpl")  # of the extra `review`
    html = client.get("/review").text
    file = zipfile.ZipFile(BytesIO(post(client, read_form(html), "docx").content))
    document = re.sub(r"<[^>]+>", "", file.read("word/document.xml").decode())
    paragraphs = re.findall(r"<(?:p|h3|h4) class=\"k-[^>]*>(.*?)</(?:p|h3|h4)>", html)
    shown = [unescape(re.sub(r"<[^>]+>", "", each)) for each in paragraphs]
    assert len(shown) > 15
    position = 0
    for text in shown[:-1]:  # the last one has the time at which it was made
        position = unescape(document).index(text, position)


def test_story_moves_to_the_top_and_the_page_stays_there(client: httpx.Client) -> None:
    html = client.get("/review").text
    first, second = list_sheet(html)[:2]
    name = {"Первый": "mfa:1:ru", "Второй": "ktkz:2:ru"}[second]
    assert f'value="top:{name}" formaction="/review#p-{name}"' in html
    assert f'id="p-{name}"' in html
    assert list_sheet(post(client, read_form(html), f"top:{name}").text)[:2] == [second, first]


def test_new_period_keeps_what_was_done(client: httpx.Client) -> None:
    fields = read_form(client.get("/review").text)
    fields["in"].remove("ktkz:2:ru")
    line = {f"line-{fields['order'].index('mfa:1:ru')}": "Моя\nстрока"}
    period = {"wanted_language": "ru", "wanted_until": ""}
    wrong = post(client, fields, "collect", **line, **period, wanted_since="2020-01-01T00:00").text
    assert "Choose at most 31 days." in wrong
    assert 'name="wanted_since" type="datetime-local" value="2020-01-01T00:00"' in wrong
    assert (list_sheet(wrong), "Back to your draft" in wrong) == ([], True)
    assert set(list_sheet(client.get("/review").text)) == {"Первый", "Third"}
    without = post(
        client, read_form(wrong), "collect", wanted_since="2020-01-01T00:00", wanted_until="2020-01-02T00:00"
    )
    assert "No story in this period" in without.text
    again = post(client, read_form(without.text), "collect", **period, wanted_since="").text
    assert "Обзор прессы" in again
    assert set(list_sheet(again)) == {"Первый", "Third"}
    assert "Моя строка" in again


def test_draft_is_there_after_another_page_in_another_language_and_after_back(client: httpx.Client) -> None:
    first = client.get("/review?language=ru").text
    assert "Start over" not in first
    fields = read_form(first)
    fields["in"] = ["mfa:1:ru"]
    saved = post(client, fields, "update", **{f"line-{fields['order'].index('mfa:1:ru')}": "Моя строка"})
    assert [each.status_code for each in saved.history] == [303]
    client.get("/search")
    for address in ("/review", "/review?language=ru", str(saved.url), f"{saved.url}&lang=kk"):
        page = client.get(address).text
        assert (list_sheet(page), "Моя строка" in page) == (["Первый"], True), address
    assert "Your draft is kept until" in client.get("/review?lang=en").text
    empty = post(client, read_form(saved.text), "forget").text
    assert (len(list_sheet(empty)), "Моя строка" in empty, "Start over" in empty) == (3, False, False)


def test_download_saves_the_draft(client: httpx.Client) -> None:
    fields = read_form(client.get("/review").text)
    fields["in"] = ["mfa:1:ru"]
    post(client, fields, "html")
    assert list_sheet(client.get("/review").text) == ["Первый"]


def test_form_of_another_tab_changes_only_what_was_changed_in_it(client: httpx.Client) -> None:
    first, second = (read_form(client.get("/review").text) for _ in range(2))
    line = f"line-{first['order'].index('mfa:1:ru')}"
    first["in"].remove("ktkz:2:ru")
    post(client, first, "update", **{line: "Моя строка"})
    second["in"].remove("mfa:3:en")
    page = post(client, second, "update").text
    assert (list_sheet(page), "Моя строка" in page) == (["Первый"], True)


def test_form_of_another_tab_keeps_the_order(client: httpx.Client) -> None:
    html = client.get("/review").text
    first, second = list_sheet(html)[:2]
    name = {"Первый": "mfa:1:ru", "Второй": "ktkz:2:ru"}[second]
    post(client, read_form(html), f"top:{name}")
    assert list_sheet(post(client, {**read_form(html), "form": ["of-another-tab"]}, "update").text)[:2] == [
        second,
        first,
    ]


def test_form_that_stays_open_after_a_download_can_undo_what_it_did(client: httpx.Client) -> None:
    fields = read_form(client.get("/review").text)
    all_names = fields["in"]
    post(client, {**fields, "in": ["mfa:1:ru"]}, "html")
    assert len(list_sheet(post(client, {**fields, "in": all_names}, "update").text)) == 3


def test_form_restores_a_draft_that_is_forgotten(client: httpx.Client) -> None:
    """As after a restart of the program."""
    fields = read_form(client.get("/review").text)
    fields["in"] = ["mfa:1:ru"]
    page = post(client, fields, "update").text
    post(client, fields, "forget")
    assert list_sheet(post(client, read_form(page), "update").text) == ["Первый"]


def test_drafts_are_of_their_users_for_some_hours() -> None:
    drafts, period = ReviewDrafts(), ReviewPeriod(begin=NOW - timedelta(days=1), end=NOW, language="en")
    draft = ReviewDraft(period=period, composition=Composition(order=("1",), ticks={"1": False}), changed_at=NOW)
    drafts.save("asel", draft)
    assert drafts.get("asel", NOW + DRAFT_LIFETIME - timedelta(seconds=1)) is draft
    assert drafts.get("asel", NOW + DRAFT_LIFETIME) is None
    assert drafts.get("daniyar", NOW) is None
    for number in range(MAX_DRAFTS):
        drafts.save(str(number), draft)
    assert drafts.get("asel", NOW) is None
    assert drafts.get("0", NOW) is draft
    drafts.delete("0")
    assert drafts.get("0", NOW) is None


def test_draft_of_many_periods_has_a_limit() -> None:
    def make_composition(first: int) -> Composition:
        names = tuple(map(str, range(first, first + MAX_DRAFT_STORIES - 1)))
        return Composition(order=names, ticks=dict.fromkeys(names, False), lines=dict.fromkeys(names, "x"))

    both = make_composition(0).update(make_composition(1000))
    assert both.order == (*make_composition(1000).order, "0")
    assert both.ticks.keys() == both.lines.keys() == set(both.order)


def test_old_story_is_marked_and_not_ticked(client: httpx.Client, save: SaveArticle) -> None:
    assert "Published long before this period" not in client.get("/review").text
    save("4", TEXT.replace("Астану", "Вену"), title="Четвёртый", published_at=NOW - timedelta(days=300))
    html = client.get("/review").text
    assert html.count("Published long before this period") == html.count("Older, found now") == 1
    assert ("3 of 4 stories" in html, "Четвёртый" in list_sheet(html)) == (True, False)
    fields = read_form(html)
    fields["in"].append("mfa:4:ru")
    assert "Четвёртый" in list_sheet(post(client, fields, "update").text)


def test_article_that_was_put_back_can_be_ticked(client: httpx.Client, save: SaveArticle) -> None:
    save("5", TEXT.replace("Астану", "Рим"), title="Пятый", seen_at=NOW - timedelta(days=3))
    save("5", TEXT.replace("Астану", "Баку"), title="Пятый", version=2, verdict=Verdict.REVISED)
    save("5", TEXT.replace("Астану", "Рим"), title="Пятый", version=3, verdict=Verdict.REVISED)
    html = client.get("/review").text
    assert ("Changed, then put back" in html, "3 of 4 stories" in html) == (True, True)
    assert "not a story here: Пятый" in html
    fields = read_form(html)
    fields["in"].append("mfa:5:ru")
    html = post(client, fields, "update").text
    assert ("Пятый" in list_sheet(html), "not a story here" in html) == (True, False)
    assert "The former text is there again." in html


def test_missing_package_is_said_in_plain_words(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "find_spec", lambda name: None)
    html = client.get("/review").text
    assert re.search(r'value="docx" formaction="/review" disabled', html)
    assert "Word and PDF need an optional package." in html
    assert 'value="html" formaction="/review">' in html


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=2026-01-02T00:00&until=2026-01-01T00:00", "The end must be after the beginning."),
        ("until=2990-01-01T00:00", "The end is in the future."),
        ("since=2025-01-01T00:00&until=2025-06-01T00:00", "Choose at most 31 days."),
        ("since=2020-01-01T00:00&until=2020-01-02T00:00", "No story in this period"),
        ("", "At most 31 days."),
    ],
)
def test_period_that_cannot_be(client: httpx.Client, query: str, words: str) -> None:
    assert words in client.get(f"/review?{query}").text


def test_form_that_no_page_has(client: httpx.Client) -> None:
    fields = read_form(client.get("/review").text)
    assert client.get("/review?since=yesterday").status_code == 400
    assert client.get("/review?language=xx").status_code == 400
    assert post(client, fields, "print").status_code == 400
    assert post(client, fields, "up:nothing").status_code == 200
    assert post(client, {**fields, "token": [""]}, "update").status_code == 403
    assert post(client, {**fields, "order": ["x"], "in": ["x"]}, "update").status_code == 200


def test_lines_of_many_stories_fit_into_the_form(client: httpx.Client) -> None:
    fields = read_form(client.get("/review").text)
    lines = {f"line-{number}": "Ң" * 200 for number in range(review.MAX_LISTED_STORIES)}
    assert post(client, fields, "update", **lines).status_code == 200
    too_large = post(client, fields, "update", **{name: line * 5 for name, line in lines.items()})
    assert (too_large.status_code, "what you wrote is still there" in too_large.text) == (413, True)
