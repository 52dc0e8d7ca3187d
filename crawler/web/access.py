"""Who sends a request, and which role each route needs. A route that declares nothing answers nobody.

Declare the role beside the route: a row of `PAGES` or `FORMS` in `application`, or the decorator `needs_role` on an
endpoint of the API. `GuardedRoute` asks for it before the endpoint runs. `list_guarded_routes` raises at the start for
a route that has no declaration.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from crawler.config import WebConfig
from crawler.errors import UsageError
from crawler.roles import LOCAL_NAME, Role
from crawler.store import Store
from crawler.web.answer_threads import AnswerThreads
from crawler.web.errors import ForeignForm, PageMissing, RoleMissing, SignInNeeded
from crawler.web.forms import SESSION_COOKIE, TOKEN_HEADER, find_cookie, is_form_token
from crawler.web.passwords import clean_user_name, hash_secret
from crawler.web.security import FORWARDED_HEADERS, PROXY_KEY, is_loopback, is_own_origin

CONTROL_KEY = "crawler.access"
PRINCIPAL_KEY = "crawler.principal"
"""Where the ASGI scope of a request has the access control and who sends it. A mounted application has them too."""
FEED_PARAMETER = "feed_secret"
"""The parameter of a path that has the secret of a user's feeds."""
REMOTE_USER_HEADER = "remote-user"
RECHECK_SECONDS = 10.0
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class SignIn(StrEnum):
    """How a request says who sends it."""

    LOCAL = "local"
    SESSION = "session"
    API_KEY = "api_key"
    FEED_SECRET = "feed_secret"
    PROXY = "proxy"


class KeyScope(StrEnum):
    """What an API key may be used for, within the role that it has."""

    READ = "read"
    WRITE = "write"
    METRICS = "metrics"
    FEEDS = "feeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who sends a request. Without an API key the scopes are all there are."""

    name: str
    role: Role
    sign_in: SignIn
    scopes: frozenset[KeyScope] = frozenset(KeyScope)

    def can(self, role: Role) -> bool:
        """Return whether the principal may do what needs a role."""
        return self.role.covers(role)

    @property
    def is_analyst(self) -> bool:
        """Whether notes, stories, reviews and draft rules may be written."""
        return self.can(Role.ANALYST)

    @property
    def is_owner(self) -> bool:
        """Whether rules in force, channels, sources and users may be changed."""
        return self.can(Role.OWNER)

    @property
    def is_ambient(self) -> bool:
        """Whether a browser sends the proof by itself, so that a foreign page could make it do so."""
        return self.sign_in in (SignIn.LOCAL, SignIn.SESSION, SignIn.PROXY)


class RouteAccess(NamedTuple):
    """What a route needs: a role (None: it answers everyone), and a scope (None: `read` or `write` by the method).

    A page takes no API key: it has whole texts, and its forms change users and keys. A page with `has_form` checks the
    token in the form itself. Another route that writes wants it in a header from a browser in which someone has signed
    in.
    """

    role: Role | None
    scope: KeyScope | None = None
    is_page: bool = False
    has_form: bool = False


OPEN_TO_ALL = RouteAccess(None)


def needs_role(role: Role, scope: KeyScope | None = None) -> Callable[[Endpoint], Endpoint]:
    """Declare, as a decorator of an endpoint, the role that its route needs."""
    return declare_access(RouteAccess(role, scope))


def declare_access(access: RouteAccess) -> Callable[[Endpoint], Endpoint]:
    """Declare, as a decorator of an endpoint, what its route needs. `OPEN_TO_ALL` is for the page to sign in."""

    def declare(endpoint: Endpoint) -> Endpoint:
        endpoint.route_access = access  # type: ignore[attr-defined]
        return endpoint

    return declare


def get_principal(connection: HTTPConnection) -> Principal:
    """Return who sends a request to a route that needs a role."""
    principal = find_principal(connection)
    if principal is None:
        raise SignInNeeded
    return principal


