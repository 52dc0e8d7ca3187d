"""What is sent: the words, and the key by which whoever gets them twice can tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """`key` is the message's idempotency key, `language` that of the words around the articles, `made_at` aware."""

    key: str
    subject: str
    text: str
    html: str
    language: str
    made_at: datetime


def make_plain_message(key: str, subject: str, text: str, language: str, made_at: datetime) -> RenderedMessage:
    """A letter that shows no article: its HTML is its text."""
    html = f"<!DOCTYPE html><html lang={language}><meta charset=utf-8><p>{escape(text)}</p></html>"
    return RenderedMessage(
        key=key, subject=subject, text=text + "\n", html=html.replace("\n", "<br>"), language=language, made_at=made_at
    )
