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

MAX_BODY_BYTES = 64 << 20
"""Most bytes of one body, unless a caller says otherwise."""

DECODE_STEP_BYTES = 1 << 16


DECODE_ERRORS = (OSError, EOFError, struct.error, zlib.error, brotli.error, zstd.ZstdError)
"""What decompressors raise for bytes that they cannot read."""


class BodyTooLarge(ValueError):
    """A body expands to more than the limit."""


class UndecodableBody(ValueError):
    """A body is not what its Content-Encoding says."""


def decode_body(body: bytes, content_encoding: str, limit: int = MAX_BODY_BYTES) -> bytes:
    """The body with every known Content-Encoding undone, the last applied first; unknown ones are left as they are.

    TooLarge past `limit` bytes, Undecodable for bytes that are not what they are said to be. What a cut-off stream
    still gives is kept.
    """
    for name in reversed([part.strip().lower() for part in content_encoding.split(",") if part.strip()]):
        if name == "identity" or not body:
            continue
        if name in ("gzip", "x-gzip"):
            body = _decode_gzip(body, limit)
        elif name == "deflate":
            body = _decode_deflate(body, limit)
        elif name == "br":
            body = _decode_brotli(body, limit)
        elif name == "zstd":
            body = _decode_zstd(body, limit)
        else:
            return body
    _raise_if_too_large(body, limit)
    return body


def _decode_gzip(body: bytes, limit: int) -> bytes:
    """All members, one after the other; bytes behind the last one are dropped, as browsers do."""
    out = bytearray()
    while body[:2] == b"\x1f\x8b":
        gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        out += _decode_zlib(gzip, body, limit - len(out))
        body = gzip.unused_data
    if not out and body:
        raise UndecodableBody("not gzip")
    return bytes(out)


def _decode_deflate(body: bytes, limit: int) -> bytes:
    try:
        return _decode_zlib(zlib.decompressobj(), body, limit)
    except UndecodableBody:  # some servers send the bare stream without zlib's wrapping
        return _decode_zlib(zlib.decompressobj(-zlib.MAX_WBITS), body, limit)


def _decode_zlib(stream: zlib._Decompress, body: bytes, limit: int) -> bytes:
    try:
        out = stream.decompress(body, max(limit, 0) + 1)
    except zlib.error as error:
        raise UndecodableBody(str(error)) from error
    _raise_if_too_large(out, limit)
    return out


def _decode_brotli(body: bytes, limit: int) -> bytes:
    stream = brotli.Decompressor()
    out = bytearray()
    try:
        piece = stream.process(body, output_buffer_limit=DECODE_STEP_BYTES)
        while piece:
            out += piece
            _raise_if_too_large(out, limit)
            piece = b"" if stream.is_finished() else stream.process(b"", output_buffer_limit=DECODE_STEP_BYTES)
    except brotli.error as error:
        raise UndecodableBody(str(error)) from error
    return bytes(out)


def _decode_zstd(body: bytes, limit: int) -> bytes:
    out = bytearray()
    try:
        while body:
            stream = zstd.ZstdDecompressor()
            out += stream.decompress(body, max_length=limit - len(out) + 1)
            _raise_if_too_large(out, limit)
            body = stream.unused_data if stream.eof else b""
    except zstd.ZstdError as error:
        raise UndecodableBody(str(error)) from error
    return bytes(out)


def _raise_if_too_large(out: bytes | bytearray, limit: int) -> None:
    if len(out) > limit:
        raise BodyTooLarge(f"a body of more than {limit} bytes")
