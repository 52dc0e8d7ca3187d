"""Build mails. Apprise's have no text of their own beside the HTML, and a new Message-ID at each attempt."""

from __future__ import annotations

import re
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, formataddr, getaddresses
from email.utils import quote as quote_text
from typing import Any
from urllib.parse import quote

from crawler.notify.rendered_message import KEY_HEADER, RenderedMessage

ADDRESS_HEADERS = frozenset({"from", "to", "cc", "reply-to"})
TEXT_HEADERS = ADDRESS_HEADERS | {"subject"}
MAX_ENCODED_WORD_LENGTH = 75
"""The limit of RFC 2047."""
MAX_ADDRESS_LENGTH = 60
"""A longer address and its name are on two lines."""
PLAIN_SUBJECT_PATTERN = re.compile(r"(?!.*=\?)[!-~]{1,60}(?: [!-~]{1,60})*")
"""A subject that needs no encoding: single spaces, no word longer than a line, none that looks like an encoded word."""
MAIL_ADDRESS_PATTERN = re.compile(r"[^\s@:/<>]+@[^\s@:/<>]+")


class FoldingMailPolicy(EmailPolicy):
    """Folds headers so that they decode to themselves.

    The standard library's folding drops spaces between encoded words, and encodes a Message-ID that is longer than a
    line.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Return what the mail keeps of a header that is set. A text stays as it is, even if it looks encoded."""
        if name.lower() in TEXT_HEADERS:
            return name, " ".join(str(value).splitlines())
        return super().header_store_parse(name, value)

    def fold(self, name: str, value: Any) -> str:
        """Return a header as lines of ASCII, with encoded words of at most 75 characters."""
        if name.lower() in ADDRESS_HEADERS:
            text = f",{self.linesep} ".join(_format_address(*each, self.linesep) for each in getaddresses([str(value)]))
        elif name.lower() == "subject":
            charset = "us-ascii" if PLAIN_SUBJECT_PATTERN.fullmatch(str(value)) else "utf-8"
            text = _fold_words(str(value), charset, name, self.linesep)
        elif str(value).isascii() and not name.lower().startswith("content-"):
            text = str(value)  # An id or a link: nothing may be inserted into it.
        else:
            return str(super().fold(name, value))
        return f"{name}: {text}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return the same as bytes."""
        return self.fold(name, value).encode("ascii")


MAIL_POLICY = FoldingMailPolicy(linesep="\r\n", cte_type="7bit")
"""Letters beyond ASCII arrive over any server."""


def _fold_words(text: str, charset: str, header_name: str, linesep: str) -> str:
    return Header(text, charset, MAX_ENCODED_WORD_LENGTH, header_name).encode(linesep=linesep)


def _format_address(name: str, address: str, linesep: str) -> str:
    """Return an address with its name, which is encoded if need be, on lines that are not too long."""
    if name.isascii() and "=?" not in name:
        words = formataddr((name, address))
        return words if len(words) <= MAX_ADDRESS_LENGTH else f"{linesep} <".join(words.rsplit(" <", 1))
    return f"{_fold_words(name, 'utf-8', 'Reply-To', linesep)}{linesep} <{address}>"


def make_mail(
    message: RenderedMessage, *, sender: tuple[str | None, str], recipient: tuple[str | None, str]
) -> EmailMessage:
    """Return a mail with plain text and HTML. `sender` and `recipient` are a name, if any, and an address."""
    mail = EmailMessage(policy=MAIL_POLICY)
    mail["Subject"] = message.subject
    mail["From"] = _quote_name(*sender)
    mail["To"] = _quote_name(*recipient)
    mail["Date"] = format_datetime(message.made_at)
    # The same at each attempt, so that a mail program shows a repeated mail once.
    domain = sender[1].rpartition("@")[2] or "crawler"
    mail["Message-ID"] = f"<{message.key}@{domain}>"
    if message.thread_key:
        mail["In-Reply-To"] = mail["References"] = f"<{message.thread_key}@{domain}>"
    if message.subscription:
        mail["List-Id"] = f"<{message.subscription}.{domain}>"
        mail["List-Unsubscribe"] = _format_unsubscribe_link(message, sender[1])
    mail[f"X-{KEY_HEADER}"] = message.key
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    # After the content: a mail that gets an alternative moves its Content headers into the first part.
    mail["Content-Language"] = message.language
    return mail


def _quote_name(name: str | None, address: str) -> str:
    """Return an address with its name, not yet encoded."""
    return f'"{quote_text(name)}" <{address}>' if name else address


def _format_unsubscribe_link(message: RenderedMessage, sender: str) -> str:
    """Return a link that writes to the contact, or to the sender if the contact is no mail address."""
    contact = message.contact or ""
    address = contact if MAIL_ADDRESS_PATTERN.fullmatch(contact) else sender
    return f"<mailto:{quote(address, safe='@')}?subject=unsubscribe%20{quote(message.subscription or '')}>"
