"""Forms: their values, and the proof that a page of this server sent them."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qs, quote

from starlette.requests import Request

from crawler.web.errors import BadAddress, ForeignForm
from crawler.web.security import is_own_origin

SESSION_COOKIE = "session"
SESSION_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}")
FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 500
ADDRESS_PATTERN = re.compile(r"/(?![/\\])[^\x00-\x20\\#]*")
ANCHOR_PATTERN = re.compile(r"[\w:.-]{1,200}")


class FormKeeper:
    """Makes the token that each form carries, and checks it. Its key is the browser's session: any server knows it."""

    def get_session(self, request: Request) -> tuple[str, bool]:
        """Return the browser's session, and whether it is new: then the answer has to set the cookie."""
        found = request.cookies.get(SESSION_COOKIE, "")
        return (found, False) if SESSION_PATTERN.fullmatch(found) else (secrets.token_urlsafe(32), True)

    def make_token(self, session: str) -> str:
        """Return the token of a session."""
        return hmac.new(session.encode(), b"form token", hashlib.sha256).hexdigest()

    def raise_if_forged(self, request: Request, form: FormValues) -> None:
        """Raise ForeignForm for a form of another site, and for one without the token of the browser's session."""
        session = request.cookies.get(SESSION_COOKIE, "")
        is_known = SESSION_PATTERN.fullmatch(session) is not None
        token = form.get_first("token").encode()
        if not (is_known and hmac.compare_digest(token, self.make_token(session).encode())):
            raise ForeignForm
        if not is_own_origin(request.headers):
            raise ForeignForm


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
        found = self.get_first("back")
        return quote(found, safe="/?&=%:~+.,-_;@!$'()*") if ADDRESS_PATTERN.fullmatch(found) else "/"

    def get_anchor(self) -> str:
        """Return the place on that page, as the end of an address."""
        found = self.get_first("anchor")
        return f"#{quote(found, safe=':')}" if ANCHOR_PATTERN.fullmatch(found) else ""


def parse_form(content_type: str, body: bytes) -> FormValues:
    """Return the fields of a form. Raise BadAddress for a body of another type: no page sends one."""
    if content_type.partition(";")[0].strip().lower() != FORM_TYPE:
        raise BadAddress
    try:
        values = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError:
        raise BadAddress from None
    return FormValues(values)
