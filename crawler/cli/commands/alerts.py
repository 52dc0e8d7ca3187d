"""`crawler alerts`: who was told what, when, by which channel, after how many tries; and what to do about the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import time_options as moment
from crawler.text.counts import format_count

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.store import Delivery, Message, Store

app = typer.Typer(help="What subscribers were told: the ledger, further tries, a test, an explanation.")
DEFAULT_LIMIT = 50


@app.callback(invoke_without_command=True)
def list_messages(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option(help="A day, a time with offset, or an age: 2026-01-31, 36h, 90d.")
    ] = None,
    subscription: Annotated[str | None, typer.Option(help="Only this subscription's.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what was given up, or waits after a failure.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = DEFAULT_LIMIT,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines for machines.")] = False,
) -> None:
    """List the messages, the latest first, with what became of each on each channel."""
    if context.invoked_subcommand is not None:
        return
    from crawler.config import load_config
    from crawler.store import open_store

    config = load_config(context.obj)
    with open_store(config.database_url) as store:
        found = store.messages.deliveries__list_newest(
            failed=failed,
            subscription=subscription,
            since=moment.parse_since(since, config.timezone),
            limit=limit,
        )
        for message, delivery in found:
            told = _list_article_ids(store, message)
            typer.echo(
                _delivery_to_json(message, delivery, told)
                if as_json
                else _format_delivery(config, message, delivery, told)
            )
        if not as_json:
            counts = ", ".join(
                f"{number} {state}" for state, number in sorted(store.messages.deliveries__count_by_state().items())
            )
            typer.echo(f"{len(found)} shown; in all {counts or 'no message yet'}, in {store.name}.")


@app.command()
def retry(
    context: typer.Context,
    message: Annotated[int | None, typer.Argument(metavar="[MESSAGE]", help="Its number; none: every one.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only on this channel.")] = None,
) -> None:
    """Try now what was given up or waits after a failure."""
    from crawler.config import load_config
    from crawler.errors import UsageError
    from crawler.notify.dispatcher import Dispatcher
    from crawler.service.notifications import format_send_result
    from crawler.store import open_store

    config = load_config(context.obj)
    if channel is not None:
        _raise_if_unknown_channel(config, channel)
    with open_store(config.database_url) as store:
        if message is not None and store.messages.get(message) is None:
            raise UsageError(f"There is no message {message}; `crawler alerts` lists them.")
        number = store.messages.deliveries__retry_failed(datetime.now(UTC), message_id=message, channel=channel)
        sent = Dispatcher(config, store).send_due(ignore_quiet_hours=True)
        typer.echo(f"{number} tried again." if number else "Nothing had failed: nothing was tried again.")
        for line in format_send_result(sent):
            typer.echo(line)
    if sent.failed or sent.dead:
        raise typer.Exit(1)


@app.command()
def send(context: typer.Context) -> None:
    """Send what is due now, digests too: for those who start crawls by a timer of their own."""
    from crawler.config import load_config
    from crawler.service.notifications import begin_subscriptions, notify_about_runs

    config = load_config(context.obj)
    begin_subscriptions(config)
    lines = notify_about_runs(config, ())
    for line in lines or ["Nothing was due."]:
        typer.echo(line)


@app.command()
def test(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="A name in [channels].")],
    language: Annotated[str, typer.Option(help="Of the message: en, ru, kk.")] = "en",
) -> None:
    """Send one message that says that the channel works. Nothing is stored."""
    from crawler.config import load_config
    from crawler.errors import Unreachable
    from crawler.notify.rendering import make_test_message
    from crawler.notify.transports import DeliveryError, Transport

    config = load_config(context.obj)
    _raise_if_unknown_channel(config, channel)
    carrier = Transport(f"channels.{channel}", config.channels[channel].get_secret_value())
    try:
        carrier.send(make_test_message(channel, language, config.timezone, datetime.now(UTC)))
    except DeliveryError as error:
        raise Unreachable(f"{channel}: not sent, for {error}.") from error
    typer.echo(f"{channel}: sent. Whether it arrived, only who reads it can say.")


@app.command()
def explain(
    context: typer.Context,
    article: Annotated[str, typer.Argument(help="The article's id or address.")],
) -> None:
    """Say for each subscription whether it was told of an article, when, and why not."""
    from crawler.cli.explaining import explain_notifications
    from crawler.cli.which import resolve_article
    from crawler.config import load_config
    from crawler.store import open_store

    config = load_config(context.obj)
    with open_store(config.database_url) as store:
        for line in explain_notifications(store, config, resolve_article(store, article, config)):
            typer.echo(line)


def _raise_if_unknown_channel(config: Config, channel: str) -> None:
    """UsageError for a channel that the configuration does not have."""
    from crawler.errors import UsageError, suggest_nearest

    if channel not in config.channels:
        hint = suggest_nearest(channel, config.channels) or f"; it has {', '.join(config.channels) or 'none'}."
        raise UsageError(f"There is no channel {channel!r} in [channels]{hint}")


def _list_article_ids(store: Store, message: Message) -> list[str]:
    """The articles that a message leads with."""
    notices = store.events.notifications__list_by_message(message.id)
    return list(dict.fromkeys(notice.article_id for notice in notices if notice.decision != "carried"))


def _format_delivery(config: Config, message: Message, delivery: Delivery, told: Iterable[str]) -> str:
    from crawler.text.dates import load_time_zone

    here = load_time_zone(config.timezone)
    made = f"{message.created_at.astimezone(here):%Y-%m-%d %H:%M}"
    tries = format_count(delivery.tries, "try", "tries")
    match delivery.state:
        case "sent" if delivery.sent_at:
            became = f"sent {delivery.sent_at.astimezone(here):%Y-%m-%d %H:%M:%S}, {tries}"
        case "dead":
            became = f"given up after {tries}: {delivery.failure}"
        case _:
            due = f"due {delivery.next_try_at.astimezone(here):%Y-%m-%d %H:%M}"
            became = f"{due}, {tries}: {delivery.failure}" if delivery.failure else due
    about = ", ".join(told) or "nothing new"
    whom = f"{message.subscription} → {delivery.channel}"
    return f"{message.id:>5}  {made}  {whom}  {message.kind}: {about}\n       {became}"


def _delivery_to_json(message: Message, delivery: Delivery, told: list[str]) -> str:
    from crawler.items import format_time

    values: dict[str, Any] = {
        "message": message.id,
        "key": message.key,
        "subscription": message.subscription,
        "kind": message.kind,
        "made_at": format_time(message.created_at),
        "articles": told,
        "channel": delivery.channel,
        "state": delivery.state,
        "tries": delivery.tries,
        "sent_at": format_time(delivery.sent_at),
        "next_try_at": format_time(delivery.next_try_at) if delivery.state == "pending" else None,
        "failure": delivery.failure,
    }
    return json.dumps(values, ensure_ascii=False)
