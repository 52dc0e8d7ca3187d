"""Lines between child and parent: whole ones in, whole ones out, whatever the pipe does to them."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.service.ipc import PIPE_CHUNK_BYTES, EventWriter, LineReader, decode_message, encode_message

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), PLAIN, max_size=4))
def test_what_json_can_hold_arrives_unchanged_on_one_line(event: dict[str, Any]) -> None:
    line = encode_message("event", event)
    assert line.count(b"\n") == 1
    assert decode_message(line) == ("event", event)


@pytest.mark.parametrize("line", [b"", b"{", b"\xff", b"[1]", b'["other", {}]', b'["event", []]', b"[" * 100_000])
def test_a_line_that_is_none_of_ours_is_none(line: bytes) -> None:
    assert decode_message(line) is None


@given(st.lists(st.binary(max_size=12).filter(lambda part: b"\n" not in part), max_size=6), st.integers(1, 40))
def test_lines_come_whole_however_they_were_cut(lines: list[bytes], size: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    ours, theirs = os.pipe()
    reader, got = LineReader(ours), []
    for start in range(0, len(data), size):
        os.write(theirs, data[start : start + size])
        got += reader.read_lines()
    os.close(theirs)
    got += reader.read_lines()
    os.close(ours)
    assert got == lines
    assert not reader.open


def test_a_line_beyond_the_cap_is_dropped_and_the_next_one_read() -> None:
    ours, theirs = os.pipe()
    reader = LineReader(ours, longest=100)
    got: list[bytes] = []
    for part in (b"before\n", b"x" * 99, b"x" * 99, b"x\n", b"after\n"):
        os.write(theirs, part)
        got += reader.read_lines()
    os.close(theirs)
    os.close(ours)
    assert got == [b"before", b"after"]
    assert reader.dropped == 1


def test_reading_never_waits_and_takes_no_more_than_asked() -> None:
    ours, theirs = os.pipe()
    reader = LineReader(ours)
    assert reader.read_lines() == []
    os.set_blocking(theirs, False)
    written = os.write(theirs, b"0123456\n" * (PIPE_CHUNK_BYTES // 8))
    assert sum(len(line) + 1 for line in reader.read_lines(chunks=1)) <= written
    os.close(theirs)
    os.close(ours)


def test_a_line_that_was_broken_off_does_not_spoil_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    writer, real = EventWriter(theirs), os.write

    def broken_off(fd: int, data: bytes) -> int:
        real(fd, bytes(data[:5]))
        monkeypatch.setattr(os, "write", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", broken_off)
    with pytest.raises(KeyboardInterrupt):
        writer.send_event({"type": "first"})
    writer.send_event({"type": "second"})
    os.close(theirs)
    lines = LineReader(ours).read_lines()
    os.close(ours)
    assert [decode_message(line) for line in lines] == [None, ("event", {"type": "second"})]


def test_an_event_sent_in_the_middle_of_another_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    writer, real = EventWriter(theirs), os.write

    def interrupted(fd: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", real)
        written = real(fd, bytes(data[:5]))
        writer.send_event({"type": "from a signal handler"})
        return written

    monkeypatch.setattr(os, "write", interrupted)
    writer.send_event({"type": "first"})
    os.close(theirs)
    lines = LineReader(ours).read_lines()
    os.close(ours)
    assert [decode_message(line) for line in lines] == [
        ("event", {"type": "first"}),
        ("event", {"type": "from a signal handler"}),
    ]
