"""Sign in with an organisation's account: to the provider, and back."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.errors import UsageError
from crawler.store.users import User
from crawler.web.errors import PageMissing
from crawler.web.forms import VISITOR_COOKIE, clean_address, find_cookie, set_cookie
from crawler.web.oidc import OidcClient, OidcError, OidcUser
from crawler.web.pages.sign_in import render_sign_in, start_session
from crawler.web.passwords import clean_user_name, make_secret
from crawler.web.rendering import PageRenderer
from crawler.web.translations import mark_message

ORGANISATION_SESSION = timedelta(hours=12)
"""Groups count when someone signs in, so such a session is short."""
PROVIDER_FAILED = mark_message("The sign-in with your organisation failed. Try again; the server's log says why.")
NO_ROLE = mark_message("Your organisation knows you, but none of your groups may use this newsroom. Ask an owner.")
NAME_OF_ANOTHER = mark_message("Another user of this newsroom has your name. Ask an owner.")
IS_DISABLED = mark_message("Your account is disabled here. Ask an owner.")
log = logging.getLogger(__name__)


def start_organisation_sign_in(site: PageRenderer, request: Request) -> Response:
    """Send the browser to the provider."""
    visitor = find_cookie(request, VISITOR_COOKIE) or make_secret()
    target = clean_address(request.query_params.get("next", ""))
    try:
        response = RedirectResponse(get_client(site).start(visitor, target), 303)
    except OidcError as error:
        return refuse(site, request, PROVIDER_FAILED, error)
    set_cookie(response, request, VISITOR_COOKIE, visitor)
    return response


def finish_organisation_sign_in(site: PageRenderer, request: Request) -> Response:
    """Start a session for whom the provider has signed in."""
    try:
        found = get_client(site).finish(find_cookie(request, VISITOR_COOKIE), request.query_params)
    except OidcError as error:
        return refuse(site, request, PROVIDER_FAILED, error)
    if found.role is None:
        return refuse(site, request, NO_ROLE, found.subject)
    user = find_organisation_user(site, found)
    if user is None:
        return refuse(site, request, NAME_OF_ANOTHER, found.subject)
    if user.is_disabled:
        return refuse(site, request, IS_DISABLED, user.name)
    response = RedirectResponse(found.target, 303)
    start_session(site, request, response, user.name, lifetime=ORGANISATION_SESSION)
    return response


def find_organisation_user(site: PageRenderer, found: OidcUser) -> User | None:
    """Return the user that the provider means, with the role of now. Add one who is new, unless the name is taken.

    A name proves nothing: a person who chooses one at the provider must not become the user who has it here.
    """
    store, now = site.newsroom.store, datetime.now(UTC)
    assert found.role is not None
    user = store.users.get_by_subject(found.subject)
    if user is None:
        try:
            name = clean_user_name(found.name)
        except UsageError:
            return None
        if not store.users.add(name, found.role, at=now, password_hash=None, subject=found.subject):
            return None
        store.audit.record(name, "user.add", f"{name} {found.role}", at=now)
    elif user.role is not found.role:
        store.users.set_role(user.name, found.role, must_keep_owner=False)
        store.audit.record(user.name, "user.role", f"{user.name} {found.role}", at=now)
    return store.users.get_by_subject(found.subject)


def get_client(site: PageRenderer) -> OidcClient:
    """Return the client of the configured provider. Raise PageMissing if there is none."""
    client = site.newsroom.oidc
    if client is None:
        raise PageMissing
    return client


def refuse(site: PageRenderer, request: Request, problem: str, reason: object) -> Response:
    """Return the page to sign in with a problem, and log its reason."""
    log.warning("A sign-in with the organisation failed: %s", reason)
    return render_sign_in(site, request, "/", problem=problem, status=401)
