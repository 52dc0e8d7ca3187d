"""One channel of an owner: a name and an address, sent to by Apprise (mail, Telegram, Slack, Matrix, webhooks, …).

An address contains secrets. No log, store or error shows it, nor what Apprise and its HTTP client log, because they may
quote it: a failure is described in our own words. A redirect is not followed unless the address says `redirect=yes`,
because the posted message would be lost.

An address may name several recipients. Each gets a message of its own. A DeliveryError says who received it, so that
the next attempt skips them.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from hashlib import blake2b
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import apprise
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.smtp import AppriseSMTPController

from crawler.errors import ConfigError
from crawler.notify.mail import make_mail
from crawler.notify.rendered_message import KEY_HEADER, RenderedMessage
from crawler.notify.webhooks import WebhookRefusal, WebhookUnreachable, get_secret, post_webhook

UNREACHABLE = "the receiver could not be reached, or did not answer in time"
FAILURE_PATTERNS = (
    (re.compile(r"error=(\d{3})"), "the receiver answered {}"),
    (re.compile(r"authenticat|login|credential", re.IGNORECASE), "the receiver did not accept the login"),
    (
        re.compile(r"refused|connection|connect", re.IGNORECASE),
        UNREACHABLE,
    ),
)
"""What to search in Apprise's log, and how to describe it. Apprise has no other way to say why it failed."""
UNKNOWN_FAILURE = "the receiver did not take it"
CHAT_COMMANDS = (
    (re.compile(r"@(?=\S)"), "@\u200b"),  # mentions of a person, of everyone
    (re.compile(r"<(?=[a-zA-Z!@#/?:])"), "<\u200b"),  # HTML, mentions of Discord and Slack, links of Slack
    (re.compile(r"\](?=[(\[:])"), "]\u200b"),  # links of Markdown
)
"""What a chat would turn into a mention, a link or HTML, and the same with a zero-width space."""
PLAIN_LINK = re.compile(r"https?://[^\s<>\[\]()@`*|\\]+")
DATA_SERVICES = ("NotifyJSON", "NotifyXML", "NotifyForm")
"""Services whose receiver is a program: it gets the text unchanged."""
BOLD_WORDS = re.compile(r"\*([^*\n]+)\*")
SEND_TIMEOUT_SECONDS = 300.0
"""An attempt is given up after this time, even if the receiver still answers, slowly."""
LOGGERS_WITH_ADDRESSES = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")


