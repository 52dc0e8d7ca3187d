"""Messages: who was notified of what, when and by which channel; those that could not be delivered first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.items import Article, Verdict
from crawler.store import Decision, Delivery, Message, Notification, Store
from crawler.web.errors import BadAddress
from crawler.web.forms import FormValues, parse_row_number
from crawler.web.newsroom import Newsroom
from crawler.web.pages.actions import add_parameter
from crawler.web.pages.article import get_article, parse_number
from crawler.web.pages.today import MAX_PARAMETER_LENGTH
from crawler.web.rendering import PageRenderer, make_address
from crawler.web.translations import mark_message

OUTCOME_WORDS = {
    "alert": mark_message("a message of its own"),
    "digest": mark_message("in a digest"),
    "waiting": mark_message("waits for the next digest"),
    "covered": mark_message("no message of its own, because another one covers it"),
    "skip": mark_message("not notified"),
    "undecided": mark_message("not decided yet: the next run decides"),
    "absent": mark_message("not decided: the subscription did not exist then"),
}
"""What became of a change for one subscription."""
SUPPRESSED_WORDS = {
    "baseline": mark_message("It was there when its source, or this language of it, was read for the first time."),
    "backfill": mark_message("It was stored by a run with --since, and is older than what a usual run would have met."),
    "damaged": mark_message("Its text came cut off or in a wrong encoding. Its first sound version is sent."),
    "replay": mark_message("It was read from stored pages, not from the site."),
}
DELIVERIES_PER_PAGE = 50
MAX_LISTED_FAILURES = 3
MAX_LISTED_ARTICLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedDecision:
    """What one subscription decided. `outcome` is a key of `OUTCOME_WORDS`, `reason` an English sentence or None."""

    subscription: str
    outcome: str
    reason: str | None
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedEvent:
    """A change of an article, with what each subscription decided. Nobody is notified of a suppressed one."""

    version: int
    verdict: Verdict
    at: datetime
    suppressed_because: str | None
    decisions: tuple[ExplainedDecision, ...]


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
    has_more = len(found) > len(rows)
    if found and not rows:  # one message has more deliveries than a page: the page shows all of them and no other
        rows = store.deliveries.list_newest(failed=only_failed, message_id=found[0][0].id)
        following = store.deliveries.list_newest(
            failed=only_failed, subscription=subscription, before=found[0][0].id, limit=1
        )
        has_more = bool(following)
    failed = store.deliveries.list_newest(failed=True, limit=MAX_LISTED_FAILURES)
    ids = {message.id for message, _ in (*rows, *failed)}
    parameters = {"subscription": subscription, "state": "failed" if only_failed else None}
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
        total=sum(store.deliveries.count_by_state().values()),
        failed_count=store.deliveries.count_failed(),
        older=make_address("/messages", {**parameters, "before": rows[-1][0].id}) if has_more else None,
        address=make_address,
        retried=request.query_params.get("retried", "")[:9],
    )


def retry_messages(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Make the failed deliveries of a message, or all of them, due now, and return to the page.

    They are sent by the next run of a watch, or by `crawler alerts send`: a page does not wait for a mail server.
    """
    text = form.get_first("message")
    message_id = parse_row_number(text)
    if text and message_id is None:
        raise BadAddress
    number = site.newsroom.store.deliveries.retry_failed(datetime.now(UTC), message_id=message_id)
    return RedirectResponse(add_parameter(form.get_back_address(), "retried", number), 303)


def show_explanation(site: PageRenderer, request: Request) -> Response:
    """Return the page that explains who was notified of an article, and why somebody was not."""
    reader = site.make_reader(request)
    article = get_article(site, request.path_params["article_id"], None)
    return site.render(
        request,
        "explanation.html",
        reader=reader,
        article=article,
        events=list(explain_events(site.newsroom, article)),
        outcomes={"OUTCOME_WORDS": OUTCOME_WORDS, "SUPPRESSED_WORDS": SUPPRESSED_WORDS},
        subscriptions=sorted(site.newsroom.config.subscriptions),
    )


def explain_events(newsroom: Newsroom, article: Article) -> Iterator[ExplainedEvent]:
    """Yield what was decided about each change of an article, the newest first."""
    store = newsroom.store
    notifications = store.notifications.list_by_article(article.id)
    waiting = store.events.list_undecided(1)
    for event in reversed(store.events.list_by_article(article.id)):
        decided = {each.subscription: each for each in notifications if each.event_id == event.id}
        is_undecided = bool(waiting) and waiting[0].id <= event.id
        names = dict.fromkeys((*sorted(newsroom.config.subscriptions), *decided))
        yield ExplainedEvent(
            version=event.version,
            verdict=event.verdict,
            at=event.created_at,
            suppressed_because=event.suppressed_because,
            decisions=tuple(
                explain_decision(store, name, decided.get(name), is_undecided=is_undecided) for name in names
            )
            if event.suppressed_because is None
            else (),
        )


def explain_decision(store: Store, name: str, found: Notification | None, *, is_undecided: bool) -> ExplainedDecision:
    """Return what one subscription decided about a change."""
    if found is None:
        key = "undecided" if is_undecided else "absent"
        return ExplainedDecision(subscription=name, outcome=key, reason=None, deliveries=())
    deliveries = store.deliveries.list_newest(message_id=found.message_id) if found.message_id is not None else []
    outcome = (
        "waiting" if found.decision is Decision.DIGEST and found.message_id is None else found.decision.name.lower()
    )
    return ExplainedDecision(
        subscription=name,
        outcome=outcome,
        reason=found.reason,
        deliveries=tuple(delivery for _, delivery in deliveries),
    )


def drop_partial_message(found: list[tuple[Message, Delivery]], limit: int) -> list[tuple[Message, Delivery]]:
    """Return at most `limit` deliveries that do not end within a message, so that the next page misses none of it.

    Nothing is left of a message that has more deliveries than `limit`.
    """
    return found if len(found) <= limit else [row for row in found if row[0].id != found[-1][0].id]
