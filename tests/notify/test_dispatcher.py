"""From the outbox to channels: nothing lost, nothing sent under two keys, no secrets shown, Kazakh letters intact."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.factories import make_config
from support.mail_box import MailBox
from support.webhook_server import WebhookRequest, WebhookServer

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.notify import dispatcher
from crawler.notify.dispatcher import Dispatcher
from crawler.notify.rendering import make_test_message as a_letter
from crawler.notify.routing import route_events
from crawler.notify.transports import DeliveryError, Transport
from crawler.store import DeliveryState, Store


@pytest.fixture
def hook() -> Iterator[WebhookServer]:
    with WebhookServer() as one:
        yield one


@pytest.fixture
def box() -> Iterator[MailBox]:
    one = MailBox()
    yield one
    one.controller.stop()


def publish(store: Store, settings: Config, *names: str, **values: Any) -> ArticlePublisher:
    """Publish articles and route them, due now."""
    publisher = ArticlePublisher(store)
    store.subscriptions.get_or_start(list(settings.subscriptions), NOON - timedelta(days=1))
    for name in names or ("1",):
        publisher.publish(name, **{"title": f"Встреча {name}", "topic": f"вопрос {name} {name} {name}", **values})
    publisher.cluster_articles()
    route_events(store, settings, publisher.clock)
    return publisher


def list_states(store: Store) -> list[DeliveryState]:
    return [delivery.state for _, delivery in store.deliveries.list_newest()]


def make_due(store: Store) -> None:
    """End the wait for the next attempt."""
    store.deliveries.retry_failed(datetime.now(UTC))


def test_an_alert_arrives_with_its_key(store: Store, hook: WebhookServer) -> None:
    settings = make_config(hook.address)
    publish(store, settings)
    sent = Dispatcher(settings, store).send_due()
    ((message, delivery),) = store.deliveries.list_newest()
    assert (sent.sent, delivery.state, delivery.tries) == (1, DeliveryState.SENT, 1)
    (posted,) = hook.requests
    assert posted.key == message.key
    assert "*МККК*" in posted.text
    assert Dispatcher(settings, store).send_due().sent == 0
    assert len(hook.requests) == 1


def test_a_failed_delivery_is_retried_and_then_given_up(store: Store, hook: WebhookServer) -> None:
    settings, hook.failing = make_config(hook.address), 1.0
    publish(store, settings)
    before = datetime.now(UTC)
    Dispatcher(settings, store).send_due()
    ((_, first),) = store.deliveries.list_newest()
    assert (first.state, first.tries, first.failure) == (DeliveryState.PENDING, 1, "the receiver answered 500")
    assert timedelta(seconds=50) < first.next_try_at - before < timedelta(minutes=2)
    for _ in range(dispatcher.MAX_ATTEMPTS - 1):
        with store.transaction():
            ((_, waiting),) = store.deliveries.list_newest()
            store.deliveries.save_result(waiting, dispatcher.replace(waiting, next_try_at=before))
        Dispatcher(settings, store).send_due()
    assert list_states(store) == [DeliveryState.DEAD]
    hook.failing = 0.0
    assert Dispatcher(settings, store).send_due().sent == 0
    make_due(store)
    assert Dispatcher(settings, store).send_due().sent == 1
    assert list_states(store) == [DeliveryState.SENT]


@pytest.mark.slow
def test_a_receiver_that_fails_holds_up_no_other(store: Store, hook: WebhookServer) -> None:
    with WebhookServer(hangs=True) as stuck:
        settings = Config.model_validate(
            {
                "channels": {"stuck": stuck.address + "&rto=0.5", "desk": hook.address},
                "subscriptions": {
                    "one": {"channels": ["stuck", "desk"], "unit": "article", "burst": 30},
                },
            }
        )
        publish(store, settings, *[str(number) for number in range(12)])
        sent = Dispatcher(settings, store).send_due()
    assert sent.sent == 12
    assert len(hook.requests) == 12
    assert (
        dispatcher.MAX_FAILURES_IN_A_ROW
        <= stuck.request_count
        <= dispatcher.MAX_FAILURES_IN_A_ROW + dispatcher.MAX_PARALLEL_DELIVERIES
    )


@pytest.mark.slow
def test_a_receiver_that_fails_at_random_gets_each_message_once(store: Store) -> None:
    with WebhookServer(failing=0.5) as hook:
        settings = make_config(hook.address, unit="article", burst=50)
        publish(store, settings, *[str(number) for number in range(30)])
        for _ in range(40):
            if not Dispatcher(settings, store).send_due() and list_states(store).count(DeliveryState.SENT) == 30:
                break
            make_due(store)
        assert len(hook.keys) == 30
        assert set(hook.keys.values()) == {1}


@pytest.mark.slow
def test_one_attempt_of_many_that_fails_is_retried_under_its_key(store: Store) -> None:
    with WebhookServer() as hook:
        late = threading.Event()
        accept = hook.accept

        def accept_late(posted: WebhookRequest) -> int:
            """Take the tenth message, and answer when its sender no longer waits."""
            if hook.request_count == 9 and not late.is_set():
                late.set()
                accept(posted)
                time.sleep(0.5)
                return 200
            return accept(posted)

        hook.accept = accept_late  # type: ignore[method-assign]
        settings = make_config(f"{hook.address}&rto=0.3", unit="article", burst=50)
        publish(store, settings, *[str(number) for number in range(20)])
        sent = Dispatcher(settings, store).send_due()
        assert (sent.sent, sent.failed, sent.dead) == (19, 1, 0)
        assert store.deliveries.has_waiting_failure()
        make_due(store)
        assert Dispatcher(settings, store).send_due().sent == 1
        assert sorted(hook.keys.values()) == [1] * 19 + [2]
        assert set(list_states(store)) == {DeliveryState.SENT}


@pytest.mark.slow
def test_two_senders_at_once_send_each_message_once(store: Store, hook: WebhookServer) -> None:
    settings = make_config(hook.address, unit="article", burst=50)
    publish(store, settings, *[str(number) for number in range(20)])
    threads = [threading.Thread(target=Dispatcher(settings, store).send_due) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hook.keys) == 20
    assert set(hook.keys.values()) == {1}


def test_a_killed_sender_leaves_its_message_under_the_same_key(
    store: Store, hook: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_config(hook.address)
    publish(store, settings)
    monkeypatch.setattr(dispatcher, "LEASE_DURATION", timedelta(seconds=-1))  # its lease ends at once

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Dispatcher, "_record_success", dies)
        with pytest.raises(KeyboardInterrupt):
            Dispatcher(settings, store).send_due()
    Dispatcher(settings, store).send_due()
    assert list(hook.keys.values()) == [2]
    assert list_states(store) == [DeliveryState.SENT]


def test_a_mail_has_text_html_and_a_lasting_message_id(store: Store, box: MailBox) -> None:
    settings = make_config(box.make_address("press@example.kz"), language="kk")
    title = "Қазақстан мен Халықаралық Қызыл Крест Комитеті: өзара іс-қимыл әңгімесі ғой"
    publish(store, settings, title=title)
    Dispatcher(settings, store).send_due()
    ((message, _),) = store.deliveries.list_newest()
    (mail,) = box.mails
    assert mail["Subject"].startswith(title)
    assert mail["To"] == "press@example.kz"
    assert mail["Message-ID"] == f"<{message.key}@example.kz>"
    assert mail["X-Idempotency-Key"] == message.key
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Толық мәтінін оқу: https://" in text.get_content()
    assert "<mark>МККК</mark>" in html.get_content()
    assert title in html.get_content()


def test_each_recipient_gets_a_mail_and_a_refusal_is_reported(store: Store, box: MailBox) -> None:
    box.refuses = {"gone@example.kz"}
    settings = make_config(box.make_address("press@example.kz", "gone@example.kz"))
    publish(store, settings)
    Dispatcher(settings, store).send_due()
    assert [mail["To"] for mail in box.mails] == ["press@example.kz"]
    ((_, delivery),) = store.deliveries.list_newest()
    assert delivery.failure == "1 of the recipients were refused"
    make_due(store)
    Dispatcher(settings, store).send_due()
    assert len(box.mails) == 1  # the recipient who has it does not get it again
    box.refuses = set()
    make_due(store)
    assert Dispatcher(settings, store).send_due().sent == 1
    assert [mail["To"] for mail in box.mails] == ["press@example.kz", "gone@example.kz"]


def test_secrets_are_nowhere(store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with WebhookServer(failing=1.0) as hook:
        settings = make_config(hook.address)
        publish(store, settings)
        sent = Dispatcher(settings, store).send_due()
    ((_, delivery),) = store.deliveries.list_newest()
    said = f"{caplog.text} {sent.reasons} {delivery.failure} {settings!r} {settings.model_dump_json()}"
    assert "geheim" not in said
    assert b"geheim" not in (tmp_path / "crawler.db").read_bytes()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("json://127.0.0.1:1/geheim", "could not be reached"),
        ("mailto://user:geheim@127.0.0.1:1?from=c@b.kz&to=a@b.kz&mode=insecure", "could not be reached"),
    ],
)
def test_failures_are_described_in_our_own_words(address: str, reason: str) -> None:
    letter = a_letter("desk", "en", "Asia/Almaty", NOON)
    with pytest.raises(DeliveryError, match=reason) as caught:
        Transport("desk", address).send(letter)
    assert "geheim" not in str(caught.value)


def test_an_error_does_not_show_a_wrong_address() -> None:
    with pytest.raises(ConfigError, match=r"channels\.desk: Apprise does not know") as caught:
        Transport("channels.desk", "nonsense://geheim")
    assert "geheim" not in str(caught.value)


def test_messages_of_a_removed_channel_are_given_up(store: Store, hook: WebhookServer) -> None:
    publish(store, make_config(hook.address))
    sent = Dispatcher(Config(), store).send_due()
    ((_, delivery),) = store.deliveries.list_newest()
    assert (sent.dead, delivery.state) == (1, DeliveryState.DEAD)
    assert delivery.failure == "the channel 'desk' was removed"


def test_no_part_of_a_message_has_a_redacted_name(store: Store, box: MailBox) -> None:
    settings = make_config(box.make_address("a@b.kz"), redact=[r"Сполярич\w*", r"Мирьян\w*"], form="full")
    publisher = publish(store, settings, title="Встреча с Мирьяной Сполярич")
    first = store.articles.get("mfa:1:ru")
    assert first is not None
    publisher.revise(first, "Мирьяну Сполярич", "Мирьяну Сполярич-Эггер 7")
    publisher.cluster_articles()
    route_events(store, settings, publisher.clock)
    assert Dispatcher(settings, store).send_due().sent == 2
    for mail in box.mails:
        parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
        whole = " ".join([*parts, mail["Subject"]])
        assert not re.search("Сполярич|Мирьян", whole)
        assert "████" in whole
