"""Numbers of stories and states of sources: no reader waits for what others asked for, and nothing is too old."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest

from crawler.errors import StoreError
from crawler.store import Store
from crawler.store.reading_lists import StoryFilter, StoryStatus
from crawler.web.newsroom import COUNT_SECONDS, Newsroom
from crawler.web.renewed_values import EARLY_SECONDS, RENEWAL_SECONDS, RenewedValues
from crawler.web.server import BackgroundThread

Counts = RenewedValues[StoryFilter, int]
ALL, MFA = StoryFilter(), StoryFilter(source="mfa")


class CountedStore:
    """A clock, and a store whose number of stories is the number of questions so far."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[StoryFilter] = []

    def count(self, wanted: StoryFilter) -> int:
        self.asked.append(wanted)
        return len(self.asked)

    def make_counts(self) -> Counts:
        return RenewedValues(self.count, COUNT_SECONDS, lambda: self.now)


def test_number_is_remembered_for_some_seconds() -> None:
    store = CountedStore()
    counts = store.make_counts()
    assert [counts.get(ALL), counts.get(MFA), counts.get(ALL)] == [1, 2, 1]
    store.now = COUNT_SECONDS
    assert counts.get(ALL) == 3


def test_renewed_number_keeps_no_reader_waiting() -> None:
    store = CountedStore()
    counts = store.make_counts()
    for second in range(60):
        store.now = second * RENEWAL_SECONDS
        before = len(store.asked)
        counts.get(ALL)
        assert len(store.asked) == before or second == 0, "the reader counted"
        counts.renew()
    assert len(store.asked) == pytest.approx(60 / (COUNT_SECONDS - EARLY_SECONDS), abs=1)


def test_number_that_nobody_wants_is_not_renewed() -> None:
    store = CountedStore()
    counts = store.make_counts()
    counts.get(ALL)
    counts.get(MFA)
    counts.get(MFA)
    for second in range(30):
        store.now = float(second)
        counts.renew()
    assert store.asked == [ALL, MFA, MFA]
    assert counts.get(MFA) == 4, "no number is older than it may be"


def test_number_that_was_counted_before_a_change_is_not_remembered() -> None:
    store = CountedStore()

    def count_and_change(wanted: StoryFilter) -> int:
        number = store.count(wanted)
        if store.now:
            store.now = 0.0
            counts.clear()  # a reader marks a story while the number is on its way
        return number

    counts: Counts = RenewedValues(count_and_change, COUNT_SECONDS, lambda: store.now)
    assert [counts.get(ALL), counts.get(ALL)] == [1, 1]
    store.now = COUNT_SECONDS - EARLY_SECONDS
    counts.renew()
    assert counts.get(ALL) == 3


@pytest.mark.usefixtures("revised")
def test_own_action_counts_at_once(newsroom: Newsroom, client: httpx.Client, store: Store) -> None:
    unseen = StoryFilter(status=StoryStatus.UNSEEN)
    assert newsroom.story_counts.get(unseen) == newsroom.story_counts.get(unseen) == 1
    card = store.reading_lists.list_stories(ALL, 1)[0].card
    action = {"kind": "seen", "articles": [{"id": card.article_id, "version": card.version}]}
    assert client.post("/api/v1/actions", json=action).status_code == 201
    newsroom.story_counts.renew()
    assert newsroom.story_counts.get(unseen) == 0


@pytest.mark.parametrize("error", [StoreError("The store is locked."), KeyError("gone")])
def test_thread_goes_on_after_an_error(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    done, calls = threading.Event(), []

    def work(is_ending: Callable[[], bool]) -> None:
        calls.append(is_ending())
        if len(calls) == 1:
            raise error
        done.set()

    thread = BackgroundThread("count of stories", 0.01, work)
    thread.start()
    assert done.wait(120)
    thread.stop()
    assert not thread.is_alive()
    assert not any(calls)
    (logged,) = caplog.records
    assert (logged.exc_info is None) == isinstance(error, StoreError)
