"""One channel of an owner: a name and an address, carried by Apprise (mail, Telegram, Slack, Matrix, webhooks and a
hundred more).

An address holds secrets: it is never logged, stored or part of an error, and neither is what Apprise and its HTTP
client say, for they may quote it; why a try failed is told in our own words. A mail (`mail`) leaves over Apprise's
connection. A redirect is not followed, unless the address says `redirect=yes`: what was posted would be lost on the
way.

Where an address names several recipients, each gets a letter of its own, and who took it is told with the failure of
the others: at the next try those do not get it again.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable
from hashlib import blake2b
from html import escape
from typing import Any

import apprise
from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.smtp import AppriseSMTPController

from crawler.errors import ConfigError
from crawler.notify.mail import KEY_HEADER, has_all_recipients, make_mails
from crawler.notify.rendered_message import RenderedMessage

FAILURE_PATTERNS = (
    (re.compile(r"error=(\d{3})"), "the receiver answered {}"),
    (re.compile(r"authenticat|login|credential", re.IGNORECASE), "the receiver did not accept the login"),
    (
        re.compile(r"refused|connection|connect", re.IGNORECASE),
        "the receiver could not be reached, or did not answer in time",
    ),
)
BOLD_WORDS = re.compile(r"\*([^*\n]+)\*")
UNKNOWN_FAILURE = "the receiver did not take it"
SEND_TIMEOUT_SECONDS = 300.0
"""Seconds after which one try is given up, however slowly the receiver goes on answering."""
LOGGERS_WITH_ADDRESSES = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")
"""Loggers that show the whole web address of a receiver, and so what is secret in it."""


class DeliveryError(Exception):
    """A letter that a channel did not take, with the reason in words that are safe to show; `took` are the marks of its
    recipients who have it all the same."""

    def __init__(self, reason: str, delivered_to: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.delivered_to = tuple(sorted(delivered_to))


class _LogCollector(logging.Handler):
    """What Apprise says in this thread, kept only long enough to tell why it failed; nothing of it goes on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.thread = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        lines: list[str] | None = getattr(self.thread, "lines", None)
        if lines is not None:
            lines.append(record.getMessage())


_collector = _LogCollector()


def _is_not_sending(_: logging.LogRecord) -> bool:
    """Whether a record comes from a thread that carries no letter."""
    return getattr(_collector.thread, "lines", None) is None


def _capture_logs() -> None:
    """Apprise's own logger leads here and nowhere else: its messages may show an address. So may its HTTP client's."""
    logger = logging.getLogger("apprise")
    logger.handlers[:] = [_collector]
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    for name in LOGGERS_WITH_ADDRESSES:
        logging.getLogger(name).addFilter(_is_not_sending)  # added once, however often it is asked for


