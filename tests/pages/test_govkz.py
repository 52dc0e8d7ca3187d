"""Answers of gov.kz's data interface: null values, forms of a body, times."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from crawler import spiders
from crawler.config import Config, SourceConfig
from crawler.errors import Blocked, PageChanged, Unreachable
from crawler.items import Article, ArticleFlag, Image
from crawler.pages.base import read_snapshot
from crawler.pages.govkz import NewsAnswer
from crawler.pages.site import Reading
from crawler.pages.snapshot import Snapshot
from crawler.store.serialization import parse_article, serialize_article

SPIDER = spiders.load_spider("mfa")
SITE = SPIDER.make_site(Config())
UTC_SITE = SPIDER.make_site(Config(sources={"mfa": SourceConfig(created_date="utc")}))
GRAPHQL = "https://www.gov.kz/graphql"
DETAILS = "https://www.gov.kz/memleket/entities/mfa/press/news/details/7"
RECORD = {
    **{
        "id": "7",
        "title": "Мост открыт",
        "slug": "news-7",
        "created_date": "2026-06-09T11:48:00Z",
        "short_description": None,
    },
    **{"body": "<p>Мост через реку открыт.</p>", "heropic": None, "alt_image": None, "hint": None, "directions": None},
}


def read_answer(*records: Any, site: Any = SITE, headers: dict[str, str] | None = None) -> Reading:
    body = json.dumps({"data": {"news": list(records)}}).encode()
    return read_snapshot(Snapshot(url=GRAPHQL, body=body, headers=headers or {}, kind_hint="json"), site)


def read_article(**changes: Any) -> Article:
    (found,) = read_answer({**RECORD, **changes}).articles
    return found


def read_body(body: str, url: str = GRAPHQL, kind: str = "json") -> Reading:
    return read_snapshot(Snapshot(url=url, body=body.encode(), kind_hint=kind), SITE)


def test_record() -> None:
    found = read_article()
    assert (found.id, found.url, found.title, found.body) == (
        *("mfa:7:ru", f"{DETAILS}?lang=ru", "Мост открыт", "Мост через реку открыт."),
    )
    assert (found.lead, found.images, found.published_raw) == (None, (), "2026-06-09T11:48:00Z")
    assert found.provenance["published_at"] == "NewsAnswer:created_date read as local"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>Один.</p><p>Два.</p>", "Один.\nДва."),
        ("<!DOCTYPE html>\n<html>\n<head><title>нет</title></head>\n<body>\n<p>Один.</p>\n</body>\n</html>", "Один."),
        ("Один без разметки.", "Один без разметки."),
        ("<p>Один<br>Два<br /><br>Три</p>", "Один\nДва\nТри"),
        ("<div>Один.</div><div><span>Два</span>.</div>", "Один.\nДва."),
        (
            "<p>Меж&shy;дуна&shy;родный&nbsp;&nbsp; комитет &laquo;Мир&raquo; &ndash; это</p>",
            "Международный комитет «Мир» – это",
        ),
        ("<p>&amp;laquo;Мир&amp;raquo; и&amp;nbsp;труд &amp;amp; май</p>", "«Мир» и труд & май"),
        ("<p>Один.</p><p>&nbsp;</p><p></p><p><br></p><p>Два.</p>", "Один.\nДва."),
        ("<ul><li>раз;</li><li>два.</li></ul>", "раз;\nдва."),
        (
            "<table><tr><td>Город</td><td>День</td></tr><tr><td>Семей</td><td>9 июня</td></tr></table>",
            "Город День\nСемей 9 июня",
        ),
        ("<p>Один.</p><script>no()</script><style>p{}</style><p>Два.</p>", "Один.\nДва."),
        ("<h2>Программа</h2><p><strong>Раз</strong> <em>два</em></p>", "Программа\nРаз два"),
        ("<p>Меньше &lt; больше, R&D</p>", "Меньше < больше, R&D"),
    ],
)
def test_body_is_plain_paragraphs(body: str, text: str) -> None:
    assert read_article(body=body).body == text


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("Мост  открыт ", "Мост открыт"),
        ("Мост для&nbsp;всех", "Мост для всех"),
        ("&laquo;Мост&raquo;", "«Мост»"),
        ("&amp;laquo;Мост&amp;raquo;", "«Мост»"),
        ("Откры&shy;тие моста", "Открытие моста"),
    ],
)
def test_title_is_plain(title: str, clean: str) -> None:
    assert read_article(title=title).title == clean


@pytest.mark.parametrize(
    ("description", "lead"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("<p> </p>", None),
        ("Коротко&nbsp;о&nbsp;мосте", "Коротко о мосте"),
        ("<p>Раз.</p><p>Два.</p>", "Раз. Два."),
    ],
)
def test_short_description_is_the_lead(description: str | None, lead: str | None) -> None:
    assert read_article(short_description=description).lead == lead


def test_pictures_are_absolute_and_named_in_order() -> None:
    found = read_article(
        heropic="/uploads/2026/6/9/a.png",
        alt_image=" Мост&nbsp;",
        body='<p><img src="/uploads/b.jpg" alt="Река"></p><p>Мост открыт.</p><p><img src="https://cdn.example/c.jpg"></p>',
    )
    assert found.images[1:] == (
        Image(url="https://www.gov.kz/uploads/b.jpg", caption="Река"),
        Image(url="https://cdn.example/c.jpg", caption=None),
    )
    assert found.images[0].url == "https://www.gov.kz/uploads/2026/6/9/a.png"
    assert found.body == "Мост открыт."


@pytest.mark.parametrize("caption", ["&laquo;Мост&raquo;", "&amp;laquo;Мост&amp;raquo;"])
def test_caption_of_the_lead_picture_is_plain(caption: str) -> None:
    assert read_article(heropic="/a.png", alt_image=caption).images[0].caption == "«Мост»"


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "  \n",
        "<p>&nbsp;</p>",
        "<!DOCTYPE html><html><head></head><body></body></html>",
        '<p><img src="/a.jpg"></p>',
    ],
)
def test_record_without_text_is_skipped(body: str | None) -> None:
    found = read_answer({**RECORD, "body": body}, {**RECORD, "id": "8"})
    assert [article.id for article in found.articles] == ["mfa:8:ru"]
    assert found.skipped == (f"{DETAILS} has no text yet",)
    assert (found.problems, found.entry_count, found.native_ids) == ((), 2, ("7", "8"))


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({key: value for key, value in RECORD.items() if key != "title"}, "title"),
        ({key: value for key, value in RECORD.items() if key != "body"}, "body"),
        ({key: value for key, value in RECORD.items() if key != "created_date"}, "created_date"),
        ({**RECORD, "title": None}, "title"),
        ({**RECORD, "title": " "}, "title"),
        ({**RECORD, "created_date": None}, "published_at"),
        ({**RECORD, "created_date": "вчера"}, "published_at"),
        ({**RECORD, "created_date": 1781000000}, "published_at"),
        ({**RECORD, "id": None}, "id"),
        ({**RECORD, "body": 7}, "body"),
        ({**RECORD, "title": {"ru": "Мост"}}, "title"),
        ({**RECORD, "heropic": 7}, "heropic"),
        *(({**RECORD, "id": value}, "id") for value in (True, 0.5, -7, "7x", "1" * 13, "1\r\nX: y", "../7", "٧", [7])),
        ("no record", "id"),
        (None, "id"),
    ],
)
def test_broken_record_is_a_problem_and_others_are_read(record: Any, field: str) -> None:
    found = read_answer(record, {**RECORD, "id": "8"})
    assert [article.id for article in found.articles] == ["mfa:8:ru"]
    (problem,) = found.problems
    assert isinstance(problem, PageChanged)
    assert problem.field == field


def test_created_date_of_another_form_is_read_too() -> None:
    found = read_answer(
        {**RECORD, "created_date": "09.06.2026 11:48"}, headers={"date": "Tue, 09 Jun 2026 07:00:00 -0000"}
    )
    assert [a.published_at and a.published_at.isoformat() for a in found.articles] == ["2026-06-09T11:48:00+05:00"]


@pytest.mark.parametrize("id", ["7", 7])
def test_id_of_any_type_is_text(id: object) -> None:
    assert read_article(id=id).id == "mfa:7:ru"


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("<p>The bridge of the town is open to all.</p>", "en"),
        ("<p>Қала көпірі барлық тұрғындарға ашылды, қонақтар келді.</p>", "kk"),
        ("<p>Мост через реку открыт.</p>", "ru"),
    ],
)
def test_language_and_url_follow_the_text(body: str, language: str) -> None:
    found = read_article(title="—", body=body)
    assert (found.id, found.language, found.url) == (f"mfa:7:{language}", language, f"{DETAILS}?lang={language}")


@pytest.mark.parametrize(
    ("created", "local", "utc"),
    [
        ("2026-06-09T11:48:00Z", "2026-06-09T11:48:00+05:00", "2026-06-09T16:48:00+05:00"),
        ("2026-02-17T10:00:00.000+00:00", "2026-02-17T10:00:00+05:00", "2026-02-17T15:00:00+05:00"),
        ("2024-02-29T22:00:00Z", "2024-02-29T22:00:00+06:00", "2024-03-01T03:00:00+05:00"),
        ("2024-02-29T17:30:00Z", "2024-02-29T17:30:00+06:00", "2024-02-29T23:30:00+06:00"),
        ("2026-06-09T11:48:00", "2026-06-09T11:48:00+05:00", "2026-06-09T11:48:00+05:00"),
        ("2026-06-09T23:30:00Z", "2026-06-09T23:30:00+05:00", "2026-06-10T04:30:00+05:00"),
    ],
)
def test_created_date_is_read_as_set(created: str, local: str, utc: str) -> None:
    for site, expected in ((SITE, local), (UTC_SITE, utc)):
        (found,) = read_answer({**RECORD, "created_date": created}, site=site).articles
        assert found.published_at is not None
        assert (found.published_at.isoformat(), found.published_raw) == (expected, created)


def test_item_later_than_the_answer_proves_wall_time() -> None:
    headers = {"date": "Tue, 09 Jun 2026 07:00:00 GMT"}
    (finding,) = read_answer(RECORD, headers=headers).findings
    assert "created_date is Astana wall time (as set): mfa:7:ru says 2026-06-09T11:48:00Z" in finding.message
    assert finding.level == logging.INFO
    (contrary,) = read_answer(RECORD, headers=headers, site=UTC_SITE).findings
    assert "but the setting created_date says 'utc'" in contrary.message
    assert contrary.level == logging.WARNING


@pytest.mark.parametrize(
    "headers",
    [{}, {"date": "yesterday"}, {"date": "Tue, 09 Jun 2026 11:48:00 GMT"}, {"date": "Wed, 10 Jun 2026 07:00:00 GMT"}],
)
def test_item_before_the_answer_proves_nothing(headers: dict[str, str]) -> None:
    assert read_answer(RECORD, headers=headers).findings == ()


def test_date_without_a_zone_is_not_checked() -> None:
    headers = {"date": "Tue, 09 Jun 2026 07:00:00 GMT"}
    assert read_answer({**RECORD, "created_date": "2026-06-09T11:48:00"}, headers=headers).findings == ()


def test_empty_list_is_the_end() -> None:
    found = read_answer()
    assert (found.articles, found.entry_count, found.problems) == ((), 0, ())


def test_rest_answer_is_a_bare_list() -> None:
    assert [article.id for article in read_body(json.dumps([RECORD])).articles] == ["mfa:7:ru"]
    assert read_body("[]").entry_count == 0


@pytest.mark.parametrize("body", ["", "<html>504</html>", "{", "upstream error", '{"data": '])
def test_other_text_than_json_is_unreachable(body: str) -> None:
    with pytest.raises(Unreachable, match="not JSON"):
        read_body(body, kind="text")


def test_shell_behind_the_interface_is_blocked() -> None:
    with pytest.raises(Blocked, match="JavaScript shell"):
        read_body("<p>You need to enable JavaScript to run this app.</p>", kind="html")


@pytest.mark.parametrize(
    "message", ['Cannot query field "body" on type "News"', 'Unknown argument "_lang"', "Syntax Error: x"]
)
def test_moved_schema_is_changed(message: str) -> None:
    with pytest.raises(PageChanged, match="GraphQL query News"):
        read_body(json.dumps({"errors": [{"message": message}]}))


@pytest.mark.parametrize("errors", [[{"message": "timeout"}], ["timeout"], "timeout", {"message": "timeout"}])
def test_other_errors_are_temporary(errors: Any) -> None:
    with pytest.raises(Unreachable, match="answered with errors: timeout"):
        read_body(json.dumps({"errors": errors, "data": None}))


@pytest.mark.parametrize("errors", [5, True, [{"code": 7}], [None], {"x": 1}])
def test_errors_without_a_message_are_temporary(errors: Any) -> None:
    with pytest.raises(Unreachable, match="answered with errors"):
        read_body(json.dumps({"errors": errors, "data": None}))


@pytest.mark.parametrize("errors", ["Unknown type News", {"message": "Cannot query field x"}])
def test_errors_of_another_type_can_mean_a_moved_schema(errors: Any) -> None:
    with pytest.raises(PageChanged, match="GraphQL query News"):
        read_body(json.dumps({"errors": errors}))


def test_second_record_of_one_id_and_language_is_a_problem() -> None:
    english = {**RECORD, "title": "Bridge", "body": "<p>The bridge of the town is open to all.</p>"}
    found = read_answer(RECORD, english, {**RECORD, "title": "Другой"})
    assert [(article.id, article.title) for article in found.articles] == [
        ("mfa:7:ru", "Мост открыт"),
        ("mfa:7:en", "Bridge"),
    ]
    (problem,) = found.problems
    assert (problem.kind, problem.url) == ("PageChanged", f"{DETAILS}?lang=ru")


@pytest.mark.parametrize(
    "fault",
    [ValueError("no port"), RecursionError("too deep"), TypeError("no text"), OverflowError("no date"), KeyError("x")],
)
def test_exception_of_one_record_is_its_problem(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    read = NewsAnswer.parse_lead

    def fail_on_one(self: NewsAnswer, description: str | None) -> str | None:
        if description == "fault":
            raise fault
        return read(self, description)

    monkeypatch.setattr(NewsAnswer, "parse_lead", fail_on_one)
    found = read_answer({**RECORD, "short_description": "fault"}, {**RECORD, "id": "8"})
    assert [article.id for article in found.articles] == ["mfa:8:ru"]
    (problem,) = found.problems
    assert problem.url == DETAILS
    assert type(fault).__name__ in str(problem)


@pytest.mark.parametrize("fault", [MemoryError(), OSError("disk")])
def test_fault_of_the_machine_is_no_problem_of_a_record(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise fault

    monkeypatch.setattr(NewsAnswer, "parse_lead", fail)
    with pytest.raises(type(fault)):
        read_answer(RECORD)


def test_malformed_image_costs_only_itself() -> None:
    body = "<p>Мост открыт.</p><img src='http://[foto]/a.jpg'><img src='uploads/b.jpg'>"
    found = read_answer({**RECORD, "body": body, "heropic": "https://[x"})
    assert [image.url for image in found.articles[0].images] == ["https://www.gov.kz/uploads/b.jpg"]
    assert found.problems == ()


def test_raw_control_character_and_broken_byte_cost_no_other_record() -> None:
    body = json.dumps({"data": {"news": [{**RECORD, "title": "Мост ONE"}, {**RECORD, "id": "8"}]}}).encode()
    body = body.replace(b"ONE", b"\x01\xff") + b"<!-- cached -->"
    found = read_snapshot(Snapshot(url=GRAPHQL, body=body, kind_hint="json"), SITE)
    assert [(article.id, article.title) for article in found.articles] == [
        ("mfa:7:ru", "Мост \ufffd"),
        ("mfa:8:ru", "Мост открыт"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "7",
        "null",
        '"x"',
        '{"data": null}',
        '{"data": {}}',
        '{"data": {"news": null}}',
        '{"data": []}',
        '{"data": [1]}',
        '{"data": "x"}',
        '{"data": 7}',
        '{"data": {"news": {}}}',
    ],
)
def test_answer_of_another_shape_is_changed(body: str) -> None:
    with pytest.raises(PageChanged) as caught:
        read_body(body)
    assert caught.value.field == "records"


def test_record_keeps_no_unseen_character() -> None:
    spoilt = "М\u202eост\u009b \U000e0041от\u2066к\ufe0fрыт\u0007"
    found = read_article(
        title=spoilt, body=f"<p>{spoilt}</p>", short_description=spoilt, heropic="/a.png", alt_image=spoilt
    )
    texts = [found.title, found.lead, found.body, found.images[0].caption]
    assert texts == ["Мост открыт"] * 4


def test_error_of_the_interface_is_printed_as_one_line() -> None:
    with pytest.raises(Unreachable) as caught:
        read_body(json.dumps({"errors": [{"message": "x\x1b[2J\x1b]0;title\x07\nmfa: healthy. 0 new"}]}))
    assert "x[2J]0;title mfa: healthy. 0 new" in str(caught.value)


def test_article_with_lines_of_the_page_around_it_is_flagged() -> None:
    body = "<p>Мост открыт.</p><p>Читайте также: Река</p><p>Он длинный.</p><p>Количество просмотров: 12</p>"
    found = read_article(body=body)
    assert (found.body, found.flags) == ("Мост открыт.\nОн длинный.", (ArticleFlag.BOILERPLATE_REMOVED,))
    assert read_article().flags == ()
    assert Article.from_dict(json.loads(json.dumps(found.to_dict()))).flags == found.flags
    assert parse_article(serialize_article(found)) == found


def test_record_that_has_only_a_credit_has_no_text_yet() -> None:
    found = read_answer({**RECORD, "body": "<p><img src='/a.jpg'></p><p>Фото: пресс-служба</p>"})
    assert (found.articles, found.problems, len(found.skipped)) == ((), (), 1)


def test_json_that_is_read_is_not_cut_off() -> None:
    body = json.dumps([RECORD]).encode()
    found = read_snapshot(Snapshot(url=GRAPHQL, body=body, kind_hint="json", is_cut_off=True), SITE)
    assert found.articles[0].flags == ()
