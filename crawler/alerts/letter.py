"""What is sent: the words, and the key by which whoever gets them twice can tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """`key` is the message's idempotency key, `language` that of the words around the articles, `made_at` aware."""

    key: str
    subject: str
    text: str
    html: str
    language: str
    made_at: datetime
