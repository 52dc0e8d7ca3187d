"""One channel and a misbehaving receiver: only what it took counts as sent, and no secret of its address is shown."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from support.server_thread import start_server_thread
from support.signal_gateway import SignalGateway

from crawler.errors import ConfigError
from crawler.notify import transports
from crawler.notify.rendering import make_test_message as a_letter
from crawler.notify.transports import DeliveryError, Transport, disarm_text

LETTER = a_letter("desk", "en", "Asia/Almaty", datetime(2026, 3, 6, 12, 0, tzinfo=UTC))


class OddWebhook:
    """A web server on loopback that answers a POST with these bytes, then slowly byte by byte until it is let go."""

    def __init__(self, answer: bytes, *, drips: bool = False) -> None:
        self.asked: list[str] = []
        self.let_go = threading.Event()
        odd = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                odd.asked.append("POST")
                self.rfile.read(int(self.headers["Content-Length"]))
                self.wfile.write(answer)
                while drips and not odd.let_go.wait(0.1):
                    self.wfile.write(b"x")
                self.close_connection = True

            def do_GET(self) -> None:
                odd.asked.append("GET")
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server.server_address[1]}/geheim"


@contextmanager
def odd(answer: bytes, *, drips: bool = False) -> Iterator[OddWebhook]:
    one = OddWebhook(answer, drips=drips)
    start_server_thread(one.server)
    yield one
    one.let_go.set()
    one.server.shutdown()
    one.server.server_close()


@pytest.mark.parametrize("code", [301, 302, 303])
def test_a_redirect_is_a_failure(code: int) -> None:
    answer = f"HTTP/1.1 {code} Moved\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
    with odd(answer.encode()) as receiver:
        with pytest.raises(DeliveryError, match=f"the receiver answered {code}"):
            Transport("desk", receiver.address).send(LETTER)
        assert receiver.asked == ["POST"]


def test_a_receiver_that_never_ends_its_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "SEND_TIMEOUT_SECONDS", 0.5)
    with odd(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", drips=True) as receiver:
        channel = Transport("desk", receiver.address)
        with pytest.raises(DeliveryError, match="the receiver was not done after"):
            channel.send(LETTER)


@pytest.fixture
def group() -> Iterator[SignalGateway]:
    with SignalGateway() as one:
        yield one


def test_recipients_who_have_a_message_do_not_get_it_again(group: SignalGateway) -> None:
    numbers = ["+77010000001", "+77010000002", "+77010000003"]
    address = group.make_address(*numbers)
    group.refused_numbers = {numbers[1]}
    with pytest.raises(DeliveryError, match="1 of the recipients were refused") as caught:
        Transport("desk", address).send(LETTER)
    assert group.delivered == [numbers[0], numbers[2]]
    assert len(caught.value.delivered_to) == 2
    assert not any(number.lstrip("+") in " ".join(caught.value.delivered_to) for number in numbers)
    group.refused_numbers = set()
    Transport("desk", address).send(LETTER, caught.value.delivered_to)
    assert group.delivered == [numbers[0], numbers[2], numbers[1]]


def test_if_all_recipients_fail_the_reason_is_described(group: SignalGateway) -> None:
    address = group.make_address("+77010000001", "+77010000002")
    group.refused_numbers = {"+77010000001", "+77010000002"}
    with pytest.raises(DeliveryError, match="the receiver answered 400"):
        Transport("desk", address).send(LETTER)


@pytest.mark.parametrize("headers", ["Content-Length: 0\r\n: nameless\r\nno colon\r\n", "Content-Length: 0\r\n"])
def test_no_logger_shows_an_address(headers: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with odd(f"HTTP/1.1 200 OK\r\n{headers}\r\n".encode()) as receiver:
        Transport("desk", receiver.address).send(LETTER)
    assert "geheim" not in caplog.text


@pytest.mark.parametrize(
    "to", ["pressexample.org", "press@@example.org", "press@example.org,boss@@example.org", "press@example.org,boss"]
)
def test_a_recipient_that_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(ConfigError, match=r"channels\.desk: one of its recipients is no mail address"):
        Transport("channels.desk", f"mailto://127.0.0.1:1?from=a@example.org&to={to}&mode=insecure")


def test_valid_recipients_are_accepted() -> None:
    Transport("channels.desk", "mailto://127.0.0.1:1?from=a@example.org&to=b@example.org,c@example.kz&mode=insecure")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("hello @everyone", "@everyone"),
        ("hello <!channel> and <@U123>", "<!"),
        ("hello <@U123>", "<@"),
        ("[gov.kz](https://example.org)", "]("),
        ("[gov.kz](<https://example.org>)", "](<"),
        ("<https://example.org|gov.kz>", "<h"),
        ("<b>bold</b>", "<b>"),
        ("https://example.org/@everyone", "@everyone"),
    ],
)
def test_chats_find_no_command_in_a_text(text: str, command: str) -> None:
    disarmed = disarm_text(text)
    assert command not in disarmed
    assert disarmed.replace("\u200b", "") == text


def test_plain_links_stay() -> None:
    text = "МККК: see\nhttps://www.gov.kz/memleket/entities/mfa/press/news/details/7?lang=ru&a_b=1\n"
    assert disarm_text(text) == text
