"""A message in words, and as a mail.

We build mails here: Apprise's have no text of their own beside the HTML, and a new Message-ID at each attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from html import escape

SEVEN_BIT_POLICY = SMTP.clone(cte_type="7bit")
"""Letters beyond ASCII arrive over any server."""
KEY_HEADER = "Idempotency-Key"
"""Web hooks find a message's key in this header, mails in the same with X- before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """What a transport sends.

    `key` is the message's idempotency key: a receiver who gets a message twice recognises it. `language` is that of the
    words around the articles. `made_at` is aware.
    """

    key: str
    subject: str
    text: str
    html: str
    language: str
    made_at: datetime


def make_plain_message(key: str, subject: str, text: str, language: str, made_at: datetime) -> RenderedMessage:
    """Return a message that shows no article. Its HTML is its text."""
    html = f"<!DOCTYPE html><html lang={language}><meta charset=utf-8><p>{escape(text)}</p></html>"
    return RenderedMessage(
        key=key, subject=subject, text=text + "\n", html=html.replace("\n", "<br>"), language=language, made_at=made_at
    )


def make_mail(
    message: RenderedMessage, *, sender: tuple[str | None, str], recipient: tuple[str | None, str]
) -> EmailMessage:
    """Return a mail with plain text and HTML. `sender` and `recipient` are a name, if any, and an address."""
    mail = EmailMessage(policy=SEVEN_BIT_POLICY)
    mail["Subject"] = message.subject
    mail["From"] = formataddr((sender[0] or "", sender[1]))
    mail["To"] = formataddr((recipient[0] or "", recipient[1]))
    mail["Date"] = format_datetime(message.made_at)
    # The same at each attempt, so that a mail program shows a repeated mail once.
    mail["Message-ID"] = f"<{message.key}@{sender[1].rpartition('@')[2] or 'crawler'}>"
    mail[f"X-{KEY_HEADER}"] = message.key
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = message.language
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail
