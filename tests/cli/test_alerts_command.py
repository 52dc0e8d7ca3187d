"""`crawler alerts` and `crawler subscribe`, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.empty_stores import open_test_store
from support.webhook_server import WebhookServer
from typer.testing import CliRunner, Result

from crawler.cli.app import app
from crawler.config import load_config
from crawler.errors import ConfigError, CrawlerError, Unreachable, UsageError
from crawler.notify.routing import route_events
from crawler.service.notifications import begin_subscriptions, notify_about_runs

TOML = """# mine
contact = "press@example.org"  # keep me

[channels]
desk = "ADDRESS"

[subscriptions.press]
channels = ["desk"]
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def get_output(*words: object) -> str:
    done = run(*words)
    assert done.exit_code == 0, done.exception or done.output
    return done.output


def get_refusal(kind: type[CrawlerError], *words: object) -> str:
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
    with open_test_store(config.database_url) as store:
        room = ArticlePublisher(store)
        store.subscriptions.get_or_start(["press"], NOON)
        room.publish("1", title="Первая встреча")
        room.publish("2", title="Старая встреча", quiet="baseline", body="Делегация МККК посетила Тараз.")
        room.publish("3", title="Ковры", body="Открылась выставка ковров.")
        room.cluster_articles()
        route_events(store, config, room.clock)
    return tmp_path


@pytest.mark.slow
def test_messages_are_listed_with_their_deliveries(place: Path, hook: WebhookServer) -> None:
    assert "press → desk  alert: mfa:1:ru" in get_output("alerts")
    assert "1 message sent to subscribers" in get_output("alerts", "send")
    assert hook.titles == ["Первая встреча – Ministry of Foreign Affairs of Kazakhstan"]
    assert "sent 20" in get_output("alerts")
    (row,) = [json.loads(line) for line in get_output("alerts", "--json").splitlines()]
    assert {key: row[key] for key in ("subscription", "channel", "kind", "state", "tries", "articles")} == {
        "subscription": "press",
        "channel": "desk",
        "kind": "alert",
        "state": "sent",
        "tries": 1,
        "articles": ["mfa:1:ru"],
    }
    assert get_output("alerts", "send").strip() == "Nothing was due."
    assert "0 shown" in get_output("alerts", "--failed")


def test_failed_messages_are_listed_and_retried(place: Path, hook: WebhookServer) -> None:
    hook.failing = 1.0
    assert "1 message not sent, tried again later: desk: the receiver answered 500" in get_output("alerts", "send")
    assert "1 try: the receiver answered 500" in get_output("alerts", "--failed")
    done = run("alerts", "retry")
    assert (done.exit_code, "1 tried again." in done.output) == (1, True)
    hook.failing = 0.0
    assert "1 message sent" in get_output("alerts", "retry")
    assert "no message 99" in get_refusal(UsageError, "alerts", "retry", 99).replace("There is ", "")


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
def test_explain_gives_the_reason_for_no_message(place: Path, article: str, words: str) -> None:
    assert words in get_output("alerts", "explain", article)


def test_explain_gives_time_and_number_of_a_message(place: Path) -> None:
    get_output("alerts", "send")
    assert "press: sent on desk 20" in get_output("alerts", "explain", "mfa:1:ru")
    assert "(message 1)" in get_output("alerts", "explain", "mfa:1:ru")


def test_channel_test(place: Path, hook: WebhookServer) -> None:
    assert "desk (never tested)" in get_output("config")
    assert "desk: sent." in get_output("alerts", "test", "desk", "--output-language", "kk")
    assert hook.titles == ["Сынақ хабарлама"]
    assert "channels      desk (tested 20" in get_output("config")
    hook.failing = 1.0
    assert "the receiver answered 500" in get_refusal(Unreachable, "alerts", "test", "desk")
    assert "desk (last test failed 20" in get_output("config")
    assert "missing       the last test of channel desk failed" in get_output("config")
    hook.failing = 0.0
    get_output("alerts", "test", "desk")
    assert "desk (tested 20" in get_output("config")
    assert "did you mean 'desk'" in get_refusal(UsageError, "alerts", "test", "dsk")
    assert "There is no language 'de'" in get_refusal(UsageError, "alerts", "test", "desk", "--language", "de")


def test_an_unknown_subscription_is_refused(place: Path) -> None:
    assert "no subscription 'pres', did you mean 'press'?" in get_refusal(
        UsageError, "alerts", "--subscription", "pres"
    )
    (place / "crawler.toml").unlink()
    assert "press → desk" in get_output("alerts", "--subscription", "press"), "a former subscription"
    assert "there are none." in get_refusal(UsageError, "alerts", "--subscription", "nosuch")


