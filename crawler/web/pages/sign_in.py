"""Sign in with name and password, and sign out."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.errors import UsageError
from crawler.store.credentials import SESSION_LIFETIME
from crawler.store.users import ATTEMPT_WINDOW, MAX_ATTEMPTS_PER_USER
from crawler.web.access import CONTROL_KEY, AccessControl
from crawler.web.forms import SESSION_COOKIE, FormValues, clean_address, find_cookie, set_cookie
from crawler.web.oidc import SIGN_IN_PATH, OidcError
from crawler.web.passwords import (
    MAX_NAME_LENGTH,
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    clean_user_name,
    hash_secret,
    is_password,
    make_secret,
)
from crawler.web.rendering import PageRenderer, Reader
from crawler.web.translations import mark_message

WRONG_PASSWORD = mark_message("Name or password is wrong. After %(tries)s wrong tries there is a pause.")
TOO_MANY_TRIES = mark_message("There were too many wrong tries. Try again in %(minutes)s minutes.")
OUTDATED_PAGE = mark_message("This page was out of date. Sign in again.")
SESSION_ENDED = mark_message("Your session has ended. Sign in, and you are back on the page.")
SIGNED_OUT = mark_message("You are signed out.")
SIGNED_OUT_HERE = mark_message(
    "You are signed out here, but perhaps not at your organisation: the next sign-in may ask for no password."
)
OF_ORGANISATION = "organisation"
"""The value of `out` in an address after a user of the organisation has signed out."""
MAX_KEYS = 20
"""API keys of one user."""
log = logging.getLogger(__name__)


class Refusal(StrEnum):
    """Why a sign-in with the organisation was refused: the value of `refused` in an address."""

    PROVIDER_FAILED = "failed"
    NO_ROLE = "role"
    NAME_UNUSABLE = "name"
    NAME_OF_ANOTHER = "taken"
    IS_DISABLED = "disabled"


REFUSAL_WORDS = {
    Refusal.PROVIDER_FAILED: mark_message(
        "The sign-in with your organisation failed. Try again; the server's log says why."
    ),
    Refusal.NO_ROLE: mark_message(
        "Your organisation knows you, but none of your groups may use this newsroom. Ask an owner."
    ),
    Refusal.NAME_UNUSABLE: mark_message(
        "The name that your organisation has for you cannot be used here. Ask an owner."
    ),
    Refusal.NAME_OF_ANOTHER: mark_message("Another user of this newsroom has your name. Ask an owner."),
    Refusal.IS_DISABLED: mark_message("Your account is disabled here. Ask an owner."),
}


def show_sign_in(site: PageRenderer, request: Request) -> Response:
    """Return the page with name and password, and what the address says about the sign-in or sign-out before."""
    parameters = request.query_params
    target, refused = clean_address(parameters.get("next", "")), parameters.get("refused")
    if refused in REFUSAL_WORDS:
        return render_sign_in(site, request, target, problem=REFUSAL_WORDS[Refusal(refused)], status=401)
    address = find_sign_out_address(site) if parameters.get("out") == OF_ORGANISATION else None
    notice = ""
    if "ended" in parameters:
        notice = SESSION_ENDED
    elif "out" in parameters:
        notice = SIGNED_OUT_HERE if address else SIGNED_OUT
    return render_sign_in(site, request, target, notice=notice, sign_out_address=address)


def find_sign_out_address(site: PageRenderer) -> str | None:
    """Return the address at the organisation's provider that ends its own session, or None."""
    client = site.newsroom.oidc
    try:
        return client.find_sign_out_address() if client is not None else None
    except OidcError as error:
        log.warning("The sign-out at the organisation is not offered: %s", error)
        return None


def render_sign_in(
    site: PageRenderer,
    request: Request,
    target: str,
    *,
    notice: str = "",
    problem: str = "",
    name: str = "",
    status: int = 200,
    sign_out_address: str | None = None,
) -> Response:
    """Return the page to sign in. `notice` and `problem` are message ids, `target` the page to show afterwards.

    `sign_out_address` is a link: a form that leads to another server is against our Content-Security-Policy.
    """
    reader = site.make_reader(request)
    return site.render(
        request,
        "login.html",
        status=status,
        reader=reader,
        target=target,
        notice=reader.translate(notice) if notice else "",
        problem=format_problem(reader, problem),
        name=name,
        sign_out_address=sign_out_address,
        has_oidc=site.newsroom.config.web.oidc.issuer is not None,
    )


