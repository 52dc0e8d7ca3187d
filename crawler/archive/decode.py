"""Content-Encoding undone, with a cap on what it expands to.

A few kilobytes can hold gigabytes of zeros: nothing here makes more than `limit` bytes, whatever it is given.
"""

from __future__ import annotations

import struct
import sys
import zlib

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMIT = 64 << 20
"""Most bytes of one body, unless a caller says otherwise."""

STEP = 1 << 16


BROKEN = (OSError, EOFError, struct.error, zlib.error, brotli.error, zstd.ZstdError)
"""What decompressors raise for bytes that they cannot read."""


class TooLarge(ValueError):
    """A body expands to more than the limit."""


class Undecodable(ValueError):
    """A body is not what its Content-Encoding says."""


def decoded(body: bytes, content_encoding: str, limit: int = LIMIT) -> bytes:
    """The body with every known Content-Encoding undone, the last applied first; unknown ones are left as they are.

    TooLarge past `limit` bytes, Undecodable for bytes that are not what they are said to be. What a cut-off stream
    still gives is kept.
    """
    for name in reversed([part.strip().lower() for part in content_encoding.split(",") if part.strip()]):
        if name == "identity" or not body:
            continue
        if name in ("gzip", "x-gzip"):
            body = _gunzip(body, limit)
        elif name == "deflate":
            body = _inflate(body, limit)
        elif name == "br":
            body = _unbrotli(body, limit)
        elif name == "zstd":
            body = _unzstd(body, limit)
        else:
            return body
    _capped(body, limit)
    return body


def _gunzip(body: bytes, limit: int) -> bytes:
    """All members, one after the other; bytes behind the last one are dropped, as browsers do."""
    out = bytearray()
    while body[:2] == b"\x1f\x8b":
        gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        out += _zlib(gzip, body, limit - len(out))
        body = gzip.unused_data
    if not out and body:
        raise Undecodable("not gzip")
    return bytes(out)


def _inflate(body: bytes, limit: int) -> bytes:
    try:
        return _zlib(zlib.decompressobj(), body, limit)
    except Undecodable:  # some servers send the bare stream without zlib's wrapping
        return _zlib(zlib.decompressobj(-zlib.MAX_WBITS), body, limit)


def _zlib(stream: zlib._Decompress, body: bytes, limit: int) -> bytes:
    try:
        out = stream.decompress(body, max(limit, 0) + 1)
    except zlib.error as error:
        raise Undecodable(str(error)) from error
    _capped(out, limit)
    return out


def _unbrotli(body: bytes, limit: int) -> bytes:
    stream = brotli.Decompressor()
    out = bytearray()
    try:
        piece = stream.process(body, output_buffer_limit=STEP)
        while piece:
            out += piece
            _capped(out, limit)
            piece = b"" if stream.is_finished() else stream.process(b"", output_buffer_limit=STEP)
    except brotli.error as error:
        raise Undecodable(str(error)) from error
    return bytes(out)


def _unzstd(body: bytes, limit: int) -> bytes:
    out = bytearray()
    try:
        while body:
            stream = zstd.ZstdDecompressor()
            out += stream.decompress(body, max_length=limit - len(out) + 1)
            _capped(out, limit)
            body = stream.unused_data if stream.eof else b""
    except zstd.ZstdError as error:
        raise Undecodable(str(error)) from error
    return bytes(out)


def _capped(out: bytes | bytearray, limit: int) -> None:
    if len(out) > limit:
        raise TooLarge(f"a body of more than {limit} bytes")
