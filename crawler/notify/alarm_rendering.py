"""Messages to the operator in words, in English: one alarm, or a list of alarms that came together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from crawler.config import Config
from crawler.notify.rendered_message import RenderedMessage, make_plain_message
from crawler.store import Alarm, AlarmNotice, Message, Store, make_idempotency_key
from crawler.store.alarms import DELAY_TOPIC
from crawler.text.counts import format_count
from crawler.text.dates import load_time_zone


def make_alarm_key(alarm: Alarm, notice: str) -> str:
    """Return the idempotency key of a message about an alarm. Earlier versions made the same, except of "escalated"."""
    # An alarm may get worse more than once within a kind, because several exit codes are the kind "failed".
    worse = (alarm.severity,) if notice == "escalated" else ()
    return make_idempotency_key("alarm", alarm.id, notice, alarm.kind, alarm.opened_at, *worse)


def render_alarms(store: Store, config: Config, message: Message) -> RenderedMessage | None:
    """Return a message about alarms. Return None if none of what it was to say is still true."""
    notices = [notice for notice in store.alarms.list_notices(message.id) if notice.is_current]
    if not notices:
        return None
    texts = [format_alarm(notice, load_time_zone(config.timezone)) for notice in notices]
    title, body = texts[0]
    if len(texts) > 1:
        title = (
            f"{format_count(len(texts), 'alarm')}: {', '.join(dict.fromkeys(each.alarm.source for each in notices))}"
        )
        body = "\n\n".join(f"{each_title}\n{each_body}" for each_title, each_body in texts)
    plain = make_plain_message(message.key, title, body, "en", message.created_at)
    thread_key = _find_thread_key(store, message, notices)
    return replace(plain, thread_key=thread_key, subscription=message.subscription, contact=config.contact)


def _find_thread_key(store: Store, message: Message, notices: Sequence[AlarmNotice]) -> str | None:
    """Return the key of the first message about the alarm, None if this is the first or has several alarms."""
    if len(notices) > 1:
        return None
    alarm, notice = notices[0].alarm, notices[0].notice
    assert alarm.id is not None
    first_id = store.alarms.list_message_ids(alarm.id)[0]
    if first_id != message.id:
        first = store.messages.get(first_id)
        return first.key if first else None
    # An earlier version sent the first one, before alarms were in the outbox.
    return None if notice == "opened" else make_alarm_key(alarm, "opened")


def format_alarm(notice: AlarmNotice, zone: tzinfo) -> tuple[str, str]:
    """Return title and text of what a message says about an alarm."""
    alarm, is_delay = notice.alarm, notice.alarm.topic == DELAY_TOPIC
    opened = _format_time(alarm.opened_at, zone)
    if notice.notice == "healed" and alarm.closed_at:
        title = f"{alarm.source}: messages are in time again" if is_delay else f"{alarm.source} is well again"
        was = f"It was {notice.kind} from {opened} to {_format_time(alarm.closed_at, zone)}."
        return title, f"{was}\n{notice.message}"
    title = f"{alarm.source}: {notice.kind}" + (", worse than before" if notice.notice == "escalated" else "")
    return title, f"{notice.message}\nSince {opened}. `crawler health {alarm.source}` says more."


def _format_time(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
