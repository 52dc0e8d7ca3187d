"""Scrapy's exporters: every field on every line, in each of the four formats."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from lxml import etree
from openpyxl import load_workbook
from scrapy.settings import Settings

from crawler.items import ARTICLE_FIELDS, Article, Image, Match, Precision, Rights, SnapshotRef, Strength, Verdict
from crawler.publish.item_exporters import make_exporter

NAMES = list(ARTICLE_FIELDS)
ALMATY = timezone(timedelta(hours=5))
MINIMAL = Article(id="mfa:1:ru", source="mfa", url="https://example.org/1", body="Мост открыт.")
FULL = Article(
    id="mfa:2:ru",
    source="mfa",
    url="https://example.org/2?a=1&b=2",
    title='«Мост» & "река", <i>',
    lead="Коротко",
    body="Мост открыт.\nОн длинный; он новый, он — наш.",
    language="ru",
    published_at=datetime(2026, 6, 9, 11, 48, 30, 123456, tzinfo=ALMATY),
    published_raw="2026-06-09T11:48:30.123456Z",
    published_precision=Precision.MINUTE,
    fetched_at=datetime(2026, 6, 9, 12, 0, tzinfo=ALMATY),
    section="News",
    place="Астана",
    author="A. Serik",
    attribution="МИД РК",
    images=(Image(url="https://example.org/a.jpg", caption=None), Image(url=None, caption="Мост")),
    reading_minutes=2,
    rights=Rights(excerpt_share=0.3, link_required=True, wording=None, source="https://example.org"),
    matches=(
        Match(
            rule="r",
            term="t",
            surface="s",
            field="body",
            start=0,
            end=4,
            sentence="Мост открыт.",
            strength=Strength.WEAK,
            reason="x",
        ),
    ),
    verdict=Verdict.COPY,
    copy_of="ktkz:9:ru",
    version=1,
    snapshot=SnapshotRef(file="mfa/a.json", offset=7, digest="sha256:ab"),
    provenance={"title": "h1"},
)


def export_items(ending: str, *articles: Article) -> bytes:
    file = io.BytesIO()
    out = make_exporter(ending, file)
    out.start_exporting()
    for article in articles:
        out.export_item(article)
    out.finish_exporting()
    return file.getvalue()


def list_lines(ending: str, raw: bytes) -> list[dict[str, Any]]:
    if ending == ".jsonl":
        return [json.loads(line) for line in raw.decode().split("\n") if line]
    if ending == ".json":
        return list(json.loads(raw))
    if ending == ".csv":
        return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))
    return [{field.tag: field.text or "" for field in item} for item in etree.fromstring(raw)]


@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_json_lines_are_the_articles(ending: str) -> None:
    found = list_lines(ending, export_items(ending, MINIMAL, FULL))
    assert found == [json.loads(json.dumps(article.to_dict())) for article in (MINIMAL, FULL)]
    assert [list(line) for line in found] == [NAMES, NAMES]
    assert Article.from_dict(found[0]) == MINIMAL
    assert found[1]["published_at"] == "2026-06-09T11:48:30+05:00"


@pytest.mark.parametrize("ending", [".csv", ".xml"])
def test_flat_files_have_every_field_and_nested_ones_as_json(ending: str) -> None:
    minimal, full = list_lines(ending, export_items(ending, MINIMAL, FULL))
    assert list(minimal) == list(full) == NAMES
    assert (minimal["title"], minimal["published_at"], minimal["rights"], minimal["version"]) == ("", "", "", "")
    assert (minimal["images"], minimal["matches"], minimal["provenance"]) == ("[]", "[]", "{}")
    values = FULL.to_dict()
    for name in ("images", "matches", "rights", "snapshot", "provenance"):
        assert json.loads(full[name]) == json.loads(json.dumps(values[name])), name
    for name in ("id", "url", "title", "body", "published_at", "fetched_at", "published_precision", "verdict"):
        assert full[name] == values[name], name
    assert (full["version"], full["reading_minutes"]) == ("1", "2")


def test_excel_has_every_field_with_times_as_local_dates() -> None:
    sheet = load_workbook(io.BytesIO(export_items(".xlsx", MINIMAL, FULL))).worksheets[0]
    names, minimal, full = sheet.iter_rows(values_only=True)
    assert list(names) == NAMES
    values, found = FULL.to_dict(), dict(zip(names, full, strict=True))
    for name in ("images", "matches", "rights", "snapshot", "provenance"):
        assert json.loads(found[name]) == json.loads(json.dumps(values[name])), name
    for name in ("id", "url", "title", "body", "published_precision", "verdict", "version", "reading_minutes"):
        assert found[name] == values[name], name
    assert found["published_at"].isoformat() == "2026-06-09T06:48:30"  # UTC, unless a zone is given
    assert dict(zip(names, minimal, strict=True))["title"] is None


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".xml"])
def test_files_are_utf8_with_readable_letters(ending: str) -> None:
    assert "Мост открыт." in export_items(ending, MINIMAL).decode("utf-8")


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".xml"])
def test_nothing_exported_is_an_empty_file_of_its_kind(ending: str) -> None:
    assert list_lines(ending, export_items(ending)) == []


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".xml"])
def test_text_with_special_characters(ending: str) -> None:
    body = 'a\tb "c", d; e\\n <f> & ]]> \u2028 \u0001'
    (found,) = list_lines(ending, export_items(ending, Article(id="a:1:en", source="a", url="x", body=body)))
    assert found["body"].replace("\u0001", "") == body.replace("\u0001", "")


@pytest.mark.parametrize(("ending", "kind"), [("jsonl", ".jsonl"), ("json", ".json"), ("csv", ".csv"), ("xml", ".xml")])
def test_scrapys_feeds_write_the_same(ending: str, kind: str) -> None:
    settings = Settings()
    settings.setmodule("crawler.settings")
    name = settings.getwithbase("FEED_EXPORTERS")[ending]
    from scrapy.utils.misc import load_object

    file = io.BytesIO()
    out = load_object(name)(file, fields_to_export=settings.getlist("FEED_EXPORT_FIELDS"), encoding="utf-8")
    out.start_exporting()
    for article in (MINIMAL, FULL):
        out.export_item(article)
    out.finish_exporting()
    assert list_lines(kind, file.getvalue()) == list_lines(kind, export_items(kind, MINIMAL, FULL))


@pytest.mark.parametrize("title", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", " =1+1", "＝1"])
def test_no_cell_is_a_formula(title: str) -> None:
    file = io.BytesIO()
    exporter = make_exporter(".csv", file)
    exporter.start_exporting()
    exporter.export_item(replace(MINIMAL, title=title))
    exporter.finish_exporting()
    (row,) = csv.DictReader(io.StringIO(file.getvalue().decode()))
    assert row["title"] == f"'{title}"
