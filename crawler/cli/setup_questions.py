"""What `crawler init` needs to know: given by options, or asked for on a terminal. Channels are tested at once."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, urlencode

import typer

from crawler.cli.selection import choose_output_language
from crawler.config import Config
from crawler.errors import CrawlerError, UsageError
from crawler.service.channel_tests import send_test_message

MAIL, TELEGRAM, OTHER, NONE = "mail", "telegram", "other", "none"
OTHER_CHANNEL = "desk"
"""Name of a channel that is neither mail nor Telegram."""
CONTACT_PATTERN = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\".]+|https?://[^\s/]+\.\S+")
SERVER_PATTERN = re.compile(r"(?P<host>[^\s:/@\[\]]+|\[[0-9a-fA-F:.]+\])(?::(?P<port>\d{1,5}))?")
T = TypeVar("T")
TLS_PORT, PLAIN_PORT, STARTTLS_PORT = 465, 25, 587


@dataclass(slots=True, kw_only=True)
class Setup:
    """What was given and confirmed. `channels` are addresses by name; a test message was sent on each."""

    contact: str | None = None
    language: str = "en"
    channels: dict[str, str] = field(default_factory=dict)


def can_ask() -> bool:
    """Return whether a person at a terminal can answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def check_contact(text: str) -> str:
    """Return a mail or web address. Raise UsageError for another text."""
    contact = text.strip()
    if not contact.isprintable() or not CONTACT_PATTERN.fullmatch(contact):
        raise UsageError(f"{contact!r} is no mail or web address, such as press@example.org or https://example.org.")
    return contact


def check_language(text: str) -> str:
    """Return a language of messages. Raise UsageError for another text."""
    return choose_output_language(text.strip().lower())


def make_mail_address(text: str) -> str:
    """Return an address for mail; one without a scheme is sent over TLS."""
    return _add_scheme(text, "mailtos")


def make_telegram_address(text: str) -> str:
    """Return an address for Telegram: TOKEN/CHAT, or a whole address."""
    return _add_scheme(text, "tgram")


def make_server_address(server: str, user: str, password: str, sender: str, recipient: str) -> str:
    """Return an address for mail through a server, `host` or `host:port`. Raise UsageError for no such name.

    Port 465 means TLS, port 25 and a server on this machine mean no encryption, and all others STARTTLS.
    """
    match = SERVER_PATTERN.fullmatch(server.strip())
    if match is None or not 0 < int(match["port"] or STARTTLS_PORT) < 65_536:
        raise UsageError(f"{server!r} is no mail server, such as smtp.example.org or smtp.example.org:465.")
    host, port = match["host"], int(match["port"] or (PLAIN_PORT if _is_this_machine(match["host"]) else STARTTLS_PORT))
    is_plain = port == PLAIN_PORT or _is_this_machine(host)
    mode = "insecure" if is_plain else "ssl" if port == TLS_PORT else "starttls"
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    query = urlencode({"smtp": host, "from": sender, "to": recipient, "mode": mode})
    return f"{'mailto' if is_plain else 'mailtos'}://{login}{host}:{port}?{query}"


def complete_setup(setup: Setup) -> None:
    """Ask for what was not given. A wrong answer is explained, and the question is asked again."""
    print("Press Enter for the answer in brackets, or for nothing. Ctrl-C ends, and nothing is written.")
    if setup.contact is None:
        print("Sites should be able to reach you before they block you: the User-Agent has your contact.")
        setup.contact = _ask_until_valid("Your mail or web address", lambda text: check_contact(text) if text else None)
    if setup.channels:
        return
    setup.language = _ask_until_valid("Language of messages: en, ru or kk", check_language, default=setup.language)
    while (
        kind := _ask_until_valid("Where should alerts go: mail, telegram, other or none", _check_kind, default=MAIL)
    ) != NONE:
        name = OTHER_CHANNEL if kind == OTHER else kind
        try:
            address = {MAIL: _ask_mail, TELEGRAM: _ask_telegram, OTHER: _ask_other}[kind]()
        except UsageError as error:
            print(error)
            continue
        add_channel(setup, name, address, is_asking=True)
        if setup.channels:
            return


def add_channel(setup: Setup, name: str, address: str, *, is_asking: bool) -> None:
    """Add a channel after a test message that was taken, and that a person who can be asked has received.

    A failure is printed if a person can be asked. Else raise what `test_channel` raises.
    """
    try:
        test_channel(name, address, setup.language)
    except CrawlerError as error:
        if not is_asking:
            raise
        print(f"{error} Try again, or choose none.")
        return
    if not is_asking or typer.confirm("Did the message arrive?", default=True):
        setup.channels[name] = address
    else:
        print("Then the channel is not written. Correct it, or choose none.")


def test_channel(name: str, address: str, language: str) -> None:
    """Send a test message. Raise Unreachable if it was not taken, UsageError for an unusable address."""
    if not address.isprintable():
        raise UsageError(f"channels.{name}: the address must be one line without control characters.")
    timezone = Config.model_fields["timezone"].default
    print(f"Sending a test message to {name} …", flush=True)
    send_test_message(name, address, language, timezone)
    print(f"{name}: sent.")


def _ask_mail() -> str:
    server = _ask_until_valid("Mail server (smtp.example.org or smtp.example.org:465)", str)
    user = _ask_until_valid("User name at the server (Enter: none)", str)
    password = typer.prompt("Password", hide_input=True, default="", show_default=False) if user else ""
    recipient = _ask_until_valid("Recipient", check_contact)
    sender = _ask_until_valid("Sender", check_contact, default=user if CONTACT_PATTERN.fullmatch(user) else recipient)
    return make_server_address(server, user, password, sender, recipient)


def _ask_telegram() -> str:
    token = typer.prompt("Token of the bot, from @BotFather", hide_input=True).strip()
    return make_telegram_address(f"{token}/{_ask_until_valid('Number of the chat, or @channel', str)}")


def _ask_other() -> str:
    return str(typer.prompt("Address (json://…, slack://…, see docs/alerts.md)", hide_input=True).strip())


def _ask_until_valid(question: str, check: Callable[[str], T], default: str = "") -> T:
    """Return the first answer that `check` accepts. Its UsageError is printed."""
    while True:
        answer = typer.prompt(question, default=default, show_default=bool(default)).strip()
        try:
            return check(answer)
        except UsageError as error:
            print(error)


def _check_kind(text: str) -> str:
    kind = text.strip().lower()
    if kind not in (MAIL, TELEGRAM, OTHER, NONE):
        raise UsageError(f"{text!r} is none of mail, telegram, other, none.")
    return kind


def _add_scheme(text: str, scheme: str) -> str:
    return text.strip() if "://" in text else f"{scheme}://{text.strip()}"


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
