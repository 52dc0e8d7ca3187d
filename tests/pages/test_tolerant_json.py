"""JSON with one fault is read but for the fault. Other text is no JSON."""

from __future__ import annotations

import json
import time

import pytest

from crawler.pages.tolerant_json import MAX_JSON_DEPTH, parse_json, replace_deep_values
from crawler.text.decoding import decode_text


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": "x\x01y\nz"}', {"a": "x\x01y\nz"}),
        (b'{"a": "x\xffy", "b": 1}', {"a": "x\ufffdy", "b": 1}),
        (b'\xef\xbb\xbf {"a": 1}', {"a": 1}),
        ('{"a": "мост"}'.encode("utf-16"), {"a": "мост"}),
        (b'{"a": 1}\n<!-- cached page, 0.1 s -->\n<!-- x -->', {"a": 1}),
        (b"[1] /* from the cache */ ", [1]),
        (b'{"id": ' + b"1" * 5000 + b"}", {"id": "1" * 5000}),
        (rb'{"a": "cut \ud83d", "b": "\udE00\ud83d\uDE00 \\\\ud83d"}', {"a": "cut \ufffd", "b": "\ufffd😀 \\\\ud83d"}),
        (b"7", 7),
    ],
)
def test_fault_costs_only_itself(body: bytes, value: object) -> None:
    assert parse_json(decode_text(body)) == value


@pytest.mark.parametrize("body", [b"", b"{", b"x", b"[1] [2]", b'{"a": 1} x', b"[1] <!-- open", b"<!-- x -->", b"\xff"])
def test_other_text_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"line 1 column"):
        parse_json(decode_text(body))


@pytest.mark.parametrize("levels", [100_000, 3000])
def test_deep_value_becomes_null_and_others_are_read(levels: int) -> None:
    deep = '[{"x": ' * levels + '"]}"' + "}]" * levels
    found = parse_json(f'[{{"id": 1, "hint": {deep}}}, {{"id": 2, "title": "[[\\"["}}]')
    assert [record["id"] for record in found] == [1, 2]
    assert found[1]["title"] == '[["['
    assert json.dumps(found[0]).count("[") == MAX_JSON_DEPTH // 2 - 1


@pytest.mark.slow
def test_unbalanced_json_is_rejected_in_linear_time() -> None:
    start = time.thread_time()
    for body in (b"[" * 1_000_000, b"[" * 5000 + b'"' + b'\\"' * 500_000, b"[" * 5000 + b"]" * 900_000):
        with pytest.raises(ValueError, match=r"line 1 column"):
            parse_json(decode_text(body))
    assert time.thread_time() - start < 3


def test_shallow_json_is_kept() -> None:
    text = '{"a": [1, {"b": "]"}], "c": []}'
    assert replace_deep_values(text) == text
