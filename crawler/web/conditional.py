"""Conditional requests: an answer that the client has already is not sent again."""

from __future__ import annotations

import hashlib

from starlette.requests import Request


def make_entity_tag(body: bytes) -> str:
    """Return the ETag of an answer."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def has_entity_tag(request: Request, tag: str) -> bool:
    """Return whether a client has the answer with this ETag already."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in known.split(","))
