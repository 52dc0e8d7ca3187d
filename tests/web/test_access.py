"""Who may do what: roles, routes that declare one, and routes that declare none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from support.newsroom_users import add_user, start_session

from crawler.config import WebConfig
from crawler.roles import Role
from crawler.store import Store
from crawler.web import access
from crawler.web.access import (
    AccessControl,
    GuardedRoute,
    KeyScope,
    Principal,
    RouteAccess,
    SignIn,
    list_guarded_routes,
    needs_role,
)
from crawler.web.answer_threads import AnswerThreads
from crawler.web.errors import RoleMissing


@needs_role(Role.ANALYST, KeyScope.METRICS)
async def answer_analyst(request: object) -> Response:
    return PlainTextResponse("done")


async def answer_anyone(request: object) -> Response:
    return PlainTextResponse("done")


@pytest.mark.parametrize("role", Role)
def test_a_role_covers_those_before_it(role: Role) -> None:
    order = list(Role)
    assert [role.covers(other) for other in order] == [order.index(other) <= order.index(role) for other in order]
    principal = Principal(name="a", role=role, sign_in=SignIn.SESSION)
    assert (principal.is_analyst, principal.is_owner) == (role is not Role.READER, role is Role.OWNER)


def test_routes_are_listed_with_what_they_need() -> None:
    routes = [Mount("/api", routes=[GuardedRoute("/x/{name}", answer_analyst, methods=["POST"])])]
    (found,) = list_guarded_routes(routes)
    assert found == ("/api/x/{name}", {"POST"}, RouteAccess(Role.ANALYST, KeyScope.METRICS))


@pytest.mark.parametrize("kind", [Route, GuardedRoute])
def test_route_without_a_role_is_refused_at_the_start(kind: type[Route]) -> None:
    with pytest.raises(RoleMissing, match="/y "):
        list(list_guarded_routes([Mount("/api", routes=[kind("/y", answer_anyone)])]))


def test_endless_answer_ends_with_the_session(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "RECHECK_SECONDS", 0.0)
    session = start_session(store, add_user(store, "timur", Role.READER))

    async def make_parts() -> AsyncIterator[bytes]:
        for number in range(9):
            if number == 3:
                store.users.set_disabled("timur", True)
            yield b"part"

    async def read() -> list[bytes]:
        with closing(AnswerThreads(2, "answer")) as threads:
            control = AccessControl(store, WebConfig(), threads)
            headers = [(b"cookie", f"session={session}".encode())]
            scope = {"type": "http", "scheme": "http", "headers": headers, "client": None, access.CONTROL_KEY: control}
            connection = HTTPConnection(scope)
            assert control.identify(connection) is not None
            return [part async for part in access.end_with_session(make_parts(), connection)]

    assert len(asyncio.run(read())) == 4
