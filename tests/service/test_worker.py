"""Messages between child and parent: what JSON can represent arrives unchanged and in order."""

from __future__ import annotations

import signal
import threading
from multiprocessing.connection import Connection, Pipe
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.service.child import parse_message
from crawler.service.worker import MAX_MESSAGE_BYTES, MessageSender

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), PLAIN, max_size=4))
def test_what_json_can_represent_arrives_unchanged(event: dict[str, Any]) -> None:
    ours, theirs = Pipe(duplex=False)
    with ours:
        with theirs:
            sender = MessageSender(theirs)
            sender.send("event", event)
            sender.close()
        assert receive(ours) == [event]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b"[1]",
        b'["other", {}]',
        b'["event", []]',
        b'["outcome", {}]',
        b'["outcome", 1]',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_none(data: bytes) -> None:
    assert parse_message(data) is None


def receive(pipe: Connection) -> list[Any]:
    """Return every event until the sender closes the pipe."""
    with open(pipe.fileno(), "rb", closefd=False) as lines:
        return [parse_message(line) for line in lines]


def receive_numbers(pipe: Connection) -> list[Any]:
    """Return the `number`, `message` or `type` of every event until the sender closes the pipe."""
    return [event.get("number", event.get("message", event.get("type"))) for event in receive(pipe)]


def test_events_of_several_threads_arrive_whole_and_in_the_order_of_each() -> None:
    ours, theirs = Pipe(duplex=False)
    received: list[Any] = []
    reader = threading.Thread(target=lambda: received.extend(receive_numbers(ours)))
    reader.start()
    sender = MessageSender(theirs)

    def send(first: int) -> None:
        for number in range(first, first + 200):
            sender.send("event", {"type": "page", "number": number, "text": "x" * 1000})

    threads = [threading.Thread(target=send, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sender.close()
    theirs.close()
    reader.join()
    ours.close()
    assert len(received) == 600
    for first in (0, 1000, 2000):
        mine = [number for number in received if first <= number < first + 200]
        assert mine == list(range(first, first + 200))


def test_a_signal_handler_may_send_in_the_middle_of_other_events() -> None:
    ours, theirs = Pipe(duplex=False)
    received: list[Any] = []
    reader = threading.Thread(target=lambda: received.extend(receive_numbers(ours)))
    reader.start()
    sender = MessageSender(theirs)
    before = signal.signal(signal.SIGUSR1, lambda number, frame: sender.send("event", {"type": "from a handler"}))
    try:
        for number in range(300):
            sender.send("event", {"type": "page", "number": number})
            if number % 10 == 0:
                signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    sender.close()
    theirs.close()
    reader.join()
    ours.close()
    assert [each for each in received if each != "from a handler"] == list(range(300))
    assert received.count("from a handler") == 30


def test_an_event_beyond_the_limit_costs_only_itself() -> None:
    ours, theirs = Pipe(duplex=False)
    sender = MessageSender(theirs)
    sender.send("event", {"type": "page", "text": "x" * MAX_MESSAGE_BYTES})
    sender.send("event", {"type": "page", "number": 2})
    sender.close()
    theirs.close()
    first, second = receive_numbers(ours)
    ours.close()
    assert "'page' could not be sent" in first
    assert second == 2


def test_sending_ends_without_an_error_when_the_parent_is_gone() -> None:
    ours, theirs = Pipe(duplex=False)
    ours.close()
    sender = MessageSender(theirs)
    sender.send("event", {"type": "page"})
    sender.send("event", {"type": "page"})
    sender.close()
    theirs.close()
