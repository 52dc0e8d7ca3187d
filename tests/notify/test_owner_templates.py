"""An owner's templates with a mistake: the error names file and line, the message waits, others do not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.alarm_webhook import AlarmWebhook
from support.article_publisher import NOON, ArticlePublisher
from support.webhook_server import WebhookServer

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.notify.dispatcher import Dispatcher
from crawler.notify.routing import route_events
from crawler.service.notifications import begin_subscriptions, notify_about_runs
from crawler.service.run import RunOutcome
from crawler.store import DeliveryState, Store

MISTAKES = {
    "{{ entry.headline }\n": "short.txt:1 cannot be used: unexpected '}'",
    "{{ entry.headline }}\n{{ entry.headlin }}\n": "short.txt:2 cannot be used: 'crawler.publish.entries.Entry object'",
    "\n\n{{ 1 // 0 }}\n": "short.txt:3 cannot be used: ZeroDivisionError: integer division or modulo by zero",
    "{% for i in range(10 ** 9) %}{% endfor %}": "short.txt:1 cannot be used: OverflowError: Range too big",
    "{{ entry.headline + 1 }}": "short.txt:1 cannot be used: TypeError: can only concatenate str",
}


def make_template_config(tmp_path: Path, address: str, **more: Any) -> Config:
    """Return a configuration with two subscriptions. The second one uses an owner's template."""
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


def publish(store: Store, settings: Config) -> None:
    publisher = ArticlePublisher(store)
    store.subscriptions.get_or_start(list(settings.subscriptions), NOON)
    publisher.publish("1")
    publisher.cluster_articles()
    route_events(store, settings, publisher.clock)


@pytest.mark.parametrize("text", MISTAKES)
def test_the_message_waits_and_no_other_does(store: Store, tmp_path: Path, text: str) -> None:
    with WebhookServer() as hook:
        settings = make_template_config(tmp_path, hook.address)
        template = tmp_path / "own" / "short.txt"
        template.write_text(text, encoding="utf-8")
        publish(store, settings)
        sent = Dispatcher(settings, store).send_due()
        assert (sent.sent, sent.failed, len(hook.requests)) == (1, 1, 1)
        states = {message.subscription: delivery for message, delivery in store.deliveries.list_newest()}
        assert states["full"].state is DeliveryState.SENT
        assert (states["short"].state, states["short"].tries) == (DeliveryState.PENDING, 0)
        assert MISTAKES[text] in (states["short"].failure or "")
        template.write_text("{{ entry.headline }}", encoding="utf-8")
        store.deliveries.retry_failed(NOON)
        assert Dispatcher(settings, store).send_due().sent == 1
        assert set(hook.keys.values()) == {1}


def test_a_missing_folder_is_an_error_before_a_run(tmp_path: Path) -> None:
    settings = make_template_config(tmp_path, "json://127.0.0.1:1").model_copy(
        update={"templates": tmp_path / "nowhere"}
    )
    with pytest.raises(ConfigError, match=r"templates: .*nowhere is no folder"):
        begin_subscriptions(settings)


def test_a_template_error_is_no_store_error(tmp_path: Path) -> None:
    receiver = AlarmWebhook()
    settings = make_template_config(tmp_path, "json://127.0.0.1:1", alarms={"channels": [receiver.address]})
    settings = settings.model_copy(update={"templates": tmp_path / "nowhere"})
    blocked = SimpleNamespace(source="mfa", run=None, reason="No.", exit_code=11, stopped=False, at_limit=False)
    notify_about_runs(settings, [cast(RunOutcome, blocked)])
    receiver.close()
    assert receiver.titles == ["mfa: failed"]
