"""Routes of messages: who was notified of what, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

from fastapi import Path, Query

from crawler.roles import Role
from crawler.store import Delivery, Message, Store
from crawler.web.api.models import DeliveryRow, MessageArticle, MessagePage, MessageRow
from crawler.web.api.parameters import ListParameters, Name, RowNumber, format_cursor, parse_row_cursor
from crawler.web.api.routing import Context, answer_in_thread, make_router
from crawler.web.api.texts import get_listed_title
from crawler.web.errors import PageMissing

MAX_CHANNELS = 20
"""Channels of one subscription that a page of messages reads."""
MAX_LISTED_ARTICLES = 50
router = make_router("messages")


class MessageParameters(ListParameters):
    """The filters of the list of messages."""

    subscription: Name | None = None
    failed: bool = False
    """Only messages that were given up or tried in vain so far."""


@router.get("/messages", response_model=MessagePage)
@answer_in_thread(Role.READER)
def list_messages(context: Context, wanted: Annotated[MessageParameters, Query()]) -> MessagePage:
    """List the messages of the subscriptions, the newest first."""
    store = context.newsroom.store
    before = parse_row_cursor(wanted.cursor)
    found = store.deliveries.list_newest(
        failed=wanted.failed, subscription=wanted.subscription, before=before, limit=(wanted.limit + 1) * MAX_CHANNELS
    )
    pages = _make_rows(store, found, wanted.limit + 1)
    shown = pages[: wanted.limit]
    return MessagePage(items=shown, next=format_cursor(shown[-1].id) if len(pages) > len(shown) else None)


@router.get("/messages/{message_id}", response_model=MessageRow)
@answer_in_thread(Role.READER)
def get_message(
    context: Context, message_id: Annotated[RowNumber, Path(description="The message's number.")]
) -> MessageRow:
    """Return a message with what became of it."""
    store = context.newsroom.store
    rows = _make_rows(store, store.deliveries.list_newest(message_id=message_id), 1)
    if not rows:
        raise PageMissing(f"There is no message {message_id}.")
    return rows[0]


def _make_rows(store: Store, found: Sequence[tuple[Message, Delivery]], limit: int) -> list[MessageRow]:
    """Return the first messages, each with its deliveries."""
    grouped = groupby(found, key=lambda row: row[0])
    shown = [(message, [delivery for _, delivery in rows]) for message, rows in grouped][:limit]
    headlines = store.reading_lists.get_message_headlines({message.id for message, _ in shown})
    return [
        MessageRow(
            id=message.id,
            subscription=message.subscription,
            kind=message.kind,
            created_at=message.created_at,
            deferred=message.deferred,
            deliveries=[
                DeliveryRow(
                    channel=each.channel,
                    state=each.state,
                    tries=each.tries,
                    next_try_at=each.next_try_at,
                    sent_at=each.sent_at,
                )
                for each in deliveries
            ],
            articles=[
                MessageArticle(id=article_id, headline=get_listed_title(headline))
                for article_id, headline in headlines.get(message.id, [])[:MAX_LISTED_ARTICLES]
            ],
        )
        for message, deliveries in shown
    ]
