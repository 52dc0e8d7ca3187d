"""Every stored page has its meta file and its expectation, and the provided documents are unchanged."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

ROOT = Path(__file__).parents[1] / "snapshots"
PAGES = sorted(p for p in ROOT.glob("*/*") if not p.name.endswith((".meta.json", ".expected.json")))
DOCUMENTS = {
    "mfa/000_efeb8921cb83161c.txt": "d5b3f966a0f3940ce87a249795ed89d43f2ab13b76a5b61c68dd5253ea16e860",
    "qazmonitor/004_e20d83a56e785f98.txt": "ede7606bf635147ff3cd6659288691f4110b3ce212f6f5cef9bc572c5221bfd5",
}
FIELDS = {
    *("id", "url", "title", "lead", "body", "language", "published_at", "published_raw", "published_precision"),
    *("section", "place", "author", "attribution", "images", "reading_minutes", "rights"),
    *("body_starts", "body_ends", "body_has", "body_lacks"),
}


def read_json_beside(page: Path, what: str) -> dict:
    return json.loads(page.with_name(f"{page.stem}.{what}.json").read_text(encoding="utf-8"))


def list_expected_articles() -> list[tuple[str, dict, dict]]:
    return [
        (p.stem, a, read_json_beside(p, "meta"))
        for p in PAGES
        for a in read_json_beside(p, "expected").get("articles", ())
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_provided_document_is_kept_byte_for_byte(name: str) -> None:
    assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == DOCUMENTS[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_page_has_facts_and_one_expectation(page: Path) -> None:
    meta, expected = read_json_beside(page, "meta"), read_json_beside(page, "expected")
    assert set(meta) <= {"url", "status", "headers", "fetched_at", "method", "payload", "follow"}
    assert {"url", "status", "headers", "fetched_at"} <= set(meta)
    assert all(name == name.lower() for name in meta["headers"])
    assert set(expected) in ({"articles"}, {"articles", "reason"}, {"links"}, {"raises"})
    assert expected.get("raises", "Blocked") in ("Blocked", "PageChanged", "Unreachable")
    assert expected.get("articles", expected.get("links", True)) or expected["reason"]
    assert all(set(article) <= FIELDS for article in expected.get("articles", ()))
    assert "payload" not in meta or json.loads(meta["payload"])["variables"]


def test_no_two_pages_share_their_facts() -> None:
    assert len({page.with_suffix("") for page in PAGES}) == len(PAGES)


def test_no_two_pages_answer_the_same_request() -> None:
    facts = [
        meta for page in PAGES if (meta := read_json_beside(page, "meta"))["url"]
    ]  # some are kept without their address
    requests = [tuple(meta.get(key) for key in ("url", "method", "payload")) for meta in facts]
    assert len(set(requests)) == len(requests)


def test_pages_were_fetched_after_they_were_published_in_local_time() -> None:
    for name, article, meta in list_expected_articles():
        if article["published_at"] is not None and meta["fetched_at"] is not None:
            published, fetched = (datetime.fromisoformat(t) for t in (article["published_at"], meta["fetched_at"]))
            assert published < fetched, name
            assert published.utcoffset() == published.astimezone(ZoneInfo("Asia/Almaty")).utcoffset(), name


def test_no_written_page_repeats_a_provided_document() -> None:
    bodies = {a["id"]: a.get("body", "") for _, a, _ in list_expected_articles()}
    given = {line for id in ("mfa:kt-1377987073:ru", "qazmonitor:1392:en") for line in bodies.pop(id).split("\n")}
    assert not given & {line for body in bodies.values() for line in body.split("\n")}


def test_expected_text_is_plain() -> None:
    for name, article, _ in list_expected_articles():
        for field in ("title", "lead", "body"):
            text = article.get(field) or "x"
            assert text == "\n".join(" ".join(line.split()) for line in text.split("\n")), name
            assert not any(mark in text for mark in ("\xad", "\xa0", "&", "<p", "\n\n")), name


def test_lists_lead_to_stored_pages_or_say_that_they_do_not() -> None:
    stored = {read_json_beside(page, "meta")["url"] for page in PAGES}
    for page in PAGES:
        links = set(read_json_beside(page, "expected").get("links", ()))
        assert links <= stored or read_json_beside(page, "meta").get("follow") == "stored", page.stem
