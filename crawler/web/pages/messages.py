"""Messages: who was notified of what, when and by which channel; those that could not be delivered first."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from crawler.store import Delivery, DeliveryState, Message
from crawler.web.pages.article import parse_number
from crawler.web.pages.today import MAX_PARAMETER_LENGTH
from crawler.web.rendering import PageRenderer, make_address

DELIVERIES_PER_PAGE = 50
MAX_LISTED_FAILURES = 20
MAX_LISTED_ARTICLES = 5


def show_messages(site: PageRenderer, request: Request) -> Response:
    """Return the ledger of messages, newest first, under those that failed."""
    store, config = site.newsroom.store, site.newsroom.config
    subscription = request.query_params.get("subscription", "")[:MAX_PARAMETER_LENGTH] or None
    only_failed = request.query_params.get("state") == "failed"
    before = parse_number(request, "before")
    found = store.deliveries.list_newest(
        failed=only_failed, subscription=subscription, before=before, limit=DELIVERIES_PER_PAGE + 1
    )
    rows = drop_partial_message(found, DELIVERIES_PER_PAGE)
    failed = store.deliveries.list_newest(failed=True, limit=MAX_LISTED_FAILURES)
    ids = {message.id for message, _ in (*rows, *failed)}
    parameters = {"subscription": subscription, "state": "failed" if only_failed else None}
    counts = store.deliveries.count_by_state()
    return site.render(
        request,
        "messages.html",
        rows=rows,
        failed=failed,
        headlines=store.reading_lists.get_message_headlines(ids),
        max_articles=MAX_LISTED_ARTICLES,
        subscriptions=sorted(config.subscriptions),
        subscription=subscription,
        only_failed=only_failed,
        total=sum(counts.values()),
        dead_count=counts.get(DeliveryState.DEAD, 0),
        older=make_address("/messages", {**parameters, "before": rows[-1][0].id}) if len(found) > len(rows) else None,
        address=make_address,
    )


def drop_partial_message(found: list[tuple[Message, Delivery]], limit: int) -> list[tuple[Message, Delivery]]:
    """Return at most `limit` deliveries that do not end within a message, so that the next page misses none of it."""
    if len(found) <= limit:
        return found
    whole = [row for row in found if row[0].id != found[-1][0].id]
    return whole or found