def test_an_empty_store_has_no_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path))
    assert get_output("alerts") == "No messages yet.\n"


def test_subscribe_keeps_the_rest_of_the_file(place: Path) -> None:
    file = place / "crawler.toml"
    before = file.read_text(encoding="utf-8")
    get_output("subscribe", "late", "--channel", "desk", "--rule", "ihl", "--when", "daily 08:30", "--language", "kk")
    late = load_config().subscriptions["late"]
    assert (late.rules, str(late.when), late.language) == (("ihl",), "daily 08:30", "kk")
    assert file.read_text(encoding="utf-8").startswith(before.rstrip())
    get_output("subscribe", "late", "--quiet", "22:00-07:00")
    assert str(load_config().subscriptions["late"].quiet) == "22:00-07:00"
    listed = get_output("subscribe")
    assert "press: realtime to desk, every rule, every source; full messages in en" in listed
    assert "late: daily 08:30 to desk, ihl, every source; full messages in kk; quiet 22:00-07:00" in listed
    get_output("subscribe", "late", "--remove")
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
def test_wrong_subscription_leaves_the_file_unchanged(
    place: Path, words: tuple[str, ...], kind: type[CrawlerError], said: str
) -> None:
    before = (place / "crawler.toml").read_bytes()
    assert said in get_refusal(kind, "subscribe", *words)
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
def test_unknown_rule_or_source_is_refused_before_a_run(place: Path, options: str, said: str) -> None:
    file = place / "crawler.toml"
    file.write_text(file.read_text(encoding="utf-8") + options, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        begin_subscriptions(load_config())
    assert said in str(caught.value)


def test_address_in_a_file_is_read_and_not_printed(place: Path, hook: WebhookServer) -> None:
    secret = place / "secret"
    secret.write_text(hook.address + "\n", encoding="utf-8")
    file = place / "crawler.toml"
    file.write_text(TOML.replace('desk = "ADDRESS"', f'desk.file = "{secret}"'), encoding="utf-8")
    assert "desk: sent." in get_output("alerts", "test", "desk")
    assert "geheim" not in repr(load_config())
    secret.write_text("one\ntwo", encoding="utf-8")
    said = get_refusal(ConfigError, "alerts")
    assert "must contain one address and nothing else" in said
    assert "one\\ntwo" not in said


def test_unreachable_store_is_a_warning(
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
def test_unusable_subscription_is_not_written(place: Path, words: tuple[str, ...], said: str) -> None:
    before = (place / "crawler.toml").read_bytes()
    assert said in get_refusal(ConfigError, "subscribe", "late", "--channel", "desk", *words)
    assert (place / "crawler.toml").read_bytes() == before


def test_retry_without_a_failed_message(place: Path) -> None:
    get_output("alerts", "send")
    assert "nothing was tried again" in get_output("alerts", "retry", 1)
    assert "did you mean 'desk'" in get_refusal(UsageError, "alerts", "retry", "--channel", "dsk")


def test_alarms_may_go_to_a_named_channel(place: Path, hook: WebhookServer) -> None:
    file = place / "crawler.toml"
    file.write_text(
        file.read_text(encoding="utf-8") + '\n[alarms]\nchannels = ["desk", "json://h"]\n', encoding="utf-8"
    )
    addresses = [each.get_secret_value() for each in load_config().alarm_channels.values()]
    assert addresses == [hook.address, "json://h"]


def test_the_name_of_the_operator_is_refused(place: Path) -> None:
    said = get_refusal(ConfigError, "subscribe", "operator", "--channel", "desk")
    assert said.endswith("the subscription operator is the built-in one of the alarms, so name yours operator-alerts.")
    file = place / "crawler.toml"
    text = file.read_text(encoding="utf-8")
    sections = '[subscriptions.operator-alerts]\nchannels = ["desk"]\n[subscriptions.operator]\nchannels = ["desk"]\n'
    file.write_text(f"{text}\n{sections}", encoding="utf-8")
    assert "so name yours operator-alerts-2." in get_refusal(ConfigError, "alerts")


def test_drift_without_a_live_run(place: Path) -> None:
    assert get_output("drift", "mfa") == "mfa: No live run has been measured yet.\n"


def test_snapshot_of_no_url(place: Path) -> None:
    for words in (("snapshot", "foo"), ("crawl", "--url", "foo"), ("crawl", "mfa", "--url", "foo")):
        assert get_refusal(UsageError, *words).startswith("'foo' is no address of a page: write it whole, such as ")
    foreign = get_refusal(UsageError, "snapshot", "https://elsewhere.example/1")
    assert "such as `crawler snapshot --source mfa https://elsewhere.example/1`" in foreign
