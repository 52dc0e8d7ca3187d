"""An owner's templates with a mistake: said with file and line, the message waits, and nobody else's does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from alerts.hook import Hook
from alerts.newsroom import NOON, Newsroom
from alerts.receiver import Receiver

from crawler.alerts.sending import Post
from crawler.alerts.sorting import sort
from crawler.cli.telling import prepare, tell
from crawler.config import Config
from crawler.errors import ConfigError
from crawler.process import Outcome
from crawler.store import State, Store, open_store

MISTAKES = {
    "{{ entry.headline }\n": "short.txt:1 cannot be used: unexpected '}'",
    "{{ entry.headline }}\n{{ entry.headlin }}\n": "short.txt:2 cannot be used: 'crawler.entries.entry.Entry object'",
    "\n\n{{ 1 // 0 }}\n": "short.txt:3 cannot be used: ZeroDivisionError: integer division or modulo by zero",
    "{% for i in range(10 ** 9) %}{% endfor %}": "short.txt:1 cannot be used: OverflowError: Range too big",
    "{{ entry.headline + 1 }}": "short.txt:1 cannot be used: TypeError: can only concatenate str",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'crawler.db'}") as opened:
        yield opened


def config(tmp_path: Path, address: str, **more: Any) -> Config:
    """Two subscribers, of whom the second reads messages in a form that the owner wrote a template for."""
    (tmp_path / "own").mkdir(exist_ok=True)
    return Config.model_validate(
        {
            "database": f"sqlite:///{tmp_path / 'crawler.db'}",
            "templates": tmp_path / "own",
            "channels": {"desk": address},
            "subscriptions": {"full": {"channels": ["desk"]}, "short": {"channels": ["desk"], "form": "short"}},
            **more,
        }
    )


def published(store: Store, settings: Config) -> None:
    room = Newsroom(store)
    store.news.subscribed(list(settings.subscriptions), NOON)
    room.publish("1")
    room.judge()
    sort(store, settings, room.clock)


@pytest.mark.parametrize("text", MISTAKES)
def test_the_message_waits_and_no_other_does(store: Store, tmp_path: Path, text: str) -> None:
    with Hook() as hook:
        settings = config(tmp_path, hook.address)
        template = tmp_path / "own" / "short.txt"
        template.write_text(text, encoding="utf-8")
        published(store, settings)
        sent = Post(settings, store).send()
        assert (sent.sent, sent.failed, len(hook.posted)) == (1, 1, 1)
        states = {message.subscription: delivery for message, delivery in store.outbox.ledger()}
        assert states["full"].state is State.SENT
        assert (states["short"].state, states["short"].tries) == (State.PENDING, 0)
        assert MISTAKES[text] in (states["short"].failure or "")
        template.write_text("{{ entry.headline }}", encoding="utf-8")
        store.outbox.again(NOON)
        assert Post(settings, store).send().sent == 1
        assert set(hook.keys.values()) == {1}


def test_a_folder_that_is_missing_is_said_before_a_run(tmp_path: Path) -> None:
    settings = config(tmp_path, "json://127.0.0.1:1").model_copy(update={"templates": tmp_path / "nowhere"})
    with pytest.raises(ConfigError, match=r"templates: .*nowhere is no folder"):
        prepare(settings)


def test_what_ails_the_alerts_is_no_trouble_of_the_store(tmp_path: Path) -> None:
    receiver = Receiver()
    settings = config(tmp_path, "json://127.0.0.1:1", alarms={"channels": [receiver.address]})
    settings = settings.model_copy(update={"templates": tmp_path / "nowhere"})
    blocked = SimpleNamespace(source="mfa", run=None, reason="No.", exit_code=11, stopped=False, at_limit=False)
    tell(settings, [cast(Outcome, blocked)])
    receiver.close()
    assert receiver.titles == ["mfa: failed"]
