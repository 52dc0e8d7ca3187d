"""`crawler alerts` and `crawler subscribe`, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.webhook_server import WebhookServer
from typer.testing import CliRunner, Result

from crawler.cli.app import app
from crawler.config import load_config
from crawler.errors import ConfigError, CrawlerError, Unreachable, UsageError
from crawler.notify.routing import route_events
from crawler.service.notifications import begin_subscriptions, notify_about_runs
from crawler.store import open_store

TOML = """# mine
contact = "press@example.org"  # keep me

[channels]
desk = "ADDRESS"

[subscriptions.press]
channels = ["desk"]
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def out(*words: object) -> str:
    done = run(*words)
    assert done.exit_code == 0, done.exception or done.output
    return done.output


def refused(kind: type[CrawlerError], *words: object) -> str:
    done = run(*words)
    assert isinstance(done.exception, kind), done.output
    return str(done.exception)


@pytest.fixture
def hook() -> Iterator[WebhookServer]:
    with WebhookServer() as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, hook: WebhookServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, and a store with one article told, one quiet, one that nobody asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path))
    (tmp_path / "crawler.toml").write_text(TOML.replace("ADDRESS", hook.address), encoding="utf-8")
    config = load_config()
    with open_store(config.database_url) as store:
        room = ArticlePublisher(store)
        store.subscriptions.get_or_start(["press"], NOON)
        room.publish("1", title="Первая встреча")
        room.publish("2", title="Старая встреча", quiet="baseline", body="Делегация МККК посетила Тараз.")
        room.publish("3", title="Ковры", body="Открылась выставка ковров.")
        room.cluster_articles()
        route_events(store, config, room.clock)
    return tmp_path


def test_the_ledger_says_who_was_told_what_and_when(place: Path, hook: WebhookServer) -> None:
    assert "press → desk  alert: mfa:1:ru" in out("alerts")
    assert "1 message sent to subscribers" in out("alerts", "send")
    assert hook.titles == ["Первая встреча – Ministry of Foreign Affairs of Kazakhstan"]
    assert "sent 20" in out("alerts")
    (row,) = [json.loads(line) for line in out("alerts", "--json").splitlines()]
    assert {key: row[key] for key in ("subscription", "channel", "kind", "state", "tries", "articles")} == {
        "subscription": "press",
        "channel": "desk",
        "kind": "alert",
        "state": "sent",
        "tries": 1,
        "articles": ["mfa:1:ru"],
    }
    assert out("alerts", "send").strip() == "Nothing was due."
    assert "0 shown" in out("alerts", "--failed")


def test_what_failed_is_listed_with_its_reason_and_tried_again(place: Path, hook: WebhookServer) -> None:
    hook.failing = 1.0
    assert "1 message not sent, tried again later: desk: the receiver answered 500" in out("alerts", "send")
    assert "1 try: the receiver answered 500" in out("alerts", "--failed")
    done = run("alerts", "retry")
    assert (done.exit_code, "1 tried again." in done.output) == (1, True)
    hook.failing = 0.0
    assert "1 message sent" in out("alerts", "retry")
    assert "no message 99" in refused(UsageError, "alerts", "retry", 99).replace("There is ", "")


@pytest.mark.parametrize(
    ("article", "words"),
    [
        ("mfa:1:ru", "press: due on desk"),
        (
            "mfa:2:ru",
            "not notified, because it was stored when its source, or this language of it, was read for the first",
        ),
        ("mfa:3:ru", "Not notified, because no rule matches it."),
    ],
)
def test_each_silence_has_its_reason(place: Path, article: str, words: str) -> None:
    assert words in out("alerts", "explain", article)


def test_what_was_told_is_explained_with_time_and_message(place: Path) -> None:
    out("alerts", "send")
    assert "press: sent on desk 20" in out("alerts", "explain", "mfa:1:ru")
    assert "(message 1)" in out("alerts", "explain", "mfa:1:ru")


def test_a_channel_is_tried(place: Path, hook: WebhookServer) -> None:
    assert "desk (never tested)" in out("config")
    assert "desk: sent." in out("alerts", "test", "desk", "--output-language", "kk")
    assert hook.titles == ["Сынақ хабарлама"]
    assert "channels      desk (tested 20" in out("config")
    hook.failing = 1.0
    assert "the receiver answered 500" in refused(Unreachable, "alerts", "test", "desk")
    assert "did you mean 'desk'" in refused(UsageError, "alerts", "test", "dsk")
    assert "There is no language 'de'" in refused(UsageError, "alerts", "test", "desk", "--language", "de")