def find_principal(connection: HTTPConnection) -> Principal | None:
    """Return who sends a request, or None before that is known."""
    found: Principal | None = connection.scope.get(PRINCIPAL_KEY)
    return found


async def end_with_session(stream: AsyncIterator[bytes], connection: HTTPConnection) -> AsyncIterator[bytes]:
    """Yield the parts of an answer without end, until its sender signs out, is disabled or has another role."""
    control: AccessControl = connection.scope[CONTROL_KEY]
    checked_at = time.monotonic()
    async for part in stream:
        yield part
        if time.monotonic() - checked_at >= RECHECK_SECONDS:
            if not await control.is_still_admitted(connection):
                return
            checked_at = time.monotonic()


class AccessControl:
    """Says who sends a request. `identify` waits for the store, so routes call it in one of the page threads."""

    def __init__(self, store: Store, web: WebConfig, threads: AnswerThreads, *, is_public: bool = False) -> None:
        """`is_public`: the server listens at an address that other machines may reach."""
        self.threads = threads
        self._store, self._web = store, web
        self._allows_local = not is_public and not is_reached_by_others(web)

    def identify(self, connection: HTTPConnection) -> Principal | None:
        """Return who sends a request, and note it in its scope. None: nobody who is known."""
        if PRINCIPAL_KEY not in connection.scope:
            connection.scope[PRINCIPAL_KEY] = self._find_principal(connection)
        return find_principal(connection)

    async def admit(self, connection: HTTPConnection, access: RouteAccess) -> None:
        """Raise SignInNeeded, RoleMissing or ForeignForm if the sender may not use a route."""
        if access.role is None:
            return
        principal = await self.threads.run(self.identify, connection)
        if principal is None:
            # A feed reader cannot sign in, and an address with a wrong secret is no address.
            raise PageMissing if FEED_PARAMETER in connection.path_params else SignInNeeded
        if access.is_page and not principal.is_ambient:
            raise RoleMissing("An API key is for the API, the metrics and the feeds, not for pages.")
        is_safe = connection.scope["method"] in SAFE_METHODS
        scope = access.scope or (KeyScope.READ if is_safe else KeyScope.WRITE)
        if not principal.can(access.role) or scope not in principal.scopes:
            raise RoleMissing
        if is_safe or not principal.is_ambient:
            return
        needs_header = not access.has_form and principal.sign_in is not SignIn.LOCAL
        if not is_own_origin(connection.headers) or (
            needs_header and not is_form_token(connection, connection.headers.get(TOKEN_HEADER, ""))
        ):
            raise ForeignForm

    async def is_still_admitted(self, connection: HTTPConnection) -> bool:
        """Return whether the sender of a request is who it was when the answer began: an answer may have no end."""
        before = connection.scope.pop(PRINCIPAL_KEY, None)
        now = await self.threads.run(self.identify, connection)
        return now is not None and now == before

    def _find_principal(self, connection: HTTPConnection) -> Principal | None:
        """Return the sender by the first proof that the request has. A wrong one is not followed by another."""
        if (secret := connection.path_params.get(FEED_PARAMETER)) is not None:
            return self._find_by_feed_secret(secret)
        # A proxy may pass on the password that it asked for (`Basic …`). From others only a key is a proof.
        header, is_behind_proxy = connection.headers.get("authorization"), connection.scope.get(PROXY_KEY, False)
        if header is not None and not (is_behind_proxy and header.lower().startswith("basic ")):
            return self._find_by_key(header)
        if (session := find_cookie(connection, SESSION_COOKIE)) is not None:
            found = self._store.sessions.find(hash_secret(session), at=datetime.now(UTC))
            if found is not None:
                return Principal(name=found.user_name, role=found.role, sign_in=SignIn.SESSION)
        if self._web.remote_user and is_behind_proxy:
            return self._find_by_name(connection.headers.getlist(REMOTE_USER_HEADER))
        return self._find_local(connection)

    def _find_by_feed_secret(self, secret: str) -> Principal | None:
        user = self._store.users.get_by_feed_secret(hash_secret(secret))
        if user is None or user.is_disabled:
            return None
        scopes = frozenset({KeyScope.FEEDS})
        return Principal(name=user.name, role=user.role, sign_in=SignIn.FEED_SECRET, scopes=scopes)

    def _find_by_key(self, header: str) -> Principal | None:
        kind, _, key = header.partition(" ")
        found = self._store.api_keys.find(hash_secret(key.strip()), at=datetime.now(UTC))
        if kind.lower() != "bearer" or found is None:
            return None
        scopes = frozenset(scope for scope in KeyScope if scope in found.scopes)
        return Principal(name=found.user_name, role=found.role, sign_in=SignIn.API_KEY, scopes=scopes)

    def _find_by_name(self, names: list[str]) -> Principal | None:
        """Return the user whom a proxy names. Several names are none: a client may have added one."""
        try:
            user = self._store.users.get(clean_user_name(names[0])) if len(names) == 1 else None
        except UsageError:
            return None
        if user is None or user.is_disabled:
            return None
        return Principal(name=user.name, role=user.role, sign_in=SignIn.PROXY)

    def _find_local(self, connection: HTTPConnection) -> Principal | None:
        """Return `local` for a request of this computer, while there are no users. A proxy's may be anyone's."""
        client = connection.scope.get("client")
        is_direct = client is not None and is_loopback(client[0])
        is_forwarded = any(name in connection.headers for name in FORWARDED_HEADERS)
        if not self._allows_local or not is_direct or is_forwarded or self._store.users.exist():
            return None
        return Principal(name=LOCAL_NAME, role=Role.OWNER, sign_in=SignIn.LOCAL)


