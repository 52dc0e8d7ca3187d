"""Contract tests of users, sessions, API keys, attempts to sign in, and the log of changes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from support.newsroom_articles import make_story_article

from crawler.roles import Role
from crawler.store import Store
from crawler.store.complete_schema import metadata
from crawler.store.credentials import SESSION_IDLE_LIMIT, SESSION_LIFETIME, USE_INTERVAL
from crawler.store.reader_actions import ActionKind, ArticleAtVersion
from crawler.store.users import (
    ATTEMPT_WINDOW,
    ATTEMPTS_KEPT_FOR,
    ERASED_NAME,
    MAX_ATTEMPTS_PER_ADDRESS,
    MAX_ATTEMPTS_PER_NAME,
    MAX_ATTEMPTS_PER_USER,
    LastOwner,
)

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def team(store: Store) -> Store:
    """A store with an owner, an analyst and a reader."""
    for name, role in (("dana", Role.OWNER), ("timur", Role.ANALYST), ("aigerim", Role.READER)):
        assert store.users.add(name, role, at=NOON, password_hash=f"hash of {name}")
    return store


def test_users_are_listed_by_name(team: Store) -> None:
    assert [(each.name, each.role) for each in team.users.list_all()] == [
        ("aigerim", Role.READER),
        ("dana", Role.OWNER),
        ("timur", Role.ANALYST),
    ]
    found = team.users.get("dana")
    assert found is not None
    assert (found.password_hash, found.created_at, found.is_disabled) == ("hash of dana", NOON, False)
    assert team.users.get("Dana") is None


def test_a_name_and_a_subject_belong_to_one_user(store: Store) -> None:
    assert not store.users.exist()
    assert store.users.add("dana", Role.OWNER, at=NOON, password_hash="first")
    assert not store.users.add("dana", Role.OWNER, at=NOON, password_hash="second")
    assert store.users.add("timur", Role.READER, at=NOON, password_hash=None, subject="https://idp 7")
    assert not store.users.add("other", Role.READER, at=NOON, password_hash=None, subject="https://idp 7")
    found = store.users.get_by_subject("https://idp 7")
    assert found is not None
    assert found.name == "timur"
    assert [each.password_hash for each in store.users.list_all()] == ["first", None]
    assert store.users.exist()


def test_the_last_owner_stays(team: Store) -> None:
    for change in (
        lambda: team.users.set_role("dana", Role.ANALYST),
        lambda: team.users.set_disabled("dana", True),
        lambda: team.users.erase("dana"),
    ):
        with pytest.raises(LastOwner, match="dana is the only owner"):
            change()
    assert team.users.set_role("timur", Role.OWNER)
    assert team.users.set_disabled("dana", True)
    with pytest.raises(LastOwner):
        team.users.set_role("timur", Role.READER)
    assert not team.users.set_role("nobody", Role.READER)
    assert not team.users.set_disabled("nobody", True)


def test_session_ends_by_age_by_disuse_and_on_request(team: Store) -> None:
    team.sessions.add("one", "timur", at=NOON)
    found = team.sessions.find("one", at=NOON + MINUTE)
    assert found is not None
    assert (found.user_name, found.role, found.expires_at) == ("timur", Role.ANALYST, NOON + SESSION_LIFETIME)
    assert team.sessions.find("two", at=NOON) is None
    assert team.sessions.find("one", at=NOON + SESSION_IDLE_LIMIT) is None
    at = NOON
    while at < NOON + SESSION_LIFETIME:
        assert team.sessions.find("one", at=at) is not None
        at += SESSION_IDLE_LIMIT - MINUTE
    assert team.sessions.find("one", at=NOON + SESSION_LIFETIME) is None
    team.sessions.add("two", "timur", at=NOON + SESSION_LIFETIME)
    team.sessions.delete("two")
    assert team.sessions.list_by_user("timur", at=NOON + SESSION_LIFETIME) == []


def test_session_follows_the_user(team: Store) -> None:
    team.sessions.add("one", "timur", at=NOON)
    team.users.set_role("timur", Role.READER)
    found = team.sessions.find("one", at=NOON)
    assert found is not None
    assert found.role is Role.READER
    team.users.set_disabled("timur", True)
    team.users.set_disabled("timur", False)
    assert team.sessions.find("one", at=NOON) is None
    team.sessions.add("two", "timur", at=NOON)
    team.users.set_password("timur", "new")
    assert team.sessions.find("two", at=NOON) is None


def test_other_sessions_of_a_user_can_be_ended(team: Store) -> None:
    for name in ("one", "two", "three"):
        team.sessions.add(name, "timur", at=NOON)
    team.sessions.add("other", "dana", at=NOON)
    assert team.sessions.delete_by_user("timur", but="two") == 2
    assert [each.id_hash for each in team.sessions.list_by_user("timur", at=NOON)] == ["two"]
    assert team.sessions.find("other", at=NOON) is not None


def test_key_may_at_most_what_its_user_may(team: Store) -> None:
    number = team.api_keys.add("timur", "k1", title="script", role=Role.ANALYST, scopes=["write", "read"], at=NOON)
    found = team.api_keys.find("k1", at=NOON)
    assert found is not None
    assert (found.id, found.role, found.scopes, found.used_at) == (number, Role.ANALYST, {"read", "write"}, None)
    team.users.set_role("timur", Role.READER)
    found = team.api_keys.find("k1", at=NOON + USE_INTERVAL)
    assert found is not None
    assert (found.role, found.used_at) == (Role.READER, NOON)
    team.users.set_disabled("timur", True)
    assert team.api_keys.find("k1", at=NOON) is None


def test_key_ends_and_is_deleted_by_its_user_only(team: Store) -> None:
    until = NOON + timedelta(days=1)
    number = team.api_keys.add("timur", "k1", title="", role=Role.READER, scopes=[], at=NOON, expires_at=until)
    assert team.api_keys.find("k1", at=until - MINUTE) is not None
    assert team.api_keys.find("k1", at=until) is None
    assert not team.api_keys.delete(number, "dana")
    assert team.api_keys.delete(number, "timur")
    assert team.api_keys.list_by_user("timur") == []


def test_feed_secret(team: Store) -> None:
    assert team.users.set_feed_secret("timur", "f1")
    found = team.users.get_by_feed_secret("f1")
    assert found is not None
    assert found.name == "timur"
    assert team.users.set_feed_secret("timur", None)
    assert team.users.get_by_feed_secret("f1") is None


def test_too_many_attempts_from_one_address(team: Store) -> None:
    for second in range(MAX_ATTEMPTS_PER_USER):
        assert team.users.begin_attempt("dana", "192.0.2.1", at=NOON + timedelta(seconds=second)) is not None
    later = NOON + MINUTE
    assert team.users.begin_attempt("dana", "192.0.2.1", at=later) is None
    assert team.users.begin_attempt("dana", "192.0.2.2", at=later) is not None
    assert team.users.begin_attempt("timur", "192.0.2.1", at=later) is not None
    assert team.users.begin_attempt("dana", "192.0.2.1", at=NOON + ATTEMPT_WINDOW) is not None
    team.users.forget_attempts("dana", "192.0.2.1")
    assert team.users.begin_attempt("dana", "192.0.2.1", at=later) is not None


def test_attempts_for_many_names_and_from_many_addresses_are_limited_too(team: Store) -> None:
    for number in range(MAX_ATTEMPTS_PER_ADDRESS):
        assert team.users.begin_attempt(f"user{number}", "192.0.2.1", at=NOON) is not None
    assert team.users.begin_attempt("new", "192.0.2.1", at=NOON) is None
    for number in range(MAX_ATTEMPTS_PER_NAME):
        assert team.users.begin_attempt("dana", f"198.51.100.{number}", at=NOON) is not None
    assert team.users.begin_attempt("dana", "203.0.113.9", at=NOON) is None
    assert team.users.begin_attempt("dana", "203.0.113.9", at=NOON + ATTEMPTS_KEPT_FOR) is not None


def test_user_can_be_erased(team: Store) -> None:
    team.articles.save(make_story_article("1"), content_hash="1", run_id=None, seen_at=NOON)
    about = [ArticleAtVersion("mfa:1:ru", 1)]
    team.reader_actions.record(about, ActionKind.NOTE, by="timur", at=NOON, note="Ask them.")
    team.reader_actions.record(about, ActionKind.SEEN, by="timur", at=NOON)
    team.reader_actions.record(about, ActionKind.ASSIGNED, by="dana", at=NOON, note="timur")
    team.sessions.add("one", "timur", at=NOON)
    team.api_keys.add("timur", "k1", title="", role=Role.READER, scopes=[], at=NOON)
    team.users.begin_attempt("timur", "192.0.2.1", at=NOON)
    team.audit.record("timur", "key.add", "script", at=NOON)
    team.audit.record("dana", "user.add", "timur analyst", at=NOON)
    team.audit.record("dana", "user.add", "timurlan reader", at=NOON)
    assert team.users.erase("timur")
    assert not team.users.erase("timur")
    for table in metadata.sorted_tables:
        assert not re.search(r"\btimur\b", str(team.database.fetch_all(table.select()))), table.name
    actions = team.reader_actions.list_by_articles(["mfa:1:ru"])
    assert {(each.kind, each.made_by) for each in actions} == {
        (ActionKind.NOTE, ERASED_NAME),
        (ActionKind.SEEN, ERASED_NAME),
        (ActionKind.ASSIGNED, "dana"),
    }
    assert team.reader_actions.get_marks(["mfa:1:ru"], "timur")["mfa:1:ru"].seen_version == 0
    assert [(each.made_by, each.about) for each in team.audit.list_newest(9)] == [
        ("dana", "timurlan reader"),
        ("dana", f"{ERASED_NAME} analyst"),
        (ERASED_NAME, "script"),
    ]


def test_the_only_user_can_be_erased(store: Store) -> None:
    store.users.add("dana", Role.OWNER, at=NOON, password_hash=None)
    assert store.users.erase("dana")
    assert not store.users.exist()


def test_log_is_listed_newest_first(team: Store) -> None:
    for number in range(3):
        team.audit.record("dana", "rules.change", f"{number}\0", at=NOON, address="192.0.2.1")
    team.audit.record("timur", "key.add", "script", at=NOON)
    listed = team.audit.list_newest(2, made_by="dana")
    assert [each.about for each in listed] == ["2\ufffd", "1\ufffd"]
    assert [each.about for each in team.audit.list_newest(9, before=listed[-1].id)] == ["0\ufffd"]
