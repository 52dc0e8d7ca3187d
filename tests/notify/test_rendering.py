"""One mail and one Telegram text in each language, as a person last read them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins.telegram import NotifyTelegram
from support.article_publisher import NOON, ArticlePublisher
from support.factories import make_config
from support.server_thread import start_server_thread

from crawler.config import Config, WebConfig
from crawler.items import ArticleFlag, Verdict
from crawler.notify.rendered_message import RenderedMessage
from crawler.notify.rendering import MessageRenderer
from crawler.notify.routing import route_events
from crawler.notify.transports import Transport
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.store import Store

FOLDER = Path(__file__).with_name("letters")
MORE = (
    "Встреча прошла в здании министерства. В ней участвовали представители пяти областей и города Алматы. "
    "По итогам решено провести осенью семинар для врачей. Следующая встреча состоится в Женеве в конце года. "
)


def render_messages(store: Store, settings: Config) -> list[RenderedMessage]:
    """Return the messages about a release in two languages, its copy, its correction and its removal."""
    publisher = ArticlePublisher(store)
    store.subscriptions.get_or_start(["press"], NOON - timedelta(days=1))
    title = "Казахстан и МККК: о курсе для врачей <«Қазақ» & Co>"
    russian = publisher.publish("1", "ru", title=title, more=MORE * 2)
    publisher.publish(
        "1", "kk", title="Қазақстан мен ХҚКК: дәрігерлер курсы туралы", topic="ынтымақтастықты", more=MORE
    )
    publisher.publish("9", "ru", source="ktkz", title="В МИД обсудили курс", more=MORE * 2, verdict=Verdict.COPY)
    publisher.cluster_articles()
    route_events(store, settings, publisher.clock)
    revised = publisher.revise(russian, "в ближайшие месяцы", "не позднее 15 мая 2026 года")
    publisher.cluster_articles()
    route_events(store, settings, publisher.clock)
    publisher.take_down(revised)
    publisher.cluster_articles()
    route_events(store, settings, publisher.clock)
    writer = MessageRenderer(settings, store)
    found = [writer.render(message) for message, _ in reversed(store.deliveries.list_newest())]
    assert all(found)
    return [letter for letter in found if letter]


def compare_with_golden(name: str, text: str) -> None:
    """Compare with a golden file. After an intended change: delete the file, run once, and read the new one."""
    path = FOLDER / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was written: read it")
    assert text == path.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Finds tags that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_mail_equals_the_golden_file(store: Store, language: str) -> None:
    found = render_messages(store, make_config(language=language, form="full"))
    compare_with_golden(f"mail.{language}.txt", "\n".join(f"Subject: {each.subject}\n\n{each.text}" for each in found))
    assert len(found) == 3
    for each in found:
        tags = Tags()
        tags.feed(each.html)
        assert tags.open == []
        text = re.sub(r"<[^>]+>", "", each.html)
        assert "&lt;«Қазақ» &amp; Co&gt;" in text


def test_alert_has_a_link_to_its_page_in_the_newsroom(store: Store) -> None:
    settings = make_config().model_copy(update={"web": WebConfig(address="https://news.example.org")})
    first, *_ = render_messages(store, settings)
    assert "In the newsroom: text, versions, notes: https://news.example.org/articles/mfa:1:ru\n" in first.text
    assert '<a href="https://news.example.org/articles/mfa:1:ru">' in first.html


@pytest.mark.parametrize("form", ["full", "short"])
@pytest.mark.parametrize(
    ("language", "unreadable", "future"),
    [
        ("en", "Some characters could not be decoded.", "the site's date lies in the future; first seen"),
        ("ru", "Некоторые знаки не удалось прочитать.", "дата, указанная на сайте, ещё не наступила; впервые"),
        ("kk", "Кейбір таңбаларды оқу мүмкін болмады.", "сайтта көрсетілген күн әлі келген жоқ; алғаш"),
    ],
)
def test_doubts_are_in_words(store: Store, form: str, language: str, unreadable: str, future: str) -> None:
    settings, publisher = make_config(language=language, form=form), ArticlePublisher(store)
    store.subscriptions.get_or_start(["press"], NOON - timedelta(days=1))
    flags = (ArticleFlag.BOILERPLATE_REMOVED, ArticleFlag.UNDECODABLE_CHARACTERS, ArticleFlag.FUTURE_DATE)
    publisher.publish("1", flags=flags, published_at=None)
    publisher.cluster_articles()
    route_events(store, settings, publisher.clock)
    ((message, _),) = store.deliveries.list_newest()
    found = MessageRenderer(settings, store).render(message)
    assert found is not None
    for text in (found.text, html.unescape(found.html)):
        assert unreadable in text
        assert future in text


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Telegram's interface on loopback. Yields what is posted there."""
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = b'{"ok":true,"result":{}}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    start_server_thread(server)
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{server.server_address[1]}/bot")
    yield posted
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_telegram_text_equals_the_golden_file(store: Store, language: str, telegram: list[dict[str, Any]]) -> None:
    carrier = Transport("desk", "tgram://123456789:abcdefg_hijklmnop/12315544/")
    for each in render_messages(store, make_config(language=language, form="short")):
        carrier.send(each)
    assert {each["parse_mode"] for each in telegram} == {"HTML"}
    compare_with_golden(
        f"telegram.{language}.txt", "\n\n".join(each["text"].replace("\r\n", "\n") for each in telegram) + "\n"
    )
    assert all(re.search("<b>(МККК|ХҚКК)</b>", each["text"]) for each in telegram)
    assert any("&lt;«Қазақ» &amp; Co&gt;" in each["text"] for each in telegram)
