"""`crawler alerts`: list sent and pending messages, retry, send, test a channel, explain an article's notifications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import format_local_time, print_json
from crawler.cli.help import CommandApp
from crawler.cli.options import (
    MAX_COUNT,
    ArticleArgument,
    FormerLanguageOption,
    JsonOption,
    OutputLanguageOption,
    SinceOption,
)
from crawler.errors import Unreachable, UsageError

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.items import Article
    from crawler.store import ChangeEvent, Delivery, Message, Notification, Store

app = CommandApp(help="List messages to subscribers; retry, send, test, explain.")
DEFAULT_LIMIT = 50
SUPPRESSED_BECAUSE = {
    "baseline": "it was stored when its source, or this language of it, was read for the first time",
    "backfill": "it was stored by a run with --since, and is older than what a usual run would have met",
    "damaged": "its text came cut off or in a wrong encoding; its first sound version is sent",
    "replay": "it was read from stored pages, not from the site",
}
NO_EVENT_BECAUSE = (
    "no rule matched it when it was stored (`crawler rules apply` notifies no one of what it finds), or there was no "
    "subscription"
)


@app.callback(invoke_without_command=True)
def list_messages(
    context: typer.Context,
    since: SinceOption = None,
    subscription: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only messages of this subscription.")
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only messages that failed or wait after a failure.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=MAX_COUNT, metavar="N", help="At most N messages.")] = DEFAULT_LIMIT,
    as_json: JsonOption = False,
) -> None:
    """List messages to subscribers; retry, send, test, explain."""
    if context.invoked_subcommand is not None:
        return
    from crawler.cli.time_options import parse_since
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store

    config = load_config(context.obj)
    with open_configured_store(config) as store:
        if subscription is not None:
            _raise_if_unknown_subscription(config, store, subscription)
        rows = store.deliveries.list_newest(
            failed=failed, subscription=subscription, since=parse_since(since, config.timezone), limit=limit
        )
        for message, delivery in rows:
            articles, alarms = _list_article_ids(store, message), _list_alarms(store, message)
            if as_json:
                print_json(_delivery_to_dict(message, delivery, articles, alarms))
            else:
                print(_format_delivery(config, message, delivery, [*articles, *alarms]))
        if not as_json:
            counts = ", ".join(
                f"{number} {state}" for state, number in sorted(store.deliveries.count_by_state().items())
            )
            print(f"{len(rows)} shown; in all {counts}, in {store.name}." if counts else "No messages yet.")


@app.command()
def retry(
    context: typer.Context,
    message: Annotated[
        int | None, typer.Argument(metavar="MESSAGE", help="Number of a message. Default: all that failed.")
    ] = None,
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="Only on this channel.")] = None,
) -> None:
    """Try failed messages again now.

    Exits with 1 if one fails again.
    """
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.notify.dispatcher import Dispatcher
    from crawler.service.notifications import format_send_result

    config = load_config(context.obj)
    if channel is not None:
        _raise_if_unknown_channel(config, channel)
    with open_configured_store(config) as store:
        if message is not None and store.messages.get(message) is None:
            raise UsageError(f"There is no message {message}; `crawler alerts` lists them.")
        number = store.deliveries.retry_failed(datetime.now(UTC), message_id=message, channel=channel)
        sent = Dispatcher(config, store, hold_bursts=False).send_due(ignore_quiet_hours=True)
        print(f"{number} tried again." if number else "Nothing had failed: nothing was tried again.")
        for line in format_send_result(sent):
            print(line)
    if sent.failed or sent.dead:
        raise typer.Exit(1)


@app.command()
def send(context: typer.Context) -> None:
    """Send what is due now, digests too.

    Use it if you start `crawler crawl` by a timer of your own. `crawler watch` sends without it.
    """
    from crawler.config import load_config
    from crawler.service.notifications import begin_subscriptions, notify_about_runs

    config = load_config(context.obj)
    begin_subscriptions(config)
    for line in notify_about_runs(config, (), hold_bursts=False) or ["Nothing was due."]:
        print(line)


@app.command()
def test(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Name of a channel in [channels].")],
    output_language: OutputLanguageOption = None,
    language: FormerLanguageOption = None,
) -> None:
    """Send a test message to a channel."""
    from crawler.cli.selection import choose_output_language
    from crawler.config import load_config
    from crawler.service.channel_tests import record_channel_test, record_failed_channel_test, send_test_message

    config = load_config(context.obj)
    _raise_if_unknown_channel(config, channel)
    spoken = choose_output_language(output_language, language)
    try:
        send_test_message(channel, config.channels[channel].get_secret_value(), spoken, config.timezone)
    except Unreachable:
        record_failed_channel_test(config, channel)
        raise
    record_channel_test(config, channel)
    print(f"{channel}: sent. Ask the recipients whether it arrived.")


@app.command()
def explain(context: typer.Context, article: ArticleArgument) -> None:
    """Explain who was notified of an article, and why."""
    from crawler.cli.selection import resolve_article
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store

    config = load_config(context.obj)
    with open_configured_store(config) as store:
        for line in explain_notifications(store, config, resolve_article(store, article, config)):
            print(line)


def _raise_if_unknown_channel(config: Config, channel: str) -> None:
    from crawler.errors import suggest_nearest

    if channel not in config.channels:
        hint = suggest_nearest(channel, config.channels) or f"; it has {', '.join(config.channels) or 'none'}."
        raise UsageError(f"There is no channel {channel!r} in [channels]{hint}")


def _raise_if_unknown_subscription(config: Config, store: Store, name: str) -> None:
    """Raise UsageError for a name that is not in the configuration. Messages of a former subscription can be listed."""
    from crawler.errors import suggest_nearest

    if config.find_subscription(name) is None and not store.deliveries.list_newest(subscription=name, limit=1):
        hint = (
            suggest_nearest(name, config.subscriptions) or f"; there are {', '.join(config.subscriptions) or 'none'}."
        )
        raise UsageError(f"There is no subscription {name!r}{hint}")


def _list_article_ids(store: Store, message: Message) -> list[str]:
    """Return the articles that a message is about, without those it mentions as part of another one's story."""
    from crawler.store import Decision

    notifications = store.notifications.list_by_message(message.id)
    return list(dict.fromkeys(each.article_id for each in notifications if each.decision is not Decision.COVERED))


