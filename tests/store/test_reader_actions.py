"""Contract tests of what readers do: marks, notes, undo, and the lists that depend on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from support.newsroom_articles import make_story_article

from crawler.items import Verdict
from crawler.store import Store
from crawler.store.reader_actions import ActionKind, ArticleAtVersion, ArticleMarks
from crawler.store.reading_lists import StoryFilter, StoryStatus

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
Save = Callable[..., int]
ONE = ArticleAtVersion("mfa:1:ru", 1)


def act(store: Store, kind: ActionKind, *about: ArticleAtVersion, by: str = "local", note: str | None = None) -> int:
    batch = store.reader_actions.record(about or (ONE,), kind, by=by, at=NOON, note=note)
    assert batch is not None
    return batch


def list_ids(store: Store, status: StoryStatus | None = None, reader: str = "local") -> list[str]:
    wanted = StoryFilter(status=status, reader=reader)
    found = [each.card.article_id for each in store.reading_lists.list_stories(wanted, 50)]
    assert store.reading_lists.count_stories(wanted) == len(found)
    return sorted(found)


def get_marks(store: Store, reader: str = "local") -> ArticleMarks:
    return store.reader_actions.get_marks([ONE.article_id], reader)[ONE.article_id]


def test_only_an_action_makes_an_article_seen(store: Store, save: Save) -> None:
    save(make_story_article("1"), seen_at=datetime(2020, 1, 1, tzinfo=UTC))
    save(make_story_article("2"))
    assert list_ids(store, StoryStatus.UNSEEN) == ["mfa:1:ru", "mfa:2:ru"]
    act(store, ActionKind.SEEN)
    assert list_ids(store, StoryStatus.UNSEEN) == ["mfa:2:ru"]
    assert list_ids(store, StoryStatus.UNSEEN, reader="other") == ["mfa:1:ru", "mfa:2:ru"]
    act(store, ActionKind.UNSEEN)
    assert list_ids(store, StoryStatus.UNSEEN) == ["mfa:1:ru", "mfa:2:ru"]


def test_new_version_is_unseen_again(store: Store, save: Save) -> None:
    save(make_story_article("1"))
    act(store, ActionKind.SEEN)
    save(make_story_article("1", "МККК уехал.", version=2, verdict=Verdict.REVISED))
    assert list_ids(store, StoryStatus.UNSEEN) == ["mfa:1:ru"]
    act(store, ActionKind.SEEN)  # a page that was opened before the second version came
    assert list_ids(store, StoryStatus.UNSEEN) == ["mfa:1:ru"]
    act(store, ActionKind.SEEN, ArticleAtVersion("mfa:1:ru", 2))
    assert list_ids(store, StoryStatus.UNSEEN) == []


def test_version_that_is_not_stored_yet_is_not_seen(store: Store, save: Save) -> None:
    save(make_story_article("1"))
    act(store, ActionKind.SEEN, ArticleAtVersion("mfa:1:ru", 9), ArticleAtVersion("mfa:1:ru", 1))
    assert get_marks(store).seen_version == 1
    save(make_story_article("1", "МККК уехал.", version=2, verdict=Verdict.REVISED))
    assert list_ids(store, StoryStatus.UNSEEN) == ["mfa:1:ru"]


def test_important_and_false_alarm(store: Store, save: Save) -> None:
    save(make_story_article("1"))
    save(make_story_article("2"))
    act(store, ActionKind.IMPORTANT)
    assert list_ids(store, StoryStatus.IMPORTANT) == ["mfa:1:ru"]
    act(store, ActionKind.FALSE_ALARM)
    assert list_ids(store) == ["mfa:2:ru"]
    assert list_ids(store, StoryStatus.FALSE_ALARM) == ["mfa:1:ru"]
    assert get_marks(store) == ArticleMarks(is_important=True, is_false_alarm=True)
    act(store, ActionKind.ORDINARY)
    act(store, ActionKind.TRUE_ALARM)
    assert get_marks(store) == ArticleMarks()
    assert list_ids(store) == ["mfa:1:ru", "mfa:2:ru"]


def test_undo_restores_what_was_before(store: Store, save: Save) -> None:
    save(make_story_article("1"))
    act(store, ActionKind.SEEN)
    act(store, ActionKind.IMPORTANT)
    unseen = act(store, ActionKind.UNSEEN)
    false = act(store, ActionKind.FALSE_ALARM)
    assert get_marks(store) == ArticleMarks(is_important=True, is_false_alarm=True)
    assert store.reader_actions.undo(false, at=NOON) == 1
    assert store.reader_actions.undo(false, at=NOON) == 0
    assert store.reader_actions.undo(unseen, at=NOON) == 1
    assert get_marks(store) == ArticleMarks(seen_version=1, is_important=True)
    assert store.reader_actions.undo(999, at=NOON) == 0


def test_assignment_is_the_last_one_and_can_be_undone(store: Store, save: Save) -> None:
    save(make_story_article("1"))
    save(make_story_article("2"))
    assert get_marks(store).assigned_to is None
    act(store, ActionKind.ASSIGNED, by="dana", note="timur")
    second = act(store, ActionKind.ASSIGNED, by="timur", note="dana")
    assert (get_marks(store).assigned_to, get_marks(store, "other").assigned_to) == ("dana", "dana")
    assert list_ids(store, StoryStatus.ASSIGNED, reader="dana") == ["mfa:1:ru"]
    assert list_ids(store, StoryStatus.ASSIGNED, reader="timur") == []
    store.reader_actions.undo(second, at=NOON)
    assert list_ids(store, StoryStatus.ASSIGNED, reader="timur") == ["mfa:1:ru"]
    act(store, ActionKind.IMPORTANT)
    act(store, ActionKind.UNASSIGNED)
    assert get_marks(store) == ArticleMarks(is_important=True)
    kept = [(each.kind, each.made_by, each.note) for each in store.reader_actions.list_by_articles(["mfa:1:ru"])]
    assert kept[0] == (ActionKind.ASSIGNED, "dana", "timur")


def test_actions_are_kept_with_who_and_when(store: Store, save: Save) -> None:
    save(make_story_article("1"))
    save(make_story_article("2"))
    batch = act(store, ActionKind.NOTE, ONE, ArticleAtVersion("mfa:2:ru", 1), ONE, by="aigerim", note="Ask them.\0")
    act(store, ActionKind.SEEN)
    listed = store.reader_actions.list_by_articles(["mfa:1:ru"])
    assert [(each.kind, each.made_by, each.made_at) for each in listed] == [
        (ActionKind.NOTE, "aigerim", NOON),
        (ActionKind.SEEN, "local", NOON),
    ]
    assert listed[0].note == "Ask them.\ufffd"
    assert [each.article_id for each in store.reader_actions.list_batch(batch)] == ["mfa:1:ru", "mfa:2:ru"]
    store.reader_actions.undo(batch, at=NOON)
    assert [each.kind for each in store.reader_actions.list_by_articles(["mfa:1:ru", "mfa:2:ru"])] == [ActionKind.SEEN]
    assert [each.undone_at for each in store.reader_actions.list_batch(batch)] == [NOON, NOON]


def test_article_that_is_not_stored(store: Store, save: Save) -> None:
    assert store.reader_actions.record([ONE], ActionKind.SEEN, by="local", at=NOON) is None
    save(make_story_article("2"))
    act(store, ActionKind.SEEN, ONE, ArticleAtVersion("mfa:2:ru", 1))
    assert list(store.reader_actions.get_marks(["mfa:1:ru", "mfa:2:ru"], "local")) == ["mfa:2:ru"]
