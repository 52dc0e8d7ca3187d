"""One channel of an owner: a name and an address, carried by Apprise (mail, Telegram, Slack, Matrix, webhooks and a
hundred more).

An address holds secrets: it is never logged, stored or part of an error, and neither is what Apprise and its HTTP
client say, for they may quote it; why a try failed is told in our own words. A mail is put together here, for Apprise's
has no text of its own beside the HTML and a new Message-ID at every try; it leaves over Apprise's connection. A
redirect is not followed, unless the address says `redirect=yes`: what was posted would be lost on the way.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import apprise
from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.smtp import AppriseSMTPController

from crawler.alerts.letter import Letter
from crawler.errors import ConfigError

SEVEN_BIT = SMTP.clone(cte_type="7bit")
"""Whatever stands on the way, letters beyond ASCII arrive."""
HEADER = "Idempotency-Key"
"""In which webhooks, and mails with an X- before it, find a message's key."""
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
REMEMBERED = 1000
"""Mails of which this process keeps who took them, while others did not."""
TALKATIVE = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")
"""Loggers that show the whole web address of a receiver, and so what is secret in it."""


class NotCarried(Exception):
    """A letter that a channel did not take, with the reason in words that are safe to show."""


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
_took: dict[tuple[str, str], set[str]] = {}
"""By channel and key, those who took a mail that others have not: they do not get it again at each further try."""


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
        if isinstance(plugin, NotifyEmail) and (complaints or not _has_all(plugin, self._address)):
            raise ConfigError(f"{name}: one of its recipients is no mail address; nobody is left out without a word.")
        if plugin is None:
            raise ConfigError(
                f"{name}: the address is none that Apprise knows, such as mailto://… or json://… (it is not shown, for "
                "it may hold a secret)."
            )
        self._idle.append(plugin)

    def carry(self, letter: Letter) -> None:
        """Send a letter; NotCarried, with the reason, when it was not taken."""
        came: list[str | None] = []
        thread = threading.Thread(target=lambda: came.append(self._tried(letter)), name="carrier", daemon=True)
        thread.start()
        thread.join(LONGEST)
        reason = came[0] if came else f"the receiver was not done after {LONGEST:.0f} seconds"
        if reason is not None:
            raise NotCarried(reason)

    def _tried(self, letter: Letter) -> str | None:
        """Send a letter in this thread; why it was not taken, None when it was."""
        _listen()
        try:
            plugin = self._idle.pop()
        except IndexError:  # all are in use by other threads
            plugin = self._made()
        lines: list[str] = []
        _heard.mine.lines = lines
        try:
            sent = self._mail(plugin, letter) if isinstance(plugin, NotifyEmail) else self._notify(plugin, letter)
        except NotCarried as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - a hundred services, each with errors of its own
            return _reason([*lines, f"{type(error).__name__} {error}"])
        finally:
            _heard.mine.lines = None
            self._idle.append(plugin)
        return None if sent else _reason(lines)

    def _made(self) -> Any:
        asset = apprise.AppriseAsset(http_redirects=False)
        return apprise.Apprise.instantiate(self._address, asset=asset, suppress_exceptions=True)

    def _notify(self, plugin: Any, letter: Letter) -> bool:
        if isinstance(getattr(plugin, "headers", None), dict):
            plugin.headers[HEADER] = letter.key
        if "overflow" not in self._address:
            plugin.overflow_mode = apprise.OverflowMode.SPLIT
        text = below(letter)
        plain, html = apprise.NotifyFormat.TEXT, apprise.NotifyFormat.HTML
        if plugin.resolve_format(plain) == plain:
            sent: bool = plugin.notify(body=text, title=letter.subject, body_format=plain)
        else:  # Telegram and its like: what Apprise makes of plain text breaks at the first < in a title
            sent = plugin.notify(body=as_chat(text), title=escape(letter.subject), body_format=html)
        return sent

    def _mail(self, plugin: Any, letter: Letter) -> bool:
        at = (self.name, letter.key)
        took = _took.pop(at, set())
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
        try:
            with connection as smtp:
                for mail, each in _copies(plugin, letter):
                    if each in took:
                        continue
                    if smtp.sendmail(plugin.from_addr[1], [each], mail.as_bytes().decode("ascii")):
                        took.add(each)
                    else:
                        refused += 1
        except Exception:
            _remember(at, took)
            raise
        if refused:
            _remember(at, took)
            raise NotCarried(f"{refused} of the recipients were refused")
        return True


def _has_all(plugin: Any, address: str) -> bool:
    """Whether each recipient that an address names is one to Apprise, which passes over the others."""
    query = parse_qs(urlsplit(address).query)
    asked = [part for key in ("to", "cc", "bcc") for text in query.get(key, ()) for part in re.split("[,;]", text)]
    known = {each for _, each in plugin.targets} | plugin.cc | plugin.bcc
    return bool(plugin.targets) and all(any(each in part for each in known) for part in asked if part.strip())


def _copies(plugin: Any, letter: Letter) -> Iterator[tuple[EmailMessage, str]]:
    """A mail for each of `to`, with each of those whom it goes to."""
    for name, address in plugin.targets:
        mail = letter_as_mail(letter, sender=plugin.from_addr, to=(name, address))
        for header, others in (("Cc", plugin.cc), ("Reply-To", plugin.reply_to)):
            if others:
                mail[header] = ", ".join(sorted(others))
        yield from ((mail, each) for each in (address, *sorted((plugin.cc | plugin.bcc) - {address})))


def _remember(at: tuple[str, str], took: set[str]) -> None:
    _took[at] = took
    while len(_took) > REMEMBERED:
        del _took[next(iter(_took))]


def below(letter: Letter) -> str:
    """The text without a first line that the subject says already: where both stand together, once is enough."""
    first, _, rest = letter.text.partition("\n")
    return rest.lstrip() if rest.strip() and letter.subject.startswith(first) else letter.text


def as_chat(text: str) -> str:
    """Plain text as the little HTML that chats know: marked words bold, lines as they are."""
    return MARKED.sub(r"<b>\1</b>", escape(text.strip(), quote=False)).replace("\n", "<br/>\n")


def letter_as_mail(letter: Letter, *, sender: tuple[Any, str], to: tuple[Any, str]) -> EmailMessage:
    """A letter as a mail: plain text and HTML, the same Message-ID at every try."""
    mail = EmailMessage(policy=SEVEN_BIT)
    mail["Subject"] = letter.subject
    mail["From"] = formataddr((sender[0] or "", sender[1]))
    mail["To"] = formataddr((to[0] or "", to[1]))
    mail["Date"] = format_datetime(letter.made_at)
    mail["Message-ID"] = f"<{letter.key}@{sender[1].rpartition('@')[2] or 'crawler'}>"
    mail[f"X-{HEADER}"] = letter.key
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = letter.language
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    return mail


def _reason(lines: list[str]) -> str:
    """Why it failed, in our own words: the last line that says anything we know."""
    for line in reversed(lines):
        for pattern, words in REASONS:
            if found := pattern.search(line):
                return words.format(*found.groups())
    return UNKNOWN