def _list_alarms(store: Store, message: Message) -> list[str]:
    """Return what a message to the operator is about, such as `mfa blocked`, or `mfa blocked (healed)`."""
    notices = store.alarms.list_notices(message.id)
    return [
        f"{each.alarm.source} {each.kind}" + ("" if each.notice == "opened" else f" ({each.notice})")
        for each in notices
    ]


def _format_delivery(config: Config, message: Message, delivery: Delivery, subjects: Iterable[str]) -> str:
    from crawler.store import DeliveryState
    from crawler.text.counts import format_count
    from crawler.text.dates import load_time_zone

    made = format_local_time(message.created_at, config.timezone)
    tries = format_count(delivery.tries, "try", "tries")
    match delivery.state:
        case DeliveryState.SENT if delivery.sent_at:
            state = f"sent {delivery.sent_at.astimezone(load_time_zone(config.timezone)):%Y-%m-%d %H:%M:%S}, {tries}"
        case DeliveryState.DEAD:
            state = f"given up after {tries}: {delivery.failure}"
        case DeliveryState.REPLACED:
            state = f"not sent: {delivery.failure}"
        case _:
            due = f"due {format_local_time(delivery.next_try_at, config.timezone)}"
            state = f"{due}, {tries}: {delivery.failure}" if delivery.failure else due
    subject = ", ".join(subjects) or "nothing new"
    return (
        f"{message.id:>5}  {made}  {message.subscription} → {delivery.channel}  {message.kind}: {subject}\n"
        f"       {state}"
    )


