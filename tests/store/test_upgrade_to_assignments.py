"""The upgrade to revision 0014: marks of articles stay, and nothing is assigned."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text
from support.releases import make_former_store

from crawler.store import open_store
from crawler.store.reader_actions import ActionKind, ArticleAtVersion

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
ADD_ARTICLE = text(
    "INSERT INTO articles (id, source, native_id, language, url, url_key, current_version, content_hash, verdict,"
    " matched, dated_at, first_seen_at, last_seen_at) VALUES ('mfa:1:ru', 'mfa', '1', 'ru', 'https://mfa.example/1',"
    " 'key', 1, 'hash', 'new', true, :at, :at, :at)"
)
ADD_MARKS = text(
    "INSERT INTO article_marks (article_id, is_important, is_false_alarm) VALUES ('mfa:1:ru', true, false)"
)
ADD_ACTION = text(
    "INSERT INTO reader_actions (batch, article_id, version, kind, made_at, made_by)"
    " VALUES (1, 'mfa:1:ru', 1, 'important', :at, 'dana')"
)


def test_marks_stay_and_articles_can_be_assigned(url: str) -> None:
    with make_former_store(url, "0013") as connection:
        connection.execute(ADD_ARTICLE, {"at": "2026-03-06 12:00"})
        connection.execute(ADD_MARKS)
        connection.execute(ADD_ACTION, {"at": "2026-03-06 12:00"})
    with open_store(url, backup=False) as store:
        (marks,) = store.reader_actions.get_marks(["mfa:1:ru"], "dana").values()
        assert (marks.is_important, marks.assigned_to) == (True, None)
        about = [ArticleAtVersion("mfa:1:ru", 1)]
        store.reader_actions.record(about, ActionKind.ASSIGNED, by="dana", at=NOON, note="timur")
        (marks,) = store.reader_actions.get_marks(["mfa:1:ru"], "dana").values()
        assert (marks.is_important, marks.assigned_to) == (True, "timur")