class DeliveryError(Exception):
    """A message was not delivered to everyone. The text is safe to show.

    `delivered_to` are hashes of the recipients who received it.
    """

    def __init__(self, reason: str, delivered_to: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.delivered_to = tuple(sorted(delivered_to))


class _LogCollector(logging.Handler):
    """Collects what Apprise logs in this thread, to find out why it failed. Passes nothing on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.thread = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        lines: list[str] | None = getattr(self.thread, "lines", None)
        if lines is not None:
            lines.append(record.getMessage())


_collector = _LogCollector()


def _is_not_sending(_: logging.LogRecord) -> bool:
    """Return whether the current thread sends no message."""
    return getattr(_collector.thread, "lines", None) is None


def _capture_logs() -> None:
    """Send Apprise's log only to the collector, and hide that of its HTTP client: both may show an address."""
    logger = logging.getLogger("apprise")
    logger.handlers[:] = [_collector]
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    for name in LOGGERS_WITH_ADDRESSES:
        logging.getLogger(name).addFilter(_is_not_sending)  # logging ignores a filter that it has already


class Transport:
    """Sends messages over one channel, from any thread.

    Raises ConfigError for an address that Apprise does not know, or with a recipient that it would skip.
    """

    def __init__(self, name: str, address: str) -> None:
        _capture_logs()
        self.name, self._address = name, address
        self._idle: list[Any] = []
        warnings: list[str] = []
        _collector.thread.lines = warnings
        try:
            plugin = self._make_plugin()
        finally:
            _collector.thread.lines = None
        if isinstance(plugin, NotifyEmail) and (warnings or not _has_all_recipients(plugin, address)):
            raise ConfigError(f"{name}: one of its recipients is no mail address. Correct it.")
        if plugin is None:
            raise ConfigError(
                f"{name}: Apprise does not know this kind of address. Use one such as mailto://… or json://… (the "
                "address is not shown, because it may contain a secret)."
            )
        self._secret = get_secret(name, address) if isinstance(plugin, NotifyJSON) else None
        self._idle.append(plugin)

    def send(self, message: RenderedMessage, delivered_to: Iterable[str] = ()) -> None:
        """Send a message to all recipients but those in `delivered_to`. Raise DeliveryError if one did not take it."""
        outcome: list[str | None] = []
        delivered = set(delivered_to)
        thread = threading.Thread(
            target=lambda: outcome.append(self._send_here(message, delivered)), name="transport", daemon=True
        )
        thread.start()
        thread.join(SEND_TIMEOUT_SECONDS)
        failure = outcome[0] if outcome else f"the receiver was not done after {SEND_TIMEOUT_SECONDS:.0f} seconds"
        if failure is not None:
            raise DeliveryError(failure, delivered)

    def _send_here(self, message: RenderedMessage, delivered: set[str]) -> str | None:
        """Send a message in this thread and add its recipients to `delivered`. Return why one failed, or None."""
        _capture_logs()
        try:
            plugin = self._idle.pop()
        except IndexError:  # Other threads use all plugins.
            plugin = self._make_plugin()
        lines: list[str] = []
        _collector.thread.lines = lines
        try:
            send = self._send_mail if isinstance(plugin, NotifyEmail) else self._send_by_apprise
            refused = send(plugin, message, delivered)
        except WebhookRefusal as refusal:
            return str(refusal)
        except WebhookUnreachable:
            return UNREACHABLE
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
        """Send a message by Apprise. Return how many recipients did not take it."""
        if isinstance(getattr(plugin, "headers", None), dict):
            plugin.headers[KEY_HEADER] = message.key
        if "overflow" not in self._address:
            plugin.overflow_mode = apprise.OverflowMode.SPLIT
        text, title = drop_repeated_subject(message), message.subject
        if type(plugin).__name__ not in DATA_SERVICES:
            text, title = disarm_text(text), disarm_text(title)
        plain, markdown = apprise.NotifyFormat.TEXT, apprise.NotifyFormat.MARKDOWN
        wanted = plugin.resolve_format(plain)
        if wanted == markdown:
            words = {"body": text, "title": title, "body_format": markdown}
        elif wanted == plain:
            words = {"body": text, "title": title, "body_format": plain}
        else:
            # Telegram and others want HTML. Apprise's own conversion of plain text breaks at the first < in a title.
            html = apprise.NotifyFormat.HTML
            words = {"body": format_chat_html(text), "title": escape(title), "body_format": html}
        if isinstance(plugin, NotifyJSON):
            post_webhook(plugin, words["title"].strip(), words["body"].rstrip(), message.data, self._secret)
            return 0
        targets = getattr(plugin, "targets", None)
        if not isinstance(targets, list) or len(targets) < 2:
            return int(not plugin.notify(**words))
        return sum(not self._send_to_target(plugin, targets, index, words, delivered) for index in range(len(targets)))

    def _send_to_target(
        self, plugin: Any, targets: list[Any], index: int, words: dict[str, Any], delivered: set[str]
    ) -> bool:
        """Send to one of a plugin's targets unless it has the message. Return whether it has it now."""
        recipient = hash_recipient(str(targets[index]))
        if recipient in delivered:
            return True
        plugin.targets = [targets[index]]
        try:
            if plugin.notify(**words):
                delivered.add(recipient)
        finally:
            plugin.targets = targets
        return recipient in delivered

    def _send_mail(self, plugin: Any, message: RenderedMessage, delivered: set[str]) -> int:
        """Send a mail over Apprise's connection. Return how many recipients did not take it."""
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
            for mail, address in _make_mails(plugin, message):
                if (recipient := hash_recipient(address)) in delivered:
                    continue
                if smtp.sendmail(plugin.from_addr[1], [address], mail.as_bytes().decode("ascii")):
                    delivered.add(recipient)
                else:
                    refused += 1
        return refused


def _has_all_recipients(plugin: Any, address: str) -> bool:
    """Return whether Apprise accepts each mail recipient of an address. It skips invalid ones without an error."""
    query = parse_qs(urlsplit(address).query)
    named = [part for key in ("to", "cc", "bcc") for text in query.get(key, ()) for part in re.split("[,;]", text)]
    accepted = {recipient for _, recipient in plugin.targets} | plugin.cc | plugin.bcc
    return bool(plugin.targets) and all(
        any(recipient in part for recipient in accepted) for part in named if part.strip()
    )


def _make_mails(plugin: Any, message: RenderedMessage) -> Iterator[tuple[EmailMessage, str]]:
    """Yield a mail for each `to` recipient, once for each address that it goes to."""
    for name, address in plugin.targets:
        mail = make_mail(message, sender=plugin.from_addr, recipient=(name, address))
        for header, others in (("Cc", plugin.cc), ("Reply-To", plugin.reply_to)):
            if others:
                mail[header] = ", ".join(sorted(others))
        yield from ((mail, each) for each in (address, *sorted((plugin.cc | plugin.bcc) - {address})))


def hash_recipient(recipient: str) -> str:
    """Return what the store keeps of a recipient who has a message, instead of the address."""
    return blake2b(recipient.encode(), digest_size=6).hexdigest()


def drop_repeated_subject(message: RenderedMessage) -> str:
    """Return the text without a first line that the subject repeats: chats show both together."""
    first, _, rest = message.text.partition("\n")
    return rest.lstrip() if rest.strip() and message.subject.startswith(first) else message.text


def disarm_text(text: str) -> str:
    """Return a text in which no chat finds a mention, a hidden link or HTML. Plain addresses stay as they are."""
    return "".join(part if PLAIN_LINK.fullmatch(part) else _disarm_words(part) for part in re.split(r"(\s+)", text))


def _disarm_words(text: str) -> str:
    for pattern, replacement in CHAT_COMMANDS:
        text = pattern.sub(replacement, text)
    return text


def format_chat_html(text: str) -> str:
    """Return plain text as the little HTML that chats know: marked words bold, lines kept."""
    return BOLD_WORDS.sub(r"<b>\1</b>", escape(text.strip(), quote=False)).replace("\n", "<br/>\n")


def _describe_failure(lines: list[str]) -> str:
    """Return why a delivery failed, in our own words, by the last known line of the log."""
    for line in reversed(lines):
        for pattern, words in FAILURE_PATTERNS:
            if match := pattern.search(line):
                return words.format(*match.groups())
    return UNKNOWN_FAILURE