def sign_in(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Check name and password. Start a session, or return the page again."""
    users, now = site.newsroom.store.users, datetime.now(UTC)
    shown, target = form.get_first("username").strip()[:MAX_NAME_LENGTH], clean_address(form.get_first("next"))
    address = get_client_address(request)
    try:
        name = clean_user_name(shown)
    except UsageError:
        name = shown
    if users.begin_attempt(name, address, at=now) is None:
        log.warning("Too many attempts to sign in from %s.", address)
        answer = render_sign_in(site, request, target, problem=TOO_MANY_TRIES, name=shown, status=429)
        answer.headers["retry-after"] = str(int(ATTEMPT_WINDOW.total_seconds()))
        return answer
    user = users.get(name)
    known = user.password_hash if user is not None and not user.is_disabled else None
    # Also for an unknown name, so that the time does not say whether there is such a user.
    if not is_password(form.get_first("password"), known) or user is None:
        log.warning("An attempt to sign in from %s failed.", address)
        return render_sign_in(site, request, target, problem=WRONG_PASSWORD, name=shown, status=401)
    users.forget_attempts(name, address)
    response = RedirectResponse(target, 303)
    start_session(site, request, response, name)
    return response


def refuse_outdated_sign_in(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Return the page to sign in again: somebody signed in or out in another tab, or the form is another browser's.

    Who has signed in there is led to the page that was wanted.
    """
    target = clean_address(form.get_first("next"))
    control: AccessControl = request.scope[CONTROL_KEY]
    if control.identify(request) is not None:
        return RedirectResponse(target, 303)
    return render_sign_in(site, request, target, problem=OUTDATED_PAGE, status=403)


def start_session(
    site: PageRenderer, request: Request, response: Response, name: str, *, lifetime: timedelta = SESSION_LIFETIME
) -> None:
    """Start a session with a new id, whatever the browser had before, and send it with the response."""
    store, now = site.newsroom.store, datetime.now(UTC)
    if former := find_cookie(request, SESSION_COOKIE):
        store.sessions.delete(hash_secret(former))
    session = make_secret()
    store.sessions.add(hash_secret(session), name, at=now, lifetime=lifetime)
    store.audit.record(name, "session.start", "", at=now, address=get_client_address(request))
    set_cookie(response, request, SESSION_COOKIE, session, int(lifetime.total_seconds()))


def sign_out(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """End the session of this browser. For a user of the organisation, the page then offers to end the one there."""
    session = find_cookie(request, SESSION_COOKIE)
    if session is None:
        return RedirectResponse(f"{SIGN_IN_PATH}?out=1", 303)
    store, client, id_hash = site.newsroom.store, site.newsroom.oidc, hash_secret(session)
    found = store.sessions.find(id_hash, at=datetime.now(UTC))
    user = store.users.get(found.user_name) if found is not None else None
    store.sessions.delete(id_hash)
    is_of_organisation = client is not None and user is not None and client.is_own_subject(user.subject)
    response = RedirectResponse(f"{SIGN_IN_PATH}?out={OF_ORGANISATION if is_of_organisation else 1}", 303)
    set_cookie(response, request, SESSION_COOKIE, "")
    return response


def format_problem(reader: Reader, problem: str) -> str:
    """Return the sentence about a form that was refused, in the reader's language, or an empty text for none."""
    values = {
        "tries": MAX_ATTEMPTS_PER_USER,
        "minutes": ATTEMPT_WINDOW // timedelta(minutes=1),
        "least": MIN_PASSWORD_LENGTH,
        "most": MAX_PASSWORD_LENGTH,
        "name_length": MAX_NAME_LENGTH,
        "keys": MAX_KEYS,
    }
    return reader.translate(problem, **values) if problem else ""


def get_client_address(request: Request) -> str:
    """Return the IP address of the sender, as a trusted proxy names it."""
    return request.client.host if request.client else ""