def _delivery_to_dict(message: Message, delivery: Delivery, articles: list[str], alarms: list[str]) -> dict[str, Any]:
    from crawler.items import format_time
    from crawler.store import DeliveryState

    return {
        "message": message.id,
        "key": message.key,
        "subscription": message.subscription,
        "kind": message.kind,
        "made_at": format_time(message.created_at),
        "articles": articles,
        "alarms": alarms,
        "channel": delivery.channel,
        "state": delivery.state,
        "tries": delivery.tries,
        "sent_at": format_time(delivery.sent_at),
        "next_try_at": format_time(delivery.next_try_at) if delivery.state is DeliveryState.PENDING else None,
        "failure": delivery.failure,
    }


def explain_notifications(store: Store, config: Config, article_id: str) -> Iterator[str]:
    """Yield lines: the article, then for each change event what was decided for each subscription, and why."""
    article = store.articles.get(article_id)
    assert article is not None
    yield f"{article_id}  {article.headline}"
    if not config.subscriptions:
        yield "  No one is notified: there is no [subscriptions.…] in the configuration."
    events = store.events.list_by_article(article_id)
    if not events:
        reason = NO_EVENT_BECAUSE if article.matches else "no rule matches it"
        yield f"  Not notified, because {reason}."
    notifications = store.notifications.list_by_article(article_id)
    for event in events:
        recorded_at = format_local_time(event.created_at, config.timezone)
        yield f"  version {event.version}, {event.verdict}, recorded {recorded_at}"
        if event.suppressed_because:
            reason = SUPPRESSED_BECAUSE.get(event.suppressed_because, event.suppressed_because)
            yield f"    not notified, because {reason}"
            continue
        for name in config.subscriptions:
            decided = (each for each in notifications if each.event_id == event.id and each.subscription == name)
            yield f"    {name}: {_explain_notification(store, config, event, article, name, next(decided, None))}"


def _explain_notification(
    store: Store,
    config: Config,
    event: ChangeEvent,
    article: Article,
    subscription: str,
    notification: Notification | None,
) -> str:
    from crawler.notify.subscription_filter import matches_subscription
    from crawler.store import Decision

    if notification is None:
        if _is_undecided(store, event):
            return "not decided yet; the next run, or `crawler alerts send`, decides"
        matches = matches_subscription(config.subscriptions[subscription], article)
        return "not decided: the subscription did not exist then" + ("" if matches else ", and none of its rules match")
    match notification.decision:
        case Decision.SKIP:
            return f"not notified, because {notification.reason}"
        case Decision.COVERED:
            by = f": {_format_deliveries(store, config, notification)}" if notification.message_id is not None else ""
            return f"no message of its own, because {notification.reason}{by}"
        case Decision.DIGEST if notification.message_id is None:
            return "waits for the next digest"
    return _format_deliveries(store, config, notification)


def _is_undecided(store: Store, event: ChangeEvent) -> bool:
    """Return whether the event waits for its subscriptions to be decided: events are decided in order of their ids."""
    waiting = store.events.list_undecided(1)
    return bool(waiting) and waiting[0].id <= event.id


def _format_deliveries(store: Store, config: Config, notification: Notification) -> str:
    from crawler.store import DeliveryState

    parts = []
    for message, delivery in store.deliveries.list_newest(message_id=notification.message_id):
        number = f"(message {message.id})"
        if delivery.state is DeliveryState.SENT and delivery.sent_at:
            parts.append(f"sent on {delivery.channel} {format_local_time(delivery.sent_at, config.timezone)} {number}")
        elif delivery.state in (DeliveryState.DEAD, DeliveryState.REPLACED):
            parts.append(f"not sent on {delivery.channel}: given up, {delivery.failure} {number}")
        else:
            due = format_local_time(delivery.next_try_at, config.timezone)
            parts.append(f"due on {delivery.channel} {due} {number}")
    return "; ".join(parts) or "sent, by a message that is no longer stored"
