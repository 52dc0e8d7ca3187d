"""Sending that breaks off halfway: what was carried is written down, so that it never goes out again."""

from __future__ import annotations

from pathlib import Path

import pytest
from alerts.hook import Hook
from alerts.newsroom import NOON, Newsroom

from crawler.alerts import sending
from crawler.alerts.sending import Post
from crawler.alerts.sorting import sort
from crawler.alerts.writing import test_letter as a_letter
from crawler.config import Config
from crawler.store import State, open_store


def test_what_was_carried_is_written_down_though_the_next_letter_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = a_letter("desk", "en", "Asia/Almaty", NOON)
    letters = iter([letter])
    monkeypatch.setattr(sending.Writer, "write", lambda *_: next(letters))
    with open_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store, Hook() as hook:
        press = {"channels": ["desk"], "unit": "article"}
        config = Config.model_validate({"channels": {"desk": hook.address}, "subscriptions": {"press": press}})
        store.news.subscribed(["press"], NOON)
        room = Newsroom(store)
        for name in ("1", "2"):
            room.publish(name)
        assert sort(store, config, room.clock) == 2
        with pytest.raises(StopIteration):
            Post(config, store).send()
        assert [posted.key for posted in hook.posted] == [letter.key]
        assert sorted(delivery.state for _, delivery in store.outbox.ledger()) == [State.PENDING, State.SENT]
