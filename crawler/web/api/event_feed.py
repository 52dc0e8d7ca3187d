"""Reads what is new in the store for the clients of the live events. Another process, such as the watch, stores it.

One task looks for news, and only while there are clients. Each client has a place of its own and reads from there, so
a slow client holds nothing in memory, and one that comes back continues where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from crawler.errors import StoreError
from crawler.items import Verdict
from crawler.store import Store
from crawler.store.article_lists import EndedRun, NewVersion
from crawler.web.answer_threads import AnswerThreads
from crawler.web.api.models import LiveArticle, LiveSource
from crawler.web.api.texts import get_listed_title
from crawler.web.errors import BadAddress, TooManyClients
from crawler.web.forms import MAX_ROW_NUMBER

POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 3000
"""Time after which a client that lost the connection comes back."""
MAX_CLIENTS = 50
MAX_CLIENTS_PER_USER = 10
"""So that one user, with many tabs or a broken program, leaves places for others."""
EVENTS_PER_READ = 200
OVERLAP = 100
"""Change events that are read again: PostgreSQL may store an event after one with a higher number."""
RUN_OVERLAP = timedelta(minutes=1)
"""Ended runs that are read again: a run is judged after its end, and may be stored after one that ended later."""
PLACE_PATTERN = re.compile(r"(\d{1,15})-(\d{1,17})")
CONNECTED = f"retry: {RETRY_MILLISECONDS}\n\n".encode()
HEARTBEAT = b": still here\n\n"
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """A place in the live events: behind this change event, and behind the runs that ended by then."""

    event_id: int
    ended_at: datetime

    def __str__(self) -> str:
        """Return the `id` of an event."""
        return f"{self.event_id}-{round(self.ended_at.timestamp() * 1_000_000)}"


class LiveEvent(NamedTuple):
    """One event. `data` is JSON."""

    place: FeedPlace
    kind: str
    data: str

    def format(self) -> bytes:
        """Return the event as a client reads it."""
        return f"id: {self.place}\nevent: {self.kind}\ndata: {self.data}\n\n".encode()


def parse_place(text: str) -> FeedPlace:
    """Return the place of a `Last-Event-ID`. Raise BadAddress for a text that no event has."""
    found = PLACE_PATTERN.fullmatch(text)
    try:
        if found is not None and int(found[1]) <= MAX_ROW_NUMBER:
            return FeedPlace(int(found[1]), datetime.fromtimestamp(int(found[2]) / 1_000_000, UTC))
    except (OverflowError, ValueError, OSError):
        pass
    raise BadAddress("`Last-Event-ID` is not the id of an event.")


class EventFeed:
    """The live events of one server. All methods but the reads run in the server's event loop."""

    def __init__(self, store: Store, threads: AnswerThreads) -> None:
        self._store, self._threads = store, threads
        self._client_count = 0
        self._counts: Counter[str] = Counter()
        self._is_closing = False
        self._news = asyncio.Condition()
        self._mark: object = None
        """What the store had last, to notice that it has more."""
        self._poller: asyncio.Task[None] | None = None

    @property
    def client_count(self) -> int:
        """How many clients listen."""
        return self._client_count

    async def close(self) -> None:
        """End every stream, because the server ends."""
        self._is_closing = True
        if self._poller is not None:
            self._poller.cancel()
        async with self._news:
            self._news.notify_all()

    async def open_stream(self, last_event_id: str | None, user: str) -> AsyncIterator[bytes]:
        """Return a stream from now on, or from the last event that a client of a user has.

        Raise TooManyClients or BadAddress.
        """
        if self._client_count >= MAX_CLIENTS:
            raise TooManyClients(f"{MAX_CLIENTS} clients listen already. Try again later.")
        if self._counts[user] >= MAX_CLIENTS_PER_USER:
            raise TooManyClients(f"{MAX_CLIENTS_PER_USER} clients of {user} listen already. End one of them first.")
        place = parse_place(last_event_id) if last_event_id else await self._run(self._get_end)
        position = await self._run(lambda: ClientPosition(self._store, place))
        return self._stream(position, user)

    async def _stream(self, position: ClientPosition, user: str) -> AsyncIterator[bytes]:
        """Yield the events behind a position, and heartbeats.

        The client counts from the first part on: a stream that nobody reads, because the client left meanwhile, does
        not even begin, so it would never be taken off. A client that came too late for a place has to come back.
        """
        if self._client_count >= MAX_CLIENTS or self._counts[user] >= MAX_CLIENTS_PER_USER:
            return
        self._client_count += 1
        self._counts[user] += 1
        try:
            self._start_polling()
            yield CONNECTED
            while not self._is_closing:
                mark = self._mark
                events = await self._run(position.read)
                for event in events:
                    yield event.format()
                if not events and not await self._has_news(mark):
                    yield HEARTBEAT
        finally:
            self._client_count -= 1
            self._counts[user] -= 1
            if not self._counts[user]:
                del self._counts[user]

    def _start_polling(self) -> None:
        if self._poller is None or self._poller.done():
            self._poller = asyncio.get_running_loop().create_task(self._poll())

    async def _poll(self) -> None:
        """Wake the clients when the store has something new, until the last client is gone."""
        while self._client_count and not self._is_closing:
            with contextlib.suppress(StoreError):  # the next look may find the store again
                mark = await self._run(self._store.article_lists.get_news_mark)
                if mark != self._mark:
                    self._mark = mark
                    async with self._news:
                        self._news.notify_all()
            await asyncio.sleep(POLL_SECONDS)

    async def _has_news(self, mark: object) -> bool:
        """Wait until the store has more than it had, at most until the next heartbeat. Return whether it has."""
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS), self._news:
                return await self._news.wait_for(lambda: self._mark != mark or self._is_closing)
        except TimeoutError:
            return False

    def _get_end(self) -> FeedPlace:
        return FeedPlace(self._store.article_lists.get_last_event_id(), datetime.now(UTC))

    async def _run(self, work: Callable[[], Found]) -> Found:
        return await self._threads.run(work)


