"""A mail's headers: subjects and names decode to themselves, and mails of one article are one thread."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import timedelta
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.article_publisher import NOON, ArticlePublisher
from support.factories import make_config

from crawler.items import Verdict
from crawler.notify.bursts import collect_bursts
from crawler.notify.mail import make_mail
from crawler.notify.rendered_message import RenderedMessage
from crawler.notify.rendering import MessageRenderer, make_test_message
from crawler.notify.routing import route_events
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.store import Store

ALPHABETS = {
    "en": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'-",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЭЮЯ-",
    "kk": "аәбвгғдежзийкқлмнңоөпрстуұүфхһцчшыіэюяАӘБВГҒДЕЖЗИЙКҚЛМНҢОӨПРСТУҰҮФХҺЦЧШЫІЭЮЯ",
}
OTHER_WORDS = ["ICRC", "МККК", "–", "—", "№ 5", "«Қазақ»", '"x"', "2026", "=?utf-8?q?x?=", "50%", "🕊️", "a_b", "(1949)"]
words = st.one_of(*(st.text(alphabet, min_size=1, max_size=24) for alphabet in ALPHABETS.values()))
titles = st.lists(st.one_of(words, st.sampled_from(OTHER_WORDS)), min_size=1, max_size=25).map(" ".join)


def send(subject: str = "x", *, sender: tuple[str | None, str] = (None, "a@example.kz"), **values: Any) -> bytes:
    """Return a mail as it is sent."""
    message = RenderedMessage(
        key="0123456789abcdef01234567",
        subject=subject,
        text="t\n",
        html="<p>t</p>",
        language="kk",
        made_at=NOON,
        **values,
    )
    return make_mail(message, sender=sender, recipient=("Баспасөз қызметі, бөлім", "b@example.kz")).as_bytes()


def receive(sent: bytes) -> EmailMessage:
    mail = email.message_from_bytes(sent, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def check_lines(sent: bytes, most: int = 78) -> None:
    head = sent.partition(b"\r\n\r\n")[0].decode("ascii")
    assert max(map(len, head.split("\r\n"))) <= most
    assert all(len(word) <= 75 for word in re.findall(r"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=", head))


def decode(sent: bytes, name: str) -> str:
    """Return a header as programs read it that know RFC 2047 only."""
    raw = email.message_from_bytes(sent, policy=email.policy.compat32)[name]
    return str(make_header(decode_header(re.sub(r"\r\n(?=[ \t])", "", raw))))


@given(titles)
def test_a_subject_decodes_to_itself(title: str) -> None:
    sent = send(title)
    check_lines(sent)
    assert receive(sent)["Subject"] == title
    assert decode(sent, "Subject") == title


@settings(max_examples=30)
@given(st.lists(words, min_size=1, max_size=4).map(" ".join))
def test_a_senders_name_decodes_to_itself(name: str) -> None:
    sent = send(sender=(name, "a@example.kz"))
    check_lines(sent, 998)  # RFC 5322 advises 78 and allows 998: Python folds a plain name a few characters late
    # The standard library's own parser of names puts spaces between encoded words, against RFC 2047.
    assert parseaddr(decode(sent, "From"))[1] == "a@example.kz"
    assert decode(sent, "From").rpartition(" <")[0].strip('"') == name
    assert decode(sent, "To") == "Баспасөз қызметі, бөлім <b@example.kz>"


def test_ids_of_a_long_domain_are_not_encoded() -> None:
    domain = f"{'mail-' * 11}x.{'example-' * 7}x.kz"
    sent = send(sender=(None, f"a@{domain}"), thread_key="fedcba", subscription="press")
    mail = receive(sent)
    assert b"=?" not in sent.partition(b"Date: ")[2]
    assert f"\r\nReferences: <fedcba@{domain}>\r\n".encode() in sent
    assert mail["References"] == mail["In-Reply-To"] == f"<fedcba@{domain}>"
    assert mail["List-Id"] == f"<press.{domain}>"


def test_the_language_leaves_with_the_mail() -> None:
    mail = receive(send())
    assert mail.get_all("Content-Language") == ["kk"]
    assert mail["MIME-Version"] == "1.0"
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    ("contact", "address"),
    [("desk@example.org", "desk@example.org"), ("https://example.org/x", "a@example.kz"), (None, "a@example.kz")],
)
def test_a_subscription_is_a_list_that_can_be_left(contact: str | None, address: str) -> None:
    mail = receive(send(subscription="press_kk", contact=contact))
    assert mail["List-Id"] == "<press_kk.example.kz>"
    assert mail["List-Unsubscribe"] == f"<mailto:{address}?subject=unsubscribe%20press_kk>"


def test_a_message_to_the_operator_is_no_list() -> None:
    mail = receive(send())
    assert not {"List-Id", "List-Unsubscribe", "In-Reply-To", "References"} & set(mail.keys())


def list_messages(store: Store, **values: Any) -> list[RenderedMessage]:
    """Return the messages about an article: new, revised twice, taken down, back; and about another article, new."""
    config, publisher = make_config(**values), ArticlePublisher(store)
    store.subscriptions.get_or_start(["press"], NOON - timedelta(days=1))
    article = publisher.publish("1")

    def route() -> None:
        publisher.cluster_articles()
        route_events(store, config, publisher.clock)

    route()
    for new in ("не позднее 15 мая 2026 года", "не позднее 16 июня 2027 года"):
        old = "в ближайшие месяцы" if "15 мая" in new else "не позднее 15 мая 2026 года"
        article = publisher.revise(article, old, new)
        route()
    gone = publisher.take_down(article)
    route()
    publisher.save(replace(gone, version=5, verdict=Verdict.REPUBLISHED, fetched_at=publisher.clock))
    route()
    publisher.publish("2", title="Об ином", topic="совсем другой вопрос о воде и хлебе")
    route()
    renderer = MessageRenderer(config, store)
    found = [renderer.render(message) for message, _ in reversed(store.deliveries.list_newest())]
    return [message for message in found if message]


def test_later_messages_about_an_article_answer_the_first(store: Store) -> None:
    first, *later, other = list_messages(store, unit="article")
    assert len(later) == 4
    assert first.thread_key is None
    assert other.thread_key is None
    assert {message.thread_key for message in later} == {first.key}
    answer = make_mail(later[0], sender=(None, "a@example.kz"), recipient=(None, "b@example.kz"))
    origin = make_mail(first, sender=(None, "a@example.kz"), recipient=(None, "b@example.kz"))
    assert answer["In-Reply-To"] == answer["References"] == origin["Message-ID"]
    assert answer["Message-ID"] != origin["Message-ID"]


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_every_html_has_title_viewport_and_color_scheme(store: Store, language: str) -> None:
    config, publisher = make_config(unit="article", language=language, burst=1), ArticlePublisher(store)
    store.subscriptions.get_or_start(["press"], NOON - timedelta(days=1))
    for name in "123":
        publisher.publish(name)
    publisher.cluster_articles()
    route_events(store, config, publisher.clock)
    collect_bursts(store, config, publisher.clock)
    renderer = MessageRenderer(config, store)
    found = [renderer.render(message) for message, _ in store.deliveries.list_newest()]
    assert len(found) == 2  # an alert, and a bundle, which is a digest
    for message in [*found, make_test_message("desk", language, "Asia/Almaty", NOON)]:
        assert message is not None
        assert re.search(r"<title>[^<]*\w[^<]*</title>", message.html)
        assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in message.html
        assert '<meta name="color-scheme" content="light dark">' in message.html
        assert f'<html lang="{language}">' in message.html
