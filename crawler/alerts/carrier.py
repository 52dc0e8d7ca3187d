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

from crawler.alerts.letter import Letter
from crawler.alerts.mail import HEADER, copies, has_all
from crawler.errors import ConfigError

REASONS = (
    (re.compile(r"error=(\d{3})"), "the receiver answered {}"),
    (re.compile(r"authenticat|login|credential", re.IGNORECASE), "the receiver did not accept the login"),
    (
        re.compile(r"refused|connection|connect", re.IGNORECASE),
        "the receiver could not be reached, or did not answer in time",
    ),
)
MARKED = re.compile(r"\*([^*\n]+)\*")
UNKNOWN = "the receiver did not take it"
LONGEST = 300.0
"""Seconds after which one try is given up, however slowly the receiver goes on answering."""
TALKATIVE = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")
"""Loggers that show the whole web address of a receiver, and so what is secret in it."""


class NotCarried(Exception):
    """A letter that a channel did not take, with the reason in words that are safe to show; `took` are the marks of its
    recipients who have it all the same."""

    def __init__(self, reason: str, took: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.took = tuple(sorted(took))


class _Heard(logging.Handler):
    """What Apprise says in this thread, kept only long enough to tell why it failed; nothing of it goes on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.mine = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        lines: list[str] | None = getattr(self.mine, "lines", None)
        if lines is not None:
            lines.append(record.getMessage())


_heard = _Heard()


def _is_elsewhere(_: logging.LogRecord) -> bool:
    """Whether a record comes from a thread that carries no letter."""
    return getattr(_heard.mine, "lines", None) is None


def _listen() -> None:
    """Apprise's own logger leads here and nowhere else: its messages may show an address. So may its HTTP client's."""
    logger = logging.getLogger("apprise")
    logger.handlers[:] = [_heard]
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    for name in TALKATIVE:
        logging.getLogger(name).addFilter(_is_elsewhere)  # added once, however often it is asked for


class Carrier:
    """Carries letters over one channel; any thread may use it. ConfigError for an address that names no channel."""

    def __init__(self, name: str, address: str) -> None:
        _listen()
        self.name, self._address = name, address
        self._idle: list[Any] = []
        complaints: list[str] = []
        _heard.mine.lines = complaints
        try:
            plugin = self._made()
        finally:
            _heard.mine.lines = None
        if isinstance(plugin, NotifyEmail) and (complaints or not has_all(plugin, self._address)):
            raise ConfigError(f"{name}: one of its recipients is no mail address; nobody is left out without a word.")
        if plugin is None:
            raise ConfigError(
                f"{name}: the address is none that Apprise knows, such as mailto://… or json://… (it is not shown, for "
                "it may hold a secret)."
            )
        self._idle.append(plugin)

    def carry(self, letter: Letter, took: Iterable[str] = ()) -> None:
        """Send a letter to all but the recipients who took it before; NotCarried, with the reason, when one did not
        take it."""
        came: list[str | None] = []
        have = set(took)
        thread = threading.Thread(target=lambda: came.append(self._tried(letter, have)), name="carrier", daemon=True)
        thread.start()
        thread.join(LONGEST)
        reason = came[0] if came else f"the receiver was not done after {LONGEST:.0f} seconds"
        if reason is not None:
            raise NotCarried(reason, have)

    def _tried(self, letter: Letter, have: set[str]) -> str | None:
        """Send a letter in this thread, and add the marks of those who took it; why another did not, None when all
        did."""
        _listen()
        try:
            plugin = self._idle.pop()
        except IndexError:  # all are in use by other threads
            plugin = self._made()
        lines: list[str] = []
        _heard.mine.lines = lines
        try:
            send = self._mail if isinstance(plugin, NotifyEmail) else self._notify
            refused = send(plugin, letter, have)
        except Exception as error:  # noqa: BLE001 - a hundred services, each with errors of its own
            return _reason([*lines, f"{type(error).__name__} {error}"])
        finally:
            _heard.mine.lines = None
            self._idle.append(plugin)
        if refused and (have or isinstance(plugin, NotifyEmail)):
            return f"{refused} of the recipients were refused"
        return _reason(lines) if refused else None

    def _made(self) -> Any:
        asset = apprise.AppriseAsset(http_redirects=False)
        return apprise.Apprise.instantiate(self._address, asset=asset, suppress_exceptions=True)

    def _notify(self, plugin: Any, letter: Letter, have: set[str]) -> int:
        """Send a letter by Apprise; how many did not take it."""
        if isinstance(getattr(plugin, "headers", None), dict):
            plugin.headers[HEADER] = letter.key
        if "overflow" not in self._address:
            plugin.overflow_mode = apprise.OverflowMode.SPLIT
        text, title = below(letter), letter.subject
        plain = apprise.NotifyFormat.TEXT
        if plugin.resolve_format(plain) == plain:
            words = {"body": text, "title": title, "body_format": plain}
        else:  # Telegram and its like: what Apprise makes of plain text breaks at the first < in a title
            words = {"body": as_chat(text), "title": escape(title), "body_format": apprise.NotifyFormat.HTML}
        targets = getattr(plugin, "targets", None)
        if not isinstance(targets, list) or len(targets) < 2:
            return int(not plugin.notify(**words))
        return sum(not self._one_of(plugin, targets, place, words, have) for place in range(len(targets)))

    def _one_of(self, plugin: Any, targets: list[Any], place: int, words: dict[str, Any], have: set[str]) -> bool:
        """Whether one of a plugin's targets has the letter, from before or from now on."""
        mark = mark_of(str(targets[place]))
        if mark in have:
            return True
        plugin.targets = [targets[place]]
        try:
            if plugin.notify(**words):
                have.add(mark)
        finally:
            plugin.targets = targets
        return mark in have

    def _mail(self, plugin: Any, letter: Letter, have: set[str]) -> int:
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
            for mail, each in copies(plugin, letter):
                if (mark := mark_of(each)) in have:
                    continue
                if smtp.sendmail(plugin.from_addr[1], [each], mail.as_bytes().decode("ascii")):
                    have.add(mark)
                else:
                    refused += 1
        return refused


def mark_of(recipient: str) -> str:
    """What is kept of a recipient who has a letter: not the address."""
    return blake2b(recipient.encode(), digest_size=6).hexdigest()


def below(letter: Letter) -> str:
    """The text without a first line that the subject says already: where both stand together, once is enough."""
    first, _, rest = letter.text.partition("\n")
    return rest.lstrip() if rest.strip() and letter.subject.startswith(first) else letter.text


def as_chat(text: str) -> str:
    """Plain text as the little HTML that chats know: marked words bold, lines as they are."""
    return MARKED.sub(r"<b>\1</b>", escape(text.strip(), quote=False)).replace("\n", "<br/>\n")


def _reason(lines: list[str]) -> str:
    """Why it failed, in our own words: the last line that says anything we know."""
    for line in reversed(lines):
        for pattern, words in REASONS:
            if found := pattern.search(line):
                return words.format(*found.groups())
    return UNKNOWN
