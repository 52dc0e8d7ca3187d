"""A letter as a mail: put together here, for Apprise's has no text of its own beside the HTML and a new Message-ID at
every try."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawler.notify.rendered_message import RenderedMessage

SEVEN_BIT_POLICY = SMTP.clone(cte_type="7bit")
"""Whatever stands on the way, letters beyond ASCII arrive."""
KEY_HEADER = "Idempotency-Key"
"""In which webhooks, and mails with an X- before it, find a message's key."""


def has_all_recipients(plugin: Any, address: str) -> bool:
    """Whether each recipient that an address names is one to Apprise, which passes over the others."""
    query = parse_qs(urlsplit(address).query)
    asked = [part for key in ("to", "cc", "bcc") for text in query.get(key, ()) for part in re.split("[,;]", text)]
    known = {each for _, each in plugin.targets} | plugin.cc | plugin.bcc
    return bool(plugin.targets) and all(any(each in part for each in known) for part in asked if part.strip())


def make_mails(plugin: Any, message: RenderedMessage) -> Iterator[tuple[EmailMessage, str]]:
    """A mail for each of `to`, with each of those whom it goes to."""
    for name, address in plugin.targets:
        mail = make_mail(message, sender=plugin.from_addr, to=(name, address))
        for header, others in (("Cc", plugin.cc), ("Reply-To", plugin.reply_to)):
            if others:
                mail[header] = ", ".join(sorted(others))
        yield from ((mail, each) for each in (address, *sorted((plugin.cc | plugin.bcc) - {address})))


def make_mail(message: RenderedMessage, *, sender: tuple[Any, str], to: tuple[Any, str]) -> EmailMessage:
    """A letter as a mail: plain text and HTML, the same Message-ID at every try."""
    mail = EmailMessage(policy=SEVEN_BIT_POLICY)
    mail["Subject"] = message.subject
    mail["From"] = formataddr((sender[0] or "", sender[1]))
    mail["To"] = formataddr((to[0] or "", to[1]))
    mail["Date"] = format_datetime(message.made_at)
    mail["Message-ID"] = f"<{message.key}@{sender[1].rpartition('@')[2] or 'crawler'}>"
    mail[f"X-{KEY_HEADER}"] = message.key
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = message.language
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail
