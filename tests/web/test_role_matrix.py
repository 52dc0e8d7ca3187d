"""Every route × every sender × with and without the proof that a write needs, from the application's own table.

A new route is in the matrix without a change here. One whose parameters are not in `PARAMETERS` fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from support.newsroom_articles import SaveArticle
from support.newsroom_users import add_key, add_user, open_browser, read_fields, start_session

from crawler.roles import Role
from crawler.store import Store
from crawler.web.access import DeclaredRoute, KeyScope, RouteAccess, list_guarded_routes
from crawler.web.application import make_app
from crawler.web.forms import TOKEN_HEADER, make_form_token
from crawler.web.newsroom import Newsroom
from crawler.web.passwords import hash_secret, make_secret

PARAMETERS = {
    "story_id": "1",
    "article_id": "mfa:1:ru",
    "rule": "ihl",
    "version": "1",
    "name": "all",
    "form": "atom",
    "run_id": "1",
    "message_id": "1",
    "batch": "1",
}
"""A value for each parameter in a path."""
READS, WRITES = frozenset({"GET", "HEAD"}), frozenset({"POST", "PUT", "PATCH", "DELETE"})
OPEN_TO_ALL = {
    "/login",
    "/logout",
    "/login/organisation",
    "/login/organisation/callback",
    "/static/{name}",
    "/healthz",
    "/readyz",
}
"""What answers everyone. A line more here is a decision."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Someone who sends requests: a browser with a session, or a program with a key."""

    role: Role | None
    client: httpx.Client
    token: str = ""
    scopes: frozenset[KeyScope] = frozenset(KeyScope)
    is_program: bool = False


@pytest.fixture
def senders(address: str, store: Store, save: SaveArticle) -> Iterator[list[Sender]]:
    """A guest, each role with a session, and each role with a key for one scope or for all."""
    save("1")
    with ExitStack() as stack:
        guest = stack.enter_context(open_browser(address))
        found = [Sender(None, guest, read_fields(guest.get("/login", follow_redirects=True).text, "/login")["token"])]
        for role in Role:
            name = add_user(store, role.value, role)
            session = start_session(store, name)
            client = stack.enter_context(open_browser(address, session))
            found.append(Sender(role, client, make_form_token(session)))
            for scopes in (*([scope] for scope in KeyScope), list(KeyScope)):
                client = stack.enter_context(open_browser(address))
                client.headers["authorization"] = f"Bearer {add_key(store, name, role, scopes)}"
                found.append(Sender(role, client, "", frozenset(scopes), is_program=True))
        yield found


def list_routes(newsroom: Newsroom) -> list[DeclaredRoute]:
    return list(list_guarded_routes(make_app(newsroom).routes))


