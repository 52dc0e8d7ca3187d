"""The dead man's switch: requested after a round that worked, and after no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.article_publisher import ArticlePublisher
from support.empty_stores import open_test_store
from support.server_thread import start_server_thread
from support.webhook_server import WebhookServer

from crawler.config import Config
from crawler.config.secret_removal import remove_secrets
from crawler.errors import SourceLocked
from crawler.items import Health, Run
from crawler.service.dead_man_switch import get_last_heartbeat
from crawler.service.notifications import notify_about_runs
from crawler.service.run import RunOutcome


class HeartbeatServer:
    """A web server on loopback that counts requests and answers with `status`."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.status = 200
        counter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                counter.paths.append(self.path)
                self.send_response(counter.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        start_server_thread(self.server)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/geheim"


@pytest.fixture
def beats() -> Iterator[HeartbeatServer]:
    one = HeartbeatServer()
    yield one
    one.server.shutdown()
    one.server.server_close()


def make_outcome(config: Config, exit_code: int = 0, **values: Any) -> RunOutcome:
    """Return a run as it ended, stored."""
    health = Health.BLOCKED if exit_code else Health.HEALTHY
    with open_test_store(config.database_url) as store:
        run = store.runs.record_start(Run(source="mfa", started_at=datetime.now(UTC) - timedelta(minutes=1)))
    ended = Run(id=run.id, source="mfa", started_at=run.started_at, health=health, exit_code=exit_code)
    return RunOutcome(source="mfa", run=ended, exit_code=exit_code, reason="x", **values)


def test_a_round_that_worked_is_reported(tmp_path: Path, beats: HeartbeatServer) -> None:
    config = Config.model_validate({"data_dir": tmp_path, "heartbeat_url": beats.address})
    assert get_last_heartbeat(config) is None
    notify_about_runs(config, [make_outcome(config)])
    assert beats.paths == ["/geheim"]
    last = get_last_heartbeat(config)
    assert last is not None
    assert abs(datetime.now(UTC) - last) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("exit_codes", "values", "alarms"),
    [
        ([], {}, True),
        ([0, 11], {}, True),
        ([SourceLocked.exit_code], {}, True),
        ([0], {"stopped": True}, True),
        ([0], {}, False),
    ],
    ids=["no run", "a failed run", "a run skipped", "a run stopped by hand", "a run of a part"],
)
def test_other_rounds_are_not_reported(
    tmp_path: Path, beats: HeartbeatServer, exit_codes: list[int], values: dict[str, Any], alarms: bool
) -> None:
    config = Config.model_validate({"data_dir": tmp_path, "heartbeat_url": beats.address})
    notify_about_runs(config, [make_outcome(config, code, **values) for code in exit_codes], alarms=alarms)
    assert beats.paths == []
    assert get_last_heartbeat(config) is None


def test_no_heartbeat_while_a_message_waits_after_a_failure(tmp_path: Path, beats: HeartbeatServer) -> None:
    with WebhookServer(failing=1.0) as hook:
        config = Config.model_validate(
            {
                "data_dir": tmp_path,
                "heartbeat_url": beats.address,
                "channels": {"desk": hook.address},
                "subscriptions": {"press": {"channels": ["desk"]}},
            }
        )
        with open_test_store(config.database_url) as store:
            publisher = ArticlePublisher(store)
            store.subscriptions.get_or_start(["press"], publisher.clock - timedelta(days=1))
            publisher.publish("1")
            publisher.cluster_articles()
        notify_about_runs(config, [make_outcome(config)])
        notify_about_runs(config, [make_outcome(config)])  # nothing is due, but the message did not arrive
        assert beats.paths == []
        hook.failing = 0.0
        with open_test_store(config.database_url) as store:
            store.deliveries.retry_failed(datetime.now(UTC))
        notify_about_runs(config, [make_outcome(config)])
        assert beats.paths == ["/geheim"]


def test_a_refused_heartbeat_is_logged_without_its_address(
    tmp_path: Path, beats: HeartbeatServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    config = Config.model_validate({"data_dir": tmp_path, "heartbeat_url": beats.address})
    beats.status = 500
    notify_about_runs(config, [make_outcome(config)])
    assert "heartbeat_url answered 500" in caplog.text
    unreachable = Config.model_validate({"data_dir": tmp_path, "heartbeat_url": "http://127.0.0.1:1/geheim"})
    notify_about_runs(unreachable, [make_outcome(config)])
    assert "heartbeat_url could not be requested (ConnectionError)" in caplog.text
    assert "geheim" not in caplog.text + repr(config) + config.model_dump_json()
    assert get_last_heartbeat(config) is None


@pytest.mark.parametrize(
    "line", ['heartbeat_url = "https://example.org/geheim"', "# heartbeat_url = 'https://x.org/geheim'"]
)
def test_a_backup_does_not_contain_the_address(line: str) -> None:
    safe = remove_secrets(f'contact = "a@example.org"\n{line}\n')
    assert "geheim" not in safe.text
    assert "a@example.org" in safe.text