def test_a_subscription_is_written_changed_and_removed_and_the_rest_of_the_file_stays(place: Path) -> None:
    file = place / "crawler.toml"
    before = file.read_text(encoding="utf-8")
    out("subscribe", "late", "--channel", "desk", "--rule", "ihl", "--when", "daily 08:30", "--language", "kk")
    late = load_config().subscriptions["late"]
    assert (late.rules, str(late.when), late.language) == (("ihl",), "daily 08:30", "kk")
    assert file.read_text(encoding="utf-8").startswith(before.rstrip())
    out("subscribe", "late", "--quiet", "22:00-07:00")
    assert str(load_config().subscriptions["late"].quiet) == "22:00-07:00"
    listed = out("subscribe")
    assert "press: realtime to desk, every rule, every source; full messages in en" in listed
    assert "late: daily 08:30 to desk, ihl, every source; full messages in kk; quiet 22:00-07:00" in listed
    out("subscribe", "late", "--remove")
    assert list(load_config().subscriptions) == ["press"]
    assert "# keep me" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (("late",), UsageError, "needs a channel"),
        (("late", "--channel", "dsk"), ConfigError, "[channels] has no 'dsk', did you mean 'desk'?"),
        (("late", "--channel", "desk", "--when", "sometimes"), ConfigError, "write realtime, hourly"),
        (("Über", "--channel", "desk"), ConfigError, "is no name"),
        (("nobody", "--remove"), UsageError, "has no subscription 'nobody'"),
    ],
)
def test_a_wrong_subscription_leaves_the_file_as_it_was(
    place: Path, words: tuple[str, ...], kind: type[CrawlerError], said: str
) -> None:
    before = (place / "crawler.toml").read_bytes()
    assert said in refused(kind, "subscribe", *words)
    assert (place / "crawler.toml").read_bytes() == before
    assert sorted(path.name for path in place.glob(".crawler.toml*")) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('rules = ["red-cros"]', "subscriptions.press: there is no rule 'red-cros', did you mean"),
        ('sources = ["mfaa"]', "subscriptions.press: there is no source 'mfaa', did you mean 'mfa'?"),
        ('chanels = ["desk"]', "there is no setting 'subscriptions.press.chanels', did you mean 'channels'?"),
    ],
)
def test_a_wrong_word_is_refused_before_a_run(place: Path, options: str, said: str) -> None:
    file = place / "crawler.toml"
    file.write_text(file.read_text(encoding="utf-8") + options, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        begin_subscriptions(load_config())
    assert said in str(caught.value)


def test_an_address_in_a_file_of_its_own_is_read_and_never_shown(place: Path, hook: WebhookServer) -> None:
    secret = place / "secret"
    secret.write_text(hook.address + "\n", encoding="utf-8")
    file = place / "crawler.toml"
    file.write_text(TOML.replace('desk = "ADDRESS"', f'desk.file = "{secret}"'), encoding="utf-8")
    assert "desk: sent." in out("alerts", "test", "desk")
    assert "geheim" not in repr(load_config())
    secret.write_text("one\ntwo", encoding="utf-8")
    said = refused(ConfigError, "alerts")
    assert "must contain one address and nothing else" in said
    assert "one\\ntwo" not in said


def test_a_store_that_is_away_is_a_warning_and_no_end(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    values: dict[str, Any] = {"database": f"sqlite:///{place / 'crawler.toml' / 'x.db'}"}
    monkeypatch.setenv("CRAWLER_DATABASE", values["database"])
    assert notify_about_runs(load_config(), ()) == []
    assert "Alarms could not be updated or sent" in caplog.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rule", "red-cros"), "there is no rule 'red-cros', did you mean 'red-cross-movement'?"),
        (("--source", "mfaa"), "there is no source 'mfaa', did you mean 'mfa'?"),
    ],
)
def test_a_subscription_that_no_run_could_use_is_not_written(place: Path, words: tuple[str, ...], said: str) -> None:
    before = (place / "crawler.toml").read_bytes()
    assert said in refused(ConfigError, "subscribe", "late", "--channel", "desk", *words)
    assert (place / "crawler.toml").read_bytes() == before


def test_what_cannot_be_tried_again_is_said(place: Path) -> None:
    out("alerts", "send")
    assert "nothing was tried again" in out("alerts", "retry", 1)
    assert "did you mean 'desk'" in refused(UsageError, "alerts", "retry", "--channel", "dsk")


def test_alarms_may_go_to_a_named_channel(place: Path, hook: WebhookServer) -> None:
    file = place / "crawler.toml"
    file.write_text(
        file.read_text(encoding="utf-8") + '\n[alarms]\nchannels = ["desk", "json://h"]\n', encoding="utf-8"
    )
    assert load_config().alarm_addresses == (hook.address, "json://h")
