"""A message in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

KEY_HEADER = "Idempotency-Key"
"""Web hooks find a message's key in this header, mails in the same with X- before it."""

PLAIN_HTML = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body>
<p>{text}</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """What a transport sends.

    `key` is the message's idempotency key: a receiver who gets a message twice recognises it. `language` is that of the
    words around the articles. `made_at` is aware. `thread_key` is the key of the first message about the same article,
    None if this is the first. `subscription` is None for a message to the operator. `contact` is the owner's mail or
    web address, if known. `data` is what a web hook gets beside the text.
    """

    key: str
    subject: str
    text: str
    html: str
    language: str
    made_at: datetime
    thread_key: str | None = None
    subscription: str | None = None
    contact: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def make_plain_message(key: str, subject: str, text: str, language: str, made_at: datetime) -> RenderedMessage:
    """Return a message that shows no article. Its HTML is its text."""
    html = PLAIN_HTML.format(
        language=escape(language), title=escape(subject), text=escape(text.rstrip("\n")).replace("\n", "<br>")
    )
    return RenderedMessage(key=key, subject=subject, text=text + "\n", html=html, language=language, made_at=made_at)