def fill_path(route: DeclaredRoute) -> str:
    """Return an address of a route. Raise KeyError for a parameter that the matrix does not know."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: PARAMETERS[found[1]], route.path)


def may_use(sender: Sender, access: RouteAccess, method: str, *, with_token: bool) -> bool:
    """Return what the table means for a sender. It is written anew here, not taken from the code."""
    if access.role is None:
        return True
    if sender.role is None or list(Role).index(sender.role) < list(Role).index(access.role):
        return False
    needed = access.scope or (KeyScope.READ if method in READS else KeyScope.WRITE)
    if needed not in sender.scopes:
        return False
    if access.is_page and sender.is_program:  # pages have whole texts, and their forms change users and keys
        return False
    if access.has_form:  # a form has its token in a field
        return with_token
    return method in READS or sender.is_program or with_token


def send(sender: Sender, method: str, path: str, access: RouteAccess, *, with_token: bool) -> httpx.Response:
    """Send a request that the route understands and that changes nothing. Read no body: a stream has no end."""
    token = sender.token if with_token else "0" * 64
    values: dict[str, Any] = {}
    if method not in READS:
        values = {"data": {"token": token}} if access.has_form else {"headers": {TOKEN_HEADER: token}, "json": {}}
    with sender.client.stream(method, path, **values) as answer:
        return answer


def is_refused(answer: httpx.Response) -> bool:
    """Return whether an answer is a refusal. A redirect is one if it leads to the page to sign in."""
    if answer.status_code == 303:
        return answer.headers["location"].startswith("/login?next=")
    return answer.status_code in (401, 403)


@pytest.mark.slow
def test_every_route_asks_each_sender_for_its_role(newsroom: Newsroom, senders: list[Sender]) -> None:
    wrong = []
    for route in list_routes(newsroom):
        if route.path in OPEN_TO_ALL or "{feed_secret}" in route.path:
            continue
        path = fill_path(route)
        for method in sorted(route.methods & (READS | WRITES)):
            for sender in senders:
                for with_token in (True, False):
                    answer = send(sender, method, path, route.access, with_token=with_token)
                    expected = may_use(sender, route.access, method, with_token=with_token)
                    if is_refused(answer) == expected or answer.status_code >= 500:
                        wrong.append((method, route.path, sender.role, sorted(sender.scopes), with_token, answer))
    assert not wrong


def test_key_opens_no_page_and_sends_no_form(address: str, store: Store, save: SaveArticle) -> None:
    save("1")
    key, visitor = add_key(store, add_user(store, "dana", Role.OWNER), Role.OWNER, list(KeyScope)), make_secret()
    with open_browser(address) as client:
        client.headers["authorization"] = f"Bearer {key}"
        client.cookies.set("visitor", visitor, domain="127.0.0.1")  # a program may choose any, and make its token
        form = {"token": make_form_token(visitor), "name": "timur", "role": "owner", "title": "more", "days": ""}
        for path in ("/users/add", "/account/keys", "/account/feed"):
            assert client.post(path, data=form).status_code == 403, path
        for path in ("/articles/mfa:1:ru", "/archive-file/mfa:1:ru", "/evidence/mfa:1:ru", "/account"):
            answer = client.get(path)
            assert (answer.status_code, "masthead" in answer.text) == (403, False), path
        assert client.get("/api/v1/articles/mfa:1:ru").status_code == 200
    assert [user.name for user in store.users.list_all()] == ["dana"]
    assert len(store.api_keys.list_by_user("dana")) == 1


def test_error_of_a_feed_has_no_frame_of_a_page(address: str, store: Store) -> None:
    name, secret = add_user(store, "timur", Role.READER), make_secret()
    store.users.set_feed_secret(name, hash_secret(secret))
    with open_browser(address) as client:
        answer = client.get(f"/feeds/{secret}/other.atom")
    assert (answer.status_code, "masthead" in answer.text, name in answer.text) == (404, False, False)


def test_secret_in_a_feed_address_is_the_proof(address: str, store: Store) -> None:
    name, secret = add_user(store, "timur", Role.READER), make_secret()
    store.users.set_feed_secret(name, hash_secret(secret))
    with open_browser(address) as client:
        assert client.get("/feeds/all.atom").status_code == 303
        assert client.get(f"/feeds/{secret}/all.atom").status_code == 200
        assert client.get(f"/feeds/{make_secret()}/all.atom").status_code == 404
        assert client.get(f"/feeds/{secret}").status_code == 404
        store.users.set_disabled(name, True)
        assert client.get(f"/feeds/{secret}/all.atom").status_code == 404


@pytest.mark.parametrize(("do", "role"), [("seen", Role.READER), ("note", Role.ANALYST), ("important", Role.ANALYST)])
def test_action_needs_its_own_role(address: str, store: Store, save: SaveArticle, do: str, role: Role) -> None:
    save("1")
    for sender in Role:
        session = start_session(store, add_user(store, sender.value, sender))
        with open_browser(address, session) as client:
            data = {"token": make_form_token(session), "do": do, "article": "mfa:1:ru~1", "note": "Ask them."}
            status = client.post("/actions", data=data).status_code
            assert status == (303 if sender.covers(role) else 403)
            key = add_key(store, sender.value, sender, ["write"])
            values = {"kind": do, "articles": [{"id": "mfa:1:ru", "version": 1}]}
            values |= {"note": "Ask them."} if do == "note" else {}
            headers = {"authorization": f"Bearer {key}"}
            with open_browser(address) as program:
                answer = program.post("/api/v1/actions", json=values, headers=headers)
            assert answer.status_code == (201 if sender.covers(role) else 403), answer.text


def test_only_these_routes_answer_everyone(newsroom: Newsroom) -> None:
    assert {route.path for route in list_routes(newsroom) if route.access.role is None} == OPEN_TO_ALL


def test_writes_are_not_open_to_all_but_for_sign_in_and_out(newsroom: Newsroom) -> None:
    open_writes = {
        route.path for route in list_routes(newsroom) if route.access.role is None and route.methods & WRITES
    }
    assert open_writes == {"/login", "/logout"}


@pytest.mark.parametrize(
    ("prefix", "role"),
    [
        ("/users", Role.OWNER),
        ("/sources/", Role.OWNER),
        ("/subscriptions", Role.ANALYST),
        ("/search/save", Role.ANALYST),
        ("/account/keys", Role.ANALYST),
        ("/account", Role.READER),
    ],
)
def test_routes_that_must_not_be_declared_for_less(newsroom: Newsroom, prefix: str, role: Role) -> None:
    found = [route.access.role for route in list_routes(newsroom) if route.path.startswith(prefix)]
    assert found
    assert all(each is not None and each.covers(role) for each in found)
