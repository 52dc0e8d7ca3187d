"""Who may do what: roles, routes that declare one, and routes that declare none."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from crawler.store.users import Role
from crawler.web.access import (
    GuardedRoute,
    KeyScope,
    Principal,
    RouteAccess,
    SignIn,
    list_guarded_routes,
    needs_role,
)
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
