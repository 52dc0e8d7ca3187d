"""What each version changed: stored with the version, and judged once for versions of an older store."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from support.releases import make_former_store

from crawler.items import Article, Verdict
from crawler.revisions import changes
from crawler.revisions.changes import diff_articles, get_rules_version
from crawler.revisions.kinds import ChangeKind, Severity
from crawler.store import Store, open_store, revision_diffs
from crawler.store.serialization import parse_diff, serialize_article, serialize_diff

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
FIRST = Article(
    id="mfa:1:en",
    source="mfa",
    url="https://mfa.example/1",
    title="Talks",
    body="The parties must meet twice. The hall was warm.\nNUL \0 and a surrogate \ud800.",
    language="en",
    verdict=Verdict.NEW,
    version=1,
)
SECOND = replace(FIRST, body=FIRST.body.replace("must", "should"), verdict=Verdict.REVISED, version=2)
THIRD = replace(SECOND, body=SECOND.body.replace("warm", "cosy"), version=3)


def test_a_saved_version_has_its_diff(store: Store, save: Callable[..., int]) -> None:
    for version in (FIRST, SECOND, THIRD):
        save(version, content_hash=repr(version.body))
    found = store.diffs.get(FIRST.id, 2)
    assert found == diff_articles(FIRST, SECOND)
    assert (found.severity, found.kinds, found.rules) == (
        Severity.SUBSTANTIVE,
        {ChangeKind.MODALITY},
        get_rules_version(),
    )
    assert store.diffs.get(FIRST.id, 1) is None
    listed = store.diffs.list_by_article(FIRST.id, [FIRST, SECOND, THIRD])
    assert [each and each.severity for each in listed] == [None, Severity.SUBSTANTIVE, Severity.EDITORIAL]


def test_other_rules_do_not_change_what_is_stored(
    store: Store, save: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(FIRST, content_hash=repr(FIRST.body))
    save(SECOND, content_hash=repr(SECOND.body))
    stored = store.diffs.get(FIRST.id, 2)
    monkeypatch.setattr(changes, "get_rules_version", lambda: "9-other")
    monkeypatch.setattr(changes, "judge_edit", None)
    assert store.diffs.get(FIRST.id, 2) == stored
    assert stored is not None
    assert stored.rules != "9-other"


def test_a_version_that_cannot_be_judged_is_stored(
    store: Store, save: Callable[..., int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    save(FIRST, content_hash=repr(FIRST.body))
    monkeypatch.setattr(changes, "judge_edit", None)
    with caplog.at_level(logging.ERROR):
        assert save(SECOND, content_hash=repr(SECOND.body)) == 2
    assert store.articles.get(FIRST.id, 2) == SECOND
    assert store.diffs.get(FIRST.id, 2) is None
    assert "mfa:1:en version 2 could not be judged" in caplog.text
    monkeypatch.undo()
    assert store.diffs.get(FIRST.id, 2) == diff_articles(FIRST, SECOND)


def test_the_number_of_a_version_that_another_process_took(store: Store, save: Callable[..., int]) -> None:
    save(FIRST, content_hash=repr(FIRST.body))
    save(SECOND, content_hash=repr(SECOND.body))
    other = replace(FIRST, body=FIRST.body.replace("The hall was warm.", ""), verdict=Verdict.REVISED, version=2)
    assert save(other, content_hash=repr(other.body)) == 3
    found = store.diffs.get(FIRST.id, 3)
    assert found == diff_articles(SECOND, replace(other, version=3))


def test_a_stored_diff_is_read_exactly() -> None:
    later = replace(
        THIRD,
        title="Long talks",
        published_at=NOON,
        attribution="МИД",
        body="Another text. The hall was warm. The parties must meet twice.",
    )
    for new in (SECOND, THIRD, later, replace(later, verdict=Verdict.UNPUBLISHED), FIRST):
        diff = diff_articles(FIRST, new)
        assert parse_diff(serialize_diff(diff), diff.rules) == diff
        json.loads(serialize_diff(diff).encode())


# --- versions of an older store

ADD_ARTICLE = text(
    "INSERT INTO articles (id, source, native_id, language, url, url_key, current_version, content_hash, verdict,"
    " matched, dated_at, first_seen_at, last_seen_at) VALUES (:id, 'mfa', :id, 'en', 'https://mfa.example/1', 'key',"
    " 3, 'hash', 'revised', false, :at, :at, :at)"
)
ADD_VERSION = text(
    "INSERT INTO versions (article_id, version, verdict, content_hash, copy_hash, seen_at, article)"
    " VALUES (:id, :version, 'revised', 'hash', 'copy', :at, :article)"
)


@pytest.fixture
def old_url(url: str) -> str:
    """The URL of a database of revision 0005 with four articles of three versions."""
    with make_former_store(url, "0005") as connection:
        for number in range(4):
            at = "2026-03-06 12:00:00.000000"
            connection.execute(ADD_ARTICLE, {"id": f"mfa:{number}:en", "at": at})
            for version in (FIRST, SECOND, THIRD):
                line = serialize_article(replace(version, id=f"mfa:{number}:en"))
                row = {"id": f"mfa:{number}:en", "version": version.version, "at": at, "article": line}
                connection.execute(ADD_VERSION, row)
    return url


def count_rows(store: Store, table: str) -> int:
    return int(store.database.fetch_all(text(f"SELECT count(*) FROM {table}"))[0][0])


def test_stored_versions_are_judged_once(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(old_url) as store:
        assert (count_rows(store, "revision_diffs"), count_rows(store, "unjudged_revisions")) == (8, 0)
        found = store.diffs.get("mfa:3:en", 2)
        assert found is not None
        assert (found.severity, found.rules) == (Severity.SUBSTANTIVE, get_rules_version())
    monkeypatch.setattr(changes, "diff_articles", None)
    with open_store(old_url) as store:
        assert store.diffs.judge_pending() == 0
        assert store.diffs.get("mfa:3:en", 2) == found


def test_judging_continues_where_it_was_interrupted(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision_diffs, "REVISIONS_PER_BATCH", 3)
    judged: list[tuple[str, int]] = []

    def judge_until_killed(old: Article, new: Article) -> changes.RevisionDiff:
        judged.append((new.id, new.version or 0))
        if len(judged) == 5:
            raise KeyboardInterrupt
        return diff_articles(old, new)

    monkeypatch.setattr(changes, "diff_articles", judge_until_killed)
    with pytest.raises(KeyboardInterrupt):
        open_store(old_url)
    with open_store(old_url) as store:
        assert (count_rows(store, "revision_diffs"), count_rows(store, "unjudged_revisions")) == (8, 0)
    # One batch was committed. The two versions of the second one that were judged in vain are judged again.
    assert len(judged) == 8 + 2
    assert judged.count(judged[0]) == 1


def test_an_unjudged_version_can_be_read_meanwhile(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision_diffs.RevisionDiffRepository, "judge_pending", lambda self: 0)
    with open_store(old_url) as store:
        assert count_rows(store, "revision_diffs") == 0
        found = store.diffs.get("mfa:1:en", 3)
        assert found is not None
        assert found.severity is Severity.EDITORIAL


def test_a_deleted_article_takes_its_diffs_with_it(store: Store, save: Callable[..., int]) -> None:
    save(FIRST, content_hash=repr(FIRST.body))
    save(SECOND, content_hash=repr(SECOND.body))
    with store.database.transaction() as connection:
        connection.execute(text("DELETE FROM articles"))
    assert count_rows(store, "revision_diffs") == 0
