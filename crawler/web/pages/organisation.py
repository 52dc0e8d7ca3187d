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
from crawler.web.oidc import SIGN_IN_PATH, OidcClient, OidcError, OidcUser
from crawler.web.pages.sign_in import Refusal, start_session
from crawler.web.passwords import clean_user_name, make_secret
from crawler.web.rendering import PageRenderer, make_address

ORGANISATION_SESSION = timedelta(hours=12)
"""Groups count when someone signs in, so such a session is short."""
log = logging.getLogger(__name__)


def start_organisation_sign_in(site: PageRenderer, request: Request) -> Response:
    """Send the browser to the provider."""
    visitor = find_cookie(request, VISITOR_COOKIE) or make_secret()
    target = clean_address(request.query_params.get("next", ""))
    try:
        response = RedirectResponse(get_client(site).start(visitor, target), 303)
    except OidcError as error:
        return refuse(Refusal.PROVIDER_FAILED, error, target)
    set_cookie(response, request, VISITOR_COOKIE, visitor)
    return response


def finish_organisation_sign_in(site: PageRenderer, request: Request) -> Response:
    """Start a session for whom the provider has signed in."""
    try:
        found = get_client(site).finish(find_cookie(request, VISITOR_COOKIE), request.query_params)
    except OidcError as error:
        return refuse(Refusal.PROVIDER_FAILED, error)
    if found.role is None:
        return refuse(Refusal.NO_ROLE, f"{found.name!r} ({found.subject!r}): {found.no_role_reason}", found.target)
    try:
        user = find_organisation_user(site, found)
    except UsageError as error:
        reason = f"{error} [web.oidc] name_claim can be another claim, as email."
        return refuse(Refusal.NAME_UNUSABLE, reason, found.target)
    if user is None:
        reason = (
            f"{found.subject!r} has the name {found.name!r} of another user here. Set [web.oidc] name_claim to another "
            "claim, or erase that user with `crawler user erase`."
        )
        return refuse(Refusal.NAME_OF_ANOTHER, reason, found.target)
    if user.is_disabled:
        reason = f"{user.name} is disabled; `crawler user enable` changes that."
        return refuse(Refusal.IS_DISABLED, reason, found.target)
    response = RedirectResponse(found.target, 303)
    start_session(site, request, response, user.name, lifetime=ORGANISATION_SESSION)
    return response


def find_organisation_user(site: PageRenderer, found: OidcUser) -> User | None:
    """Return the user that the provider means, with the role of now. Add one who is new, unless the name is taken.

    Raise UsageError for a name that nobody can have here. A name proves nothing: a person who chooses one at the
    provider must not become the user who has it here.
    """
    store, now = site.newsroom.store, datetime.now(UTC)
    assert found.role is not None
    user = store.users.get_by_subject(found.subject)
    if user is None:
        name = clean_user_name(found.name)
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


def refuse(refusal: Refusal, reason: object, target: str = "/") -> Response:
    """Send the browser to the page to sign in, which says what the problem is, and log its reason.

    The address of the callback works once. A reload or a link of a page under it would send the code again.
    """
    log.warning("A sign-in with the organisation failed: %s", reason)
    return RedirectResponse(make_address(SIGN_IN_PATH, {"refused": refusal, "next": target}), 303)
