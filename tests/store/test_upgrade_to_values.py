"""The upgrade from revision 0004: verdicts leave the hash, and the requested language leaves the provenance note."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from support.releases import make_former_store

from crawler.items import Article, Verdict
from crawler.store import open_store
from crawler.store.serialization import serialize_article

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
NOON_TEXT = "2026-03-06 12:00:00.000000"
PLAIN = Article(
    id="mfa:1:ru",
    source="mfa",
    url="https://mfa.example/1",
    body='Текст с NUL \0, суррогатом \ud800 и словами "verdict":"copy".',
    language="ru",
    verdict=Verdict.NEW,
    version=1,
    provenance={"language": "NewsAnswer: letters of the text"},
)
UNTRANSLATED = replace(
    PLAIN,
    id="mfa:2:ru",
    body="Новость.",
    verdict=Verdict.COPY,
    provenance={"language": "NewsAnswer: letters of the text, asked for as kk"},
)
REMOVED = replace(PLAIN, verdict=Verdict.UNPUBLISHED, version=2)

ADD_ARTICLE = text(
    "INSERT INTO articles (id, source, native_id, language, url, url_key, current_version, content_hash, verdict,"
    " matched, dated_at, first_seen_at, last_seen_at) VALUES (:id, 'mfa', :native_id, 'ru', 'https://mfa.example/1',"
    " 'key', :version, :content_hash, :verdict, false, :at, :at, :at)"
)
ADD_VERSION = text(
    "INSERT INTO versions (article_id, version, content_hash, copy_hash, seen_at, article)"
    " VALUES (:id, :version, :content_hash, 'copy', :at, :article)"
)


def make_line_of_0004(article: Article) -> str:
    """Return the stored JSON without the field that the upgrade adds."""
    values = json.loads(serialize_article(article))
    del values["requested_language"]
    return json.dumps(values)


@pytest.fixture
def old_url(url: str) -> str:
    """The URL of a database of revision 0004 with an untranslated article and a removed one."""
    with make_former_store(url, "0004") as connection:
        for current in (REMOVED, UNTRANSLATED):
            prefix = "unpublished:" if current.verdict is Verdict.UNPUBLISHED else ""
            row = {
                "id": current.id,
                "native_id": current.native_id,
                "version": current.version,
                "at": "2026-03-06 12:00",
            }
            connection.execute(ADD_ARTICLE, {**row, "content_hash": f"{prefix}hash", "verdict": str(current.verdict)})
        for version in (PLAIN, REMOVED, UNTRANSLATED):
            prefix = "unpublished:" if version.verdict is Verdict.UNPUBLISHED else ""
            values = {"id": version.id, "version": version.version, "at": NOON_TEXT}
            line = make_line_of_0004(version)
            connection.execute(ADD_VERSION, {**values, "content_hash": f"{prefix}hash", "article": line})
    return url


def test_articles_are_the_same_after_the_upgrade(old_url: str) -> None:
    with open_store(old_url) as store:
        assert store.versions.list_by_article(PLAIN.id) == [PLAIN, REMOVED]
        assert store.articles.get(UNTRANSLATED.id) == replace(UNTRANSLATED, requested_language="kk")


def test_hashes_have_no_prefix_and_versions_have_a_verdict(old_url: str) -> None:
    with open_store(old_url) as store:
        rows = store.database.fetch_all(
            text("SELECT article_id, version, content_hash, verdict FROM versions ORDER BY article_id, version")
        )
        assert [tuple(row) for row in rows] == [
            ("mfa:1:ru", 1, "hash", "new"),
            ("mfa:1:ru", 2, "hash", "unpublished"),
            ("mfa:2:ru", 1, "hash", "copy"),
        ]
        state = store.articles.get_state(PLAIN.id)
        assert state is not None
        assert (state.content_hash, state.verdict) == ("hash", Verdict.UNPUBLISHED)


def test_the_same_text_after_a_removal_is_a_new_version(old_url: str) -> None:
    with open_store(old_url) as store:
        back = replace(PLAIN, verdict=Verdict.REPUBLISHED, version=2)
        assert store.articles.save(back, content_hash="hash", run_id=None, seen_at=NOON) == 3
        assert store.articles.save(REMOVED, content_hash="hash", run_id=None, seen_at=NOON) == 3
        assert [each.verdict for each in store.versions.list_by_article(PLAIN.id)] == [
            "new",
            "unpublished",
            "republished",
        ]