class Transport:
    """Carries letters over one channel; any thread may use it. ConfigError for an address that names no channel."""

    def __init__(self, name: str, address: str) -> None:
        _capture_logs()
        self.name, self._address = name, address
        self._idle: list[Any] = []
        complaints: list[str] = []
        _collector.thread.lines = complaints
        try:
            plugin = self._make_plugin()
        finally:
            _collector.thread.lines = None
        if isinstance(plugin, NotifyEmail) and (complaints or not has_all_recipients(plugin, self._address)):
            raise ConfigError(f"{name}: one of its recipients is no mail address; nobody is left out without a word.")
        if plugin is None:
            raise ConfigError(
                f"{name}: the address is none that Apprise knows, such as mailto://… or json://… (it is not shown, for "
                "it may hold a secret)."
            )
        self._idle.append(plugin)

    def send(self, message: RenderedMessage, delivered_to: Iterable[str] = ()) -> None:
        """Send a letter to all but the recipients who took it before; NotCarried, with the reason, when one did not
        take it."""
        came: list[str | None] = []
        have = set(delivered_to)
        thread = threading.Thread(
            target=lambda: came.append(self._send_here(message, have)), name="carrier", daemon=True
        )
        thread.start()
        thread.join(SEND_TIMEOUT_SECONDS)
        reason = came[0] if came else f"the receiver was not done after {SEND_TIMEOUT_SECONDS:.0f} seconds"
        if reason is not None:
            raise DeliveryError(reason, have)

    def _send_here(self, message: RenderedMessage, delivered: set[str]) -> str | None:
        """Send a letter in this thread, and add the marks of those who took it; why another did not, None when all
        did."""
        _capture_logs()
        try:
            plugin = self._idle.pop()
        except IndexError:  # all are in use by other threads
            plugin = self._make_plugin()
        lines: list[str] = []
        _collector.thread.lines = lines
        try:
            send = self._send_mail if isinstance(plugin, NotifyEmail) else self._send_by_apprise
            refused = send(plugin, message, delivered)
        except Exception as error:  # noqa: BLE001 - a hundred services, each with errors of its own
            return _describe_failure([*lines, f"{type(error).__name__} {error}"])
        finally:
            _collector.thread.lines = None
            self._idle.append(plugin)
        if refused and (delivered or isinstance(plugin, NotifyEmail)):
            return f"{refused} of the recipients were refused"
        return _describe_failure(lines) if refused else None

    def _make_plugin(self) -> Any:
        asset = apprise.AppriseAsset(http_redirects=False)
        return apprise.Apprise.instantiate(self._address, asset=asset, suppress_exceptions=True)

    def _send_by_apprise(self, plugin: Any, message: RenderedMessage, delivered: set[str]) -> int:
        """Send a letter by Apprise; how many did not take it."""
        if isinstance(getattr(plugin, "headers", None), dict):
            plugin.headers[KEY_HEADER] = message.key
        if "overflow" not in self._address:
            plugin.overflow_mode = apprise.OverflowMode.SPLIT
        text, title = drop_repeated_subject(message), message.subject
        plain = apprise.NotifyFormat.TEXT
        if plugin.resolve_format(plain) == plain:
            words = {"body": text, "title": title, "body_format": plain}
        else:  # Telegram and its like: what Apprise makes of plain text breaks at the first < in a title
            words = {"body": format_chat_html(text), "title": escape(title), "body_format": apprise.NotifyFormat.HTML}
        targets = getattr(plugin, "targets", None)
        if not isinstance(targets, list) or len(targets) < 2:
            return int(not plugin.notify(**words))
        return sum(not self._send_to_target(plugin, targets, place, words, delivered) for place in range(len(targets)))

    def _send_to_target(
        self, plugin: Any, targets: list[Any], index: int, words: dict[str, Any], delivered: set[str]
    ) -> bool:
        """Whether one of a plugin's targets has the letter, from before or from now on."""
        mark = hash_recipient(str(targets[index]))
        if mark in delivered:
            return True
        plugin.targets = [targets[index]]
        try:
            if plugin.notify(**words):
                delivered.add(mark)
        finally:
            plugin.targets = targets
        return mark in delivered

    def _send_mail(self, plugin: Any, message: RenderedMessage, delivered: set[str]) -> int:
        """Send a mail over Apprise's connection; how many did not take it."""
        connection = AppriseSMTPController(
            host=plugin.smtp_host,
            port=plugin.port,
            secure_mode=plugin.secure_mode,
            user=plugin.user,
            password=plugin.password,
            verify_certificate=plugin.verify_certificate,
            socket_connect_timeout=plugin.socket_connect_timeout,
        )
        refused = 0
        with connection as smtp:
            for mail, each in make_mails(plugin, message):
                if (mark := hash_recipient(each)) in delivered:
                    continue
                if smtp.sendmail(plugin.from_addr[1], [each], mail.as_bytes().decode("ascii")):
                    delivered.add(mark)
                else:
                    refused += 1
        return refused


def hash_recipient(recipient: str) -> str:
    """What is kept of a recipient who has a letter: not the address."""
    return blake2b(recipient.encode(), digest_size=6).hexdigest()


def drop_repeated_subject(message: RenderedMessage) -> str:
    """The text without a first line that the subject says already: where both stand together, once is enough."""
    first, _, rest = message.text.partition("\n")
    return rest.lstrip() if rest.strip() and message.subject.startswith(first) else message.text


def format_chat_html(text: str) -> str:
    """Plain text as the little HTML that chats know: marked words bold, lines as they are."""
    return BOLD_WORDS.sub(r"<b>\1</b>", escape(text.strip(), quote=False)).replace("\n", "<br/>\n")


def _describe_failure(lines: list[str]) -> str:
    """Why it failed, in our own words: the last line that says anything we know."""
    for line in reversed(lines):
        for pattern, words in FAILURE_PATTERNS:
            if found := pattern.search(line):
                return words.format(*found.groups())
    return UNKNOWN_FAILURE
