"""Decode bodies by their Content-Encoding, with a maximum size.

A few kilobytes can expand to gigabytes. No function here makes more than `limit` bytes.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Iterator

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_BODY_BYTES = 64 << 20
"""Maximum size of a decoded body, unless the caller sets another."""
DECODE_STEP_BYTES = 1 << 16
INPUT_STEP_BYTES = 1 << 12
"""Bytes given to a decoder at once. It copies what it does not use, so a whole body would be copied again and again."""
GZIP_WBITS = 16 + zlib.MAX_WBITS
"""zlib's window size for a gzip header."""
PLAIN_TEXT_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*[<{\[](?:[^\x00-\x08\x0e-\x1f]{100}|[^\x00-\x08\x0e-\x1f]*\Z)")
"""The beginning of HTML, XML or JSON: a server names an encoding that it did not apply."""
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_FRAME_START = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
"""A frame with data, or one to be skipped."""
CUT_OFF = "it is cut off"


class BodyTooLarge(ValueError):
    """A body expands to more than the limit."""


class UndecodableBody(ValueError):
    """A body is not what its Content-Encoding says."""


class TruncatedBody(UndecodableBody):
    """A body ends before its stream does: only a part of it arrived or was stored."""


def decode_body(body: bytes, content_encoding: str, limit: int = MAX_BODY_BYTES) -> bytes:
    """Return the body with all known encodings undone, the last applied first. An unknown one ends the decoding.

    Raise BodyTooLarge beyond `limit` bytes, UndecodableBody for bytes that are not in the named encoding, TruncatedBody
    for a stream that is cut off. Markup or JSON that was never encoded is returned as it is.
    """
    for name in reversed([part.strip().lower() for part in content_encoding.split(",") if part.strip()]):
        if name == "identity" or not body:
            continue
        decode = DECODERS.get(name)
        if decode is None:
            break
        try:
            body = decode(body, limit)
        except UndecodableBody:
            if not PLAIN_TEXT_START.match(body):
                raise
    _raise_if_too_large(body, limit)
    return body


def _iterate_gzip(body: bytes) -> Iterator[bytes]:
    """Yield decoded pieces of all members. Raise EOFError at the end if the last one is cut off.

    Bytes behind the last member are ignored, as browsers do.
    """
    position = 0
    while body.startswith(GZIP_MAGIC, position):
        member, chunk = zlib.decompressobj(GZIP_WBITS), b""
        while not member.eof:
            if not chunk:
                chunk = body[position : position + INPUT_STEP_BYTES]
                position += len(chunk)
            piece = member.decompress(chunk, DECODE_STEP_BYTES)
            if not piece and not chunk and not member.eof:
                raise EOFError(CUT_OFF)
            chunk = member.unconsumed_tail
            yield piece
        position -= len(member.unused_data)


def _decode_gzip(body: bytes, limit: int) -> bytes:
    if body[:2] != GZIP_MAGIC:
        raise UndecodableBody("not gzip")
    decoded = bytearray()
    try:
        for piece in _iterate_gzip(body):
            decoded += piece
            _raise_if_too_large(decoded, limit)
    except EOFError as error:
        raise TruncatedBody(CUT_OFF) from error
    except zlib.error as error:
        raise UndecodableBody(str(error)) from error
    return bytes(decoded)


def _decode_deflate(body: bytes, limit: int) -> bytes:
    try:
        return _decode_zlib(zlib.decompressobj(), body, limit)
    except TruncatedBody:
        raise
    except UndecodableBody:  # Some servers send the bare stream, without zlib's header.
        return _decode_zlib(zlib.decompressobj(-zlib.MAX_WBITS), body, limit)


def _decode_zlib(stream: zlib._Decompress, body: bytes, limit: int) -> bytes:
    try:
        decoded = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise UndecodableBody(str(error)) from error
    _raise_if_too_large(decoded, limit)
    if not stream.eof:
        raise TruncatedBody(CUT_OFF)
    return decoded


def _decode_brotli(body: bytes, limit: int) -> bytes:
    stream = brotli.Decompressor()
    decoded = bytearray()
    try:
        piece = stream.process(body, output_buffer_limit=DECODE_STEP_BYTES)
        while piece:
            decoded += piece
            _raise_if_too_large(decoded, limit)
            piece = b"" if stream.is_finished() else stream.process(b"", output_buffer_limit=DECODE_STEP_BYTES)
    except brotli.error as error:
        raise UndecodableBody(str(error)) from error
    if not stream.is_finished():
        raise TruncatedBody(CUT_OFF)
    return bytes(decoded)


def _decode_zstd(body: bytes, limit: int) -> bytes:
    decoded = bytearray()
    position = 0
    try:
        while position < len(body) and (position == 0 or ZSTD_FRAME_START.match(body, position)):
            frame = zstd.ZstdDecompressor()
            while not frame.eof:
                chunk = body[position : position + INPUT_STEP_BYTES] if frame.needs_input else b""
                if frame.needs_input and not chunk:
                    raise TruncatedBody(CUT_OFF)
                position += len(chunk)
                decoded += frame.decompress(chunk, max_length=limit - len(decoded) + 1)
                _raise_if_too_large(decoded, limit)
            position -= len(frame.unused_data)
    except zstd.ZstdError as error:
        raise UndecodableBody(str(error)) from error
    return bytes(decoded)


def _raise_if_too_large(decoded: bytes | bytearray, limit: int) -> None:
    if len(decoded) > limit:
        raise BodyTooLarge(f"a body of more than {limit} bytes")


ACCEPTED_ENCODINGS = ("gzip", "deflate", "br", "zstd")
"""What a request says that it reads."""
DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _decode_gzip,
    "x-gzip": _decode_gzip,
    "deflate": _decode_deflate,
    "br": _decode_brotli,
    "zstd": _decode_zstd,
}
