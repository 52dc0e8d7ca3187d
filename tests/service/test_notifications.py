"""Telling after runs: alarms and subscribers' messages stand each on their own, and no untrue word goes out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.alarm_webhook import AlarmWebhook
from support.article_publisher import ArticlePublisher
from support.empty_stores import open_test_store

from crawler.config import AlarmsConfig, Config
from crawler.errors import ConfigError, SourceLocked
from crawler.items import Health, Run
from crawler.service import notifications
from crawler.service.notifications import begin_subscriptions, notify_about_runs
from crawler.service.run import RunOutcome


@pytest.fixture
def receiver() -> Iterator[AlarmWebhook]:
    one = AlarmWebhook()
    yield one
    one.close()


def make_alarm_config(folder: Path, receiver: AlarmWebhook, **more: Any) -> Config:
    desk = {"channels": {"desk": "json://127.0.0.1:1"}, "subscriptions": {"press": {"channels": ["desk"]}}}
    return Config.model_validate({"data_dir": folder, "alarms": {"channels": [receiver.address]}, **desk, **more})


def blocked(settings: Config) -> RunOutcome:
    """A run that the site refused, as it stands in the store."""
    with open_test_store(settings.database_url) as store:
        run = store.runs.record_start(Run(source="mfa", started_at=datetime.now(UTC) - timedelta(minutes=1)))
    run = Run(id=run.id, source="mfa", started_at=run.started_at, health=Health.BLOCKED, exit_code=11)
    return RunOutcome(source="mfa", run=run, exit_code=11, reason="The site refuses.")


def test_a_broken_template_keeps_no_alarm_back_and_makes_none(
    tmp_path: Path, receiver: AlarmWebhook, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make_alarm_config(tmp_path, receiver, templates=tmp_path / "nowhere")
    assert notify_about_runs(settings, [blocked(settings)]) == []
    assert receiver.titles == ["mfa: blocked"]
    assert "Messages to subscribers could not be made or sent: templates:" in caplog.text


def test_messages_that_come_late_open_an_alarm(tmp_path: Path, receiver: AlarmWebhook) -> None:
    desk = AlarmWebhook()
    settings = make_alarm_config(tmp_path, receiver, channels={"desk": desk.address})
    begin_subscriptions(settings)
    now = datetime.now(UTC)
    with open_test_store(settings.database_url) as store:
        store.subscriptions.get_or_start(["press"], now)
        publisher = ArticlePublisher(store)
        publisher.clock = now
        publisher.publish("1", published_at=now - timedelta(minutes=61), title="О встрече")
    healthy = RunOutcome(source="mfa", run=None, exit_code=0, reason="Good.")
    assert notify_about_runs(settings, [healthy], alarms=False) == ["1 message sent to subscribers"]
    assert receiver.titles == []  # a part of a source says nothing about it
    for _ in range(2):
        notify_about_runs(settings, [healthy])
    assert (len(desk.titles), receiver.titles) == (1, ["mfa: delayed"])
    notify_about_runs(
        settings.model_copy(update={"alarms": AlarmsConfig(channels=settings.alarms.channels, max_delay="2h")}),
        [healthy],
    )
    assert receiver.titles == ["mfa: delayed", "mfa: messages are in time again"]
    desk.close()


def test_without_a_store_only_trouble_is_told(tmp_path: Path, receiver: AlarmWebhook) -> None:
    settings = make_alarm_config(tmp_path, receiver, database="sqlite:////proc/crawler.db")
    trouble = {"run": None, "reason": "It could not begin."}
    held = RunOutcome(source="mfa", exit_code=SourceLocked.exit_code, **trouble)
    by_hand = RunOutcome(source="qazmonitor", exit_code=1, stopped=True, **trouble)
    notify_about_runs(settings, [held, by_hand, RunOutcome(source="ktkz", exit_code=2, **trouble)])
    assert receiver.titles == ["ktkz: failed, and the store cannot be written"]


def test_without_a_store_another_process_does_not_tell_the_same_trouble_again(
    tmp_path: Path, receiver: AlarmWebhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_alarm_config(tmp_path, receiver, database="sqlite:////proc/crawler.db")
    outcome = RunOutcome(source="mfa", run=None, exit_code=2, reason="It could not begin.")
    titles = ["mfa: failed, and the store cannot be written"]
    marker = tmp_path / "told-without-store" / "mfa"
    for hours in (0, 1, 7, 8):  # each in a process that knows nothing of the others
        monkeypatch.setattr(notifications, "_unstored_alarms", {})
        if hours:
            ago = (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
            os.utime(marker, (ago, ago))
        notify_about_runs(settings, [outcome])
        assert receiver.titles == titles * (1 if hours < 6 else hours - 5)


def test_an_alarm_channel_that_cannot_be_used_is_refused_before_runs(tmp_path: Path) -> None:
    settings = Config.model_validate({"data_dir": tmp_path, "alarms": {"channels": ["nonsense://geheim"]}})
    with pytest.raises(ConfigError, match=r"alarms\.channels, address 1 of 1"):
        begin_subscriptions(settings)
