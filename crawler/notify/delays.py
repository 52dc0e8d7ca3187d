"""How long readers wait: from the publication of an article to its message, for each source over 30 days.

Only real-time messages count that nothing held back on purpose: no digest, no quiet hours, no pause. What a first run
finds is no news, so it has no message and no delay.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import ceil
from statistics import median
from typing import NamedTuple

from crawler.items import Precision
from crawler.store import AlertTimes, DeliveryState, Store
from crawler.text.counts import format_count

DELAY_PERIOD = timedelta(days=30)


class DelayStats(NamedTuple):
    """Delays of a source's messages: the median, the one that 5 % exceed, and how many messages there are."""

    median: timedelta
    p95: timedelta
    message_count: int


def measure_delay(store: Store, source: str, now: datetime) -> DelayStats | None:
    """Return the delays of a source's messages in the 30 days before now, None if there was none."""
    delays = sorted(_list_delays(store.notifications.list_alert_times(source, now - DELAY_PERIOD), now))
    if not delays:
        return None
    middle = timedelta(seconds=median(delay.total_seconds() for delay in delays))
    return DelayStats(middle, delays[ceil(0.95 * len(delays)) - 1], len(delays))


def _list_delays(alerts: list[AlertTimes], now: datetime) -> Iterator[timedelta]:
    """Yield the delay of each message. One that is still to be sent waits at least until now."""
    for alert in alerts:
        sent = [delivery.sent_at for delivery in alert.deliveries if delivery.sent_at]
        is_pending = any(delivery.state is DeliveryState.PENDING for delivery in alert.deliveries)
        if sent or is_pending:
            yield max((min(sent) if sent else now) - _get_start(alert), timedelta())


def _get_start(alert: AlertTimes) -> datetime:
    """Return when the article was published. If its page has no time of day: when a run first saw it."""
    if alert.published_at is None or alert.precision is Precision.DAY:
        return alert.first_seen_at
    return alert.published_at


def format_delay(delay: DelayStats) -> str:
    """Return for example `median 4 min, p95 12 min (37 messages in 30 days)`."""
    count = format_count(delay.message_count, "message")
    return (
        f"median {format_minutes(delay.median)}, p95 {format_minutes(delay.p95)} ({count} in {DELAY_PERIOD.days} days)"
    )


def format_minutes(duration: timedelta) -> str:
    """Return whole minutes, rounded up: a delay above a limit is never written as the limit."""
    return f"{ceil(duration / timedelta(minutes=1))} min"
