"""Users of a newsroom, and browsers and programs that they use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from html import unescape

import httpx
from pwdlib.hashers.argon2 import Argon2Hasher

from crawler.roles import Role
from crawler.store import Store
from crawler.web.passwords import hash_secret, make_api_key, make_secret

PASSWORD = "four words are easy"


@cache
def get_password_hash() -> str:
    """Return a hash of `PASSWORD` that is compared in no time, unlike those of the product."""
    return Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def add_user(store: Store, name: str, role: Role) -> str:
    """Add a user who signs in with `PASSWORD`. Return the name."""
    assert store.users.add(name, role, at=datetime.now(UTC), password_hash=get_password_hash())
    return name


def start_session(store: Store, name: str) -> str:
    """Start a session. Return the value of the cookie."""
    session = make_secret()
    store.sessions.add(hash_secret(session), name, at=datetime.now(UTC))
    return session


def add_key(store: Store, name: str, role: Role, scopes: Iterable[str]) -> str:
    """Return a new API key of a user."""
    key, now = make_api_key(), datetime.now(UTC)
    store.api_keys.add(name, hash_secret(key), title="test", role=role, scopes=list(scopes), at=now)
    return key


def open_browser(address: str, session: str | None = None) -> httpx.Client:
    """Return a browser, in which a user may have signed in."""
    client = httpx.Client(base_url=address, headers={"accept-language": "en"}, timeout=120, verify=False)
    if session is not None:
        client.cookies.set("session", session, domain="127.0.0.1")
    return client


def read_fields(html: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the first form of a page with an action."""
    form = re.search(rf'<form[^>]*action="{action}".*?</form>', html, re.DOTALL)
    assert form is not None, action
    found = re.findall(r'<input type="hidden" name="(\w+)"[^>]* value="([^"]*)">', form[0])
    return {name: unescape(value) for name, value in found}


def sign_in(client: httpx.Client, name: str, password: str = PASSWORD, *, page: str = "/login") -> httpx.Response:
    """Send the form of the page to sign in. Return the answer."""
    fields = read_fields(client.get(page, follow_redirects=True).text, "/login")
    return client.post("/login", data={**fields, "username": name, "password": password})
