"""What a web hook gets for programs: the same facts as the text, within the rights, with a signature that holds."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from support.article_publisher import NOON, ArticlePublisher
from support.factories import make_config
from support.webhook_server import WebhookServer

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.notify.dispatcher import Dispatcher
from crawler.notify.rendering import make_test_message
from crawler.notify.routing import route_events
from crawler.notify.transports import Transport
from crawler.store import Store


@pytest.fixture
def hook() -> Iterator[WebhookServer]:
    with WebhookServer() as one:
        yield one


def send_all(store: Store, config: Config, publisher: ArticlePublisher) -> None:
    publisher.cluster_articles()
    route_events(store, config, publisher.clock)
    Dispatcher(config, store, hold_bursts=False).send_due()


def begin(store: Store) -> ArticlePublisher:
    store.subscriptions.get_or_start(["press"], NOON - timedelta(days=1))
    return ArticlePublisher(store)


def read_bodies(hook: WebhookServer) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in hook.requests]


def test_an_alert_has_the_facts_of_its_article(store: Store, hook: WebhookServer) -> None:
    config, publisher = make_config(hook.address, language="ru"), begin(store)
    article = publisher.publish(
        "1", title="Казахстан и МККК: «вода»", more="Встреча прошла в здании министерства. " * 9
    )
    publisher.publish("1", "kk", title="Қазақстан мен ХҚКК")
    send_all(store, config, publisher)
    publisher.revise(article, "в ближайшие месяцы", "не позднее 15 мая 2026 года")
    send_all(store, config, publisher)
    new, revised = read_bodies(hook)
    assert (new["schema_version"], new["kind"], new["subscription"]) == (1, "alert", "press")
    (found,) = new["articles"]
    assert (found["id"], found["url"], found["language"]) == (article.id, article.url, "ru")
    assert (found["title"], found["verdict"], found["severity"]) == ("Казахстан и МККК: «вода»", "new", None)
    assert datetime.fromisoformat(found["published_at"]) == article.published_at
    assert {(match["rule"], match["strength"]) for match in found["matches"]} >= {(found["rules"][0], "strong")}
    assert "МККК" in {match["word"] for match in found["matches"]}
    assert isinstance(found["story"], int)
    assert [(other["id"], other["is_copy"]) for other in found["related"]] == [("mfa:1:kk", False)]
    assert "МККК" in found["excerpt"]
    (changed,) = revised["articles"]
    assert (changed["verdict"], changed["severity"], changed["version"]) == ("revised", "substantive", 2)
    assert any("15 мая 2026" in (change["after"] or "") for change in changed["changes"])
    assert new["title"]
    assert new["message"].count("МККК")


def test_nothing_beyond_the_rights_leaves(store: Store, hook: WebhookServer) -> None:
    permission = {"sources": {"mfa": {"excerpt_share": 0.0, "permission": "none"}}}
    config = make_config(hook.address, settings=permission, redact=[r"Сполярич\w*"])
    publisher = begin(store)
    article = publisher.publish("1")
    send_all(store, config, publisher)
    publisher.revise(article, "в ближайшие месяцы", "не позднее 15 мая 2026 года")
    send_all(store, config, publisher)
    for body in read_bodies(hook):
        (found,) = body["articles"]
        assert found["excerpt"] is None
        assert all(change["before"] is None and change["after"] is None for change in found["changes"])
        assert "консультации" not in json.dumps(body, ensure_ascii=False)
        assert "Сполярич" not in json.dumps(body, ensure_ascii=False)


def test_no_id_has_the_path_of_an_address_with_a_redacted_name(store: Store, hook: WebhookServer) -> None:
    web = {"web": {"address": "https://news.example"}}
    config, publisher = make_config(hook.address, settings=web, redact=["Aidos Bekovich"]), begin(store)
    path = "news/aidos-bekovich-met"
    article = publisher.publish(path, title="О встрече", url=f"https://www.gov.kz/{path}")
    publisher.publish(path, "kk", title="Кездесу", url=f"https://www.gov.kz/kk/{path}")
    send_all(store, config, publisher)
    publisher.revise(article, "в ближайшие месяцы", "не позднее 15 мая 2026 года")
    send_all(store, config, publisher)
    new, revised = read_bodies(hook)
    assert "bekovich" not in json.dumps([new, revised])
    assert new["articles"][0]["id"] == revised["articles"][0]["id"] != new["articles"][0]["related"][0]["id"]
    assert not any(link in each["message"] for link in ("news.example", "crawler diff") for each in (new, revised))


def test_a_bundle_names_every_article_once(store: Store, hook: WebhookServer) -> None:
    config, publisher = make_config(hook.address, unit="article", burst=1), begin(store)
    topics = ("воду в Аральске", "хлеб и зерно Костаная", "школы для врачей Семея", "архив пленных 1943 года")
    for name, topic in zip("1234", topics, strict=True):
        publisher.publish(name, title=f"Встреча: {topic}", topic=topic, more=f"{topic.title()}. " * 12)
    send_all(store, config, publisher)
    alert, bundle = sorted(read_bodies(hook), key=lambda body: str(body["kind"]))
    assert (alert["kind"], bundle["kind"]) == ("alert", "bundle")
    ids = [each["id"] for article in alert["articles"] + bundle["articles"] for each in (article, *article["related"])]
    assert sorted(set(ids)) == [f"mfa:{name}:ru" for name in "1234"]


def test_the_signature_is_that_of_the_body_as_sent(hook: WebhookServer) -> None:
    secret = "ключ/+&=1"
    message = make_test_message("desk", "kk", "Asia/Almaty", NOON)
    Transport("desk", f"{hook.address}&secret=%D0%BA%D0%BB%D1%8E%D1%87/%2B%26%3D1").send(message)
    Transport("desk", hook.address).send(message)
    signed, unsigned = hook.requests
    wanted = hmac.new(secret.encode(), signed.body, sha256).hexdigest()
    assert signed.headers["X-Signature-256"] == f"sha256={wanted}"
    assert "X-Signature-256" not in unsigned.headers
    assert b"secret" not in signed.body


def test_fields_can_be_renamed_and_left_out(hook: WebhookServer) -> None:
    Transport("desk", f"{hook.address}&:attachments=&:type=level&:team=press").send(
        make_test_message("desk", "en", "Asia/Almaty", NOON)
    )
    body = read_bodies(hook)[0]
    assert (body["level"], body["team"]) == ("info", "press")
    assert not {"attachments", "type"} & set(body)


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"channels\.desk: its `secret` is empty"):
        Transport("channels.desk", "json://127.0.0.1:1/geheim?secret=")
