"""Sign in with name and password, and sign out."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.errors import UsageError
from crawler.store.credentials import SESSION_LIFETIME
from crawler.store.users import ATTEMPT_WINDOW, MAX_ATTEMPTS_PER_USER
from crawler.web.forms import SESSION_COOKIE, FormValues, clean_address, find_cookie, set_cookie
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

SIGN_IN_PATH = "/login"
WRONG_PASSWORD = mark_message("Name or password is wrong. After %(tries)s wrong tries there is a pause.")
TOO_MANY_TRIES = mark_message("There were too many wrong tries. Try again in %(minutes)s minutes.")
SESSION_ENDED = mark_message("Your session has ended. Sign in, and you are back on the page.")
SIGNED_OUT = mark_message("You are signed out.")
MAX_KEYS = 20
"""API keys of one user."""
log = logging.getLogger(__name__)


def show_sign_in(site: PageRenderer, request: Request) -> Response:
    """Return the page with name and password."""
    notice = ""
    if "ended" in request.query_params:
        notice = SESSION_ENDED
    elif "out" in request.query_params:
        notice = SIGNED_OUT
    return render_sign_in(site, request, clean_address(request.query_params.get("next", "")), notice=notice)


def render_sign_in(
    site: PageRenderer,
    request: Request,
    target: str,
    *,
    notice: str = "",
    problem: str = "",
    name: str = "",
    status: int = 200,
) -> Response:
    """Return the page to sign in. `notice` and `problem` are message ids, `target` the page to show afterwards."""
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
    """End the session of this browser."""
    response = RedirectResponse(f"{SIGN_IN_PATH}?out=1", 303)
    if session := find_cookie(request, SESSION_COOKIE):
        site.newsroom.store.sessions.delete(hash_secret(session))
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
