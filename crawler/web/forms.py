"""Forms: their values, and the proof that a page of this server sent them."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qs, quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from crawler.errors import UsageError
from crawler.text.transliteration import CYRILLIC_SOUNDS
from crawler.web.errors import BadAddress, ForeignForm
from crawler.web.security import is_own_origin
from crawler.web.translations import mark_message

SESSION_COOKIE = "session"
"""Has the id of a signed-in session."""
VISITOR_COOKIE = "visitor"
"""Has a random value of a browser in which nobody has signed in. It signs in nobody; forms need it."""
COOKIE_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}")
TOKEN_HEADER = "x-csrf-token"
"""Where a program in a page sends the token: what a form sends as a field."""
FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 500
MAX_NAME_LENGTH = 40
"""Characters of the name of a rule or subscription that a page makes."""
MAX_ROW_NUMBER = 2**31 - 1
"""The largest number of a row: PostgreSQL refuses a larger one, as if the store could not be read."""
NO_NAME = mark_message("The name needs a Latin or Cyrillic letter or a digit.")
ADDRESS_PATTERN = re.compile(r"/(?![/\\])[^\x00-\x20\\#]*")
ANCHOR_PATTERN = re.compile(r"[^\s\x00-\x1f\x7f]{1,1000}")
"""An id in a page: that of an article may be any path with a query."""


def find_cookie(connection: HTTPConnection, name: str) -> str | None:
    """Return a cookie of this server, or None if there is none or it has another form."""
    found = connection.cookies.get(make_cookie_name(connection, name), "")
    return found if COOKIE_PATTERN.fullmatch(found) else None


def make_cookie_name(connection: HTTPConnection, name: str) -> str:
    """Return the name of a cookie. With TLS its prefix keeps other servers of the same domain from setting it."""
    return f"__Host-{name}" if connection.scope["scheme"] == "https" else name


def set_cookie(
    response: Response, connection: HTTPConnection, name: str, value: str, seconds: int | None = None
) -> None:
    """Set a cookie of this server, until the browser ends or for a time. Without a value it is deleted."""
    response.set_cookie(
        make_cookie_name(connection, name),
        value,
        max_age=seconds if value else 0,
        path="/",
        httponly=True,
        samesite="lax",
        secure=connection.scope["scheme"] == "https",
    )


class FormKeeper:
    """Makes the token that each form carries, and checks it. Its key is the browser's cookie: any server knows it."""

    def get_key(self, connection: HTTPConnection) -> tuple[str, bool]:
        """Return the browser's cookie, and whether it is new: then the answer has to set it as `VISITOR_COOKIE`."""
        found = find_form_key(connection)
        return (found, False) if found else (secrets.token_urlsafe(32), True)

    def make_token(self, key: str) -> str:
        """Return the token of the browser that has a cookie."""
        return make_form_token(key)

    def raise_if_forged(self, request: Request, form: FormValues) -> None:
        """Raise ForeignForm for a form of another site, and for one without the token of the browser."""
        if not (is_form_token(request, form.get_first("token")) and is_own_origin(request.headers)):
            raise ForeignForm


def find_form_key(connection: HTTPConnection) -> str | None:
    """Return the cookie that the tokens of a browser's forms are made from."""
    return find_cookie(connection, SESSION_COOKIE) or find_cookie(connection, VISITOR_COOKIE)


def make_form_token(key: str) -> str:
    """Return the token of the browser that has a cookie. Nobody can compute the cookie from it."""
    return hmac.new(key.encode(), b"form token", hashlib.sha256).hexdigest()


def is_form_token(connection: HTTPConnection, token: str) -> bool:
    """Return whether a token is that of the browser that sends it."""
    key = find_form_key(connection)
    return key is not None and hmac.compare_digest(token.encode(), make_form_token(key).encode())


class FormValues:
    """The fields of a form. A field may have several values."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def get_first(self, name: str) -> str:
        """Return a field's first value, or an empty text."""
        return next(iter(self._values.get(name, ())), "")

    def get_all(self, name: str) -> list[str]:
        """Return all values of a field."""
        return list(self._values.get(name, ()))

    def get_back_address(self) -> str:
        """Return the page that the form was on. An address of another server becomes the first page."""
        return clean_address(self.get_first("back"))

    def get_anchor(self) -> str:
        """Return the place on that page, as the end of an address."""
        found = self.get_first("anchor")
        return f"#{quote(found, safe=':')}" if ANCHOR_PATTERN.fullmatch(found) else ""


def clean_address(address: str) -> str:
    """Return the address of a page of this server. That of another server becomes the first page."""
    return quote(address, safe="/?&=%:~+.,-_;@!$'()*") if ADDRESS_PATTERN.fullmatch(address) else "/"


def parse_row_number(text: str) -> int | None:
    """Return the number of a row in a form or an address, None for a text that is no such number.

    >>> parse_row_number("17"), parse_row_number("2147483648"), parse_row_number("x")
    (17, None, None)
    """
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(MAX_ROW_NUMBER)):
        return None
    number = int(text)
    return number if number <= MAX_ROW_NUMBER else None


def parse_form(content_type: str, body: bytes) -> FormValues:
    """Return the fields of a form. Raise BadAddress for a body of another type: no page sends one.

    NUL, which PostgreSQL refuses, becomes U+FFFD, as do bytes that are no UTF-8.
    """
    if content_type.partition(";")[0].strip().lower() != FORM_TYPE:
        raise BadAddress
    try:
        text = body.decode("ascii").replace("\0", "%00").replace("%00", "%EF%BF%BD")
        values = parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError:
        raise BadAddress from None
    return FormValues(values)


def make_short_name(text: str) -> str:
    """Return the name of a rule or subscription made from what a person typed: `red-cross-news` of "Red Cross news".

    It is empty if the text has no letter or digit that a name can have.
    """
    latin = "".join(CYRILLIC_SOUNDS.get(letter, letter) for letter in text.lower())
    return re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[:MAX_NAME_LENGTH].strip("-")


def parse_short_name(text: str) -> str:
    """Return the name that `make_short_name` makes. Raise UsageError if it is empty."""
    name = make_short_name(text)
    if not name:
        raise UsageError(NO_NAME)
    return name
