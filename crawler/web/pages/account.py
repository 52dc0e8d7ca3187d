"""The signed-in user's own account: password, sessions, API keys, and the secret in feed addresses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.errors import UsageError
from crawler.roles import Role
from crawler.store.users import User
from crawler.web.access import KeyScope, get_principal
from crawler.web.errors import BadAddress, RoleMissing
from crawler.web.forms import SESSION_COOKIE, FormValues, find_cookie, parse_row_number
from crawler.web.pages.sign_in import MAX_KEYS, TOO_MANY_TRIES, format_problem, get_client_address, start_session
from crawler.web.passwords import (
    MIN_PASSWORD_LENGTH,
    hash_password,
    hash_secret,
    is_password,
    make_api_key,
    make_secret,
)
from crawler.web.rendering import PageRenderer
from crawler.web.translations import mark_message

ACCOUNT_PATH = "/account"
MAX_TITLE_LENGTH = 80
KEY_DAYS = {"30": timedelta(days=30), "365": timedelta(days=365), "": None}
"""For how long a key is valid, by the value in the form. Empty: until it is deleted."""
WRONG_CURRENT_PASSWORD = mark_message("The current password is wrong.")
DIFFERENT_PASSWORDS = mark_message("The two new passwords differ.")
UNUSABLE_PASSWORD = mark_message("A password has from %(least)s to %(most)s characters.")
NO_SCOPE = mark_message("Tick at least one thing that the key may do.")
TOO_MANY_KEYS = mark_message("There are %(keys)s keys already. Delete one first.")


def show_account(site: PageRenderer, request: Request) -> Response:
    """Return the page of the signed-in user."""
    return render_account(site, request)


def render_account(
    site: PageRenderer, request: Request, *, problem: str = "", new_key: str = "", new_feed_secret: str = ""
) -> Response:
    """Return the page. `problem` is a message id. A new secret is shown this once."""
    reader, store, now = site.make_reader(request), site.newsroom.store, datetime.now(UTC)
    principal = get_principal(request)
    user, session = store.users.get(principal.name), find_cookie(request, SESSION_COOKIE)
    answer = site.render(
        request,
        "account.html",
        status=400 if problem else 200,
        reader=reader,
        user=user,
        keys=store.api_keys.list_by_user(principal.name) if principal.is_analyst else [],
        sessions=store.sessions.list_by_user(principal.name, at=now),
        own_session=hash_secret(session) if session else None,
        roles=[role for role in Role if principal.can(role)],
        scopes=list(KeyScope),
        problem=format_problem(reader, problem),
        new_key=new_key,
        new_feed_secret=new_feed_secret,
        min_length=MIN_PASSWORD_LENGTH,
    )
    if new_key or new_feed_secret:
        answer.headers["cache-control"] = "no-store"
    return answer


def change_password(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Set a new password for a user who knows the current one, and end all other sessions."""
    user, users, now = get_user(site, request), site.newsroom.store.users, datetime.now(UTC)
    if user.password_hash is None:
        raise RoleMissing
    address = get_client_address(request)
    if users.begin_attempt(user.name, address, at=now) is None:
        return render_account(site, request, problem=TOO_MANY_TRIES)
    if not is_password(form.get_first("current"), user.password_hash):
        return render_account(site, request, problem=WRONG_CURRENT_PASSWORD)
    if form.get_first("new") != form.get_first("again"):
        return render_account(site, request, problem=DIFFERENT_PASSWORDS)
    try:
        hashed = hash_password(form.get_first("new"))
    except UsageError:
        return render_account(site, request, problem=UNUSABLE_PASSWORD)
    users.forget_attempts(user.name, address)
    users.set_password(user.name, hashed)
    record_change(site, request, "password.set", user.name)
    if form.get_first("revoke"):
        revoke_secrets(site, request, user.name)
    response = RedirectResponse(f"{ACCOUNT_PATH}?changed=1", 303)
    start_session(site, request, response, user.name)
    return response


def revoke_secrets(site: PageRenderer, request: Request, name: str) -> None:
    """Delete a user's API keys and the secret of the feed addresses, which outlive a password."""
    store = site.newsroom.store
    number = store.api_keys.delete_by_user(name)
    store.users.set_feed_secret(name, None)
    record_change(site, request, "secrets.revoke", f"{name} {number} keys")


def end_other_sessions(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """End the user's sessions in other browsers."""
    user, session = get_user(site, request), find_cookie(request, SESSION_COOKIE)
    site.newsroom.store.sessions.delete_by_user(user.name, but=hash_secret(session) if session else None)
    record_change(site, request, "session.end", user.name)
    return RedirectResponse(f"{ACCOUNT_PATH}?changed=1", 303)


def add_key(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Make an API key, and show it once."""
    user, store = get_user(site, request), site.newsroom.store
    if len(store.api_keys.list_by_user(user.name)) >= MAX_KEYS:
        return render_account(site, request, problem=TOO_MANY_KEYS)
    try:
        role, scopes = Role(form.get_first("role")), [KeyScope(each) for each in form.get_all("scope")]
        lifetime = KEY_DAYS[form.get_first("days")]
    except (ValueError, KeyError):
        raise BadAddress from None
    if not get_principal(request).can(role):
        raise RoleMissing
    if not scopes:
        return render_account(site, request, problem=NO_SCOPE)
    key, now = make_api_key(), datetime.now(UTC)
    title = form.get_first("title").strip()[:MAX_TITLE_LENGTH]
    until = now + lifetime if lifetime else None
    number = store.api_keys.add(
        user.name, hash_secret(key), title=title, role=role, scopes=scopes, at=now, expires_at=until
    )
    record_change(site, request, "key.add", f"{number} {title}")
    return render_account(site, request, new_key=key)


def delete_key(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Delete one of the user's own API keys."""
    user, number = get_user(site, request), parse_row_number(form.get_first("key"))
    if number is None:
        raise BadAddress
    if site.newsroom.store.api_keys.delete(number, user.name):
        record_change(site, request, "key.delete", str(number))
    return RedirectResponse(f"{ACCOUNT_PATH}?changed=1", 303)


def renew_feed_secret(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Make a new secret for the user's feed addresses, and show it once. The addresses with the former one end."""
    user, secret = get_user(site, request), make_secret()
    site.newsroom.store.users.set_feed_secret(user.name, hash_secret(secret))
    record_change(site, request, "feed_secret.add", user.name)
    return render_account(site, request, new_feed_secret=secret)


def delete_feed_secret(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """End the user's feed addresses."""
    user = get_user(site, request)
    site.newsroom.store.users.set_feed_secret(user.name, None)
    record_change(site, request, "feed_secret.delete", user.name)
    return RedirectResponse(f"{ACCOUNT_PATH}?changed=1", 303)


def get_user(site: PageRenderer, request: Request) -> User:
    """Return the user who sends a request. Raise RoleMissing for `local`, who is none."""
    user = site.newsroom.store.users.get(get_principal(request).name)
    if user is None:
        raise RoleMissing
    return user


def record_change(site: PageRenderer, request: Request, action: str, about: str) -> None:
    """Write into the log what the sender of a request has changed."""
    name, address = get_principal(request).name, get_client_address(request)
    site.newsroom.store.audit.record(name, action, about, at=datetime.now(UTC), address=address)