class ClientPosition:
    """How far a client has read. Its methods wait for the store."""

    def __init__(self, store: Store, place: FeedPlace) -> None:
        self._lists, self._place = store.article_lists, place
        behind = self._lists.list_new_versions(place.event_id - OVERLAP, EVENTS_PER_READ)
        self._known = deque((each.id for each in behind if each.id <= place.event_id), maxlen=2 * EVENTS_PER_READ)
        ended = self._lists.list_ended_runs(place.ended_at - RUN_OVERLAP)
        self._known_runs = {run.id for run in ended if run.finished_at <= place.ended_at}

    def read(self) -> list[LiveEvent]:
        """Return the next events, and move behind them."""
        return [*self._read_versions(), *self._read_runs()]

    def _read_versions(self) -> Iterator[LiveEvent]:
        for version in self._lists.list_new_versions(self._place.event_id - OVERLAP, EVENTS_PER_READ):
            if version.id in self._known:
                continue
            self._known.append(version.id)
            self._place = replace(self._place, event_id=max(version.id, self._place.event_id))
            yield LiveEvent(self._place, *_describe_version(version))

    def _read_runs(self) -> Iterator[LiveEvent]:
        ended = self._lists.list_ended_runs(self._place.ended_at - RUN_OVERLAP)
        known, self._known_runs = self._known_runs, {run.id for run in ended}
        for run in ended:
            if run.id in known:
                continue
            self._place = replace(self._place, ended_at=max(run.finished_at, self._place.ended_at))
            yield LiveEvent(self._place, "source", _describe_run(run))


def _describe_version(version: NewVersion) -> tuple[str, str]:
    """Return kind and data of the event about a version."""
    data = LiveArticle(
        article=version.article_id,
        version=version.version,
        verdict=version.verdict,
        source=version.source,
        language=version.language,
        headline=get_listed_title(version.headline),
        rules=list(version.rules),
        severity=version.severity,
        story=version.story,
        stored_at=version.created_at,
    )
    is_new = version.verdict in (Verdict.NEW, Verdict.COPY)
    return "article" if is_new else "revision", data.model_dump_json()


def _describe_run(run: EndedRun) -> str:
    return LiveSource(
        source=run.source, run=run.id, health=run.health, reason=run.reason, finished_at=run.finished_at
    ).model_dump_json()