def is_reached_by_others(web: WebConfig) -> bool:
    """Return whether the configuration lets other computers reach the pages, whatever the server listens at."""
    host = urlsplit(web.address).hostname if web.address else None
    return bool(web.trusted_proxies or web.oidc.issuer or (host and not is_loopback(host)))


class AccessMiddleware:
    """An ASGI middleware: each request takes the access control along, also into mounted applications."""

    def __init__(self, app: ASGIApp, control: AccessControl) -> None:
        self._app, self._control = app, control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope[CONTROL_KEY] = self._control
        await self._app(scope, receive, send)


class GuardedRoute(Route):
    """A route that asks for the declared role before its endpoint runs.

    A route of another framework joins by a class with both bases, this one first: `class X(GuardedRoute, APIRoute)`.
    """

    @property
    def access(self) -> RouteAccess:
        """What the endpoint declares. Raise RoleMissing if it declares nothing."""
        found: RouteAccess | None = getattr(self.endpoint, "route_access", None)
        if found is None:
            raise RoleMissing(f"The route {self.path} declares no role, so it answers nobody.")
        return found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose sender may use the route."""
        control: AccessControl = scope[CONTROL_KEY]
        await control.admit(HTTPConnection(scope), self.access)
        await super().handle(scope, receive, send)


class DeclaredRoute(NamedTuple):
    """A row of the table of an application's routes."""

    path: str
    methods: frozenset[str]
    access: RouteAccess


def list_guarded_routes(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[DeclaredRoute]:
    """Yield every route, also of mounted applications. Raise RoleMissing for one that is not guarded."""
    for route in routes:
        if isinstance(route, Mount):
            yield from list_guarded_routes(route.routes, prefix + route.path)
        elif isinstance(route, GuardedRoute):
            yield DeclaredRoute(prefix + route.path, frozenset(route.methods or ()), route.access)
        else:
            raise RoleMissing(f"The route {prefix}{getattr(route, 'path', route)} asks for no role.")
