"""The owner's page of users: add, change the role, set a new password, disable; and the log of changes."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.errors import UsageError
from crawler.roles import Role
from crawler.store.users import LastOwner
from crawler.web.access import get_principal
from crawler.web.errors import BadAddress, PageMissing
from crawler.web.forms import FormValues
from crawler.web.pages.account import record_change, revoke_secrets
from crawler.web.pages.sign_in import format_problem
from crawler.web.passwords import clean_user_name, hash_password, make_password
from crawler.web.rendering import PageRenderer
from crawler.web.translations import mark_message

USERS_PATH = "/users"
MAX_LISTED_ENTRIES = 50
NAME_TAKEN = mark_message("There is a user with this name already.")
UNUSABLE_NAME = mark_message("A name has letters, digits and . _ - + @ only, at most %(name_length)s.")
FIRST_IS_OWNER = mark_message("The first user must be an owner.")
LAST_OWNER = mark_message("This is the only owner. Make another user an owner first.")


def show_users(site: PageRenderer, request: Request) -> Response:
    """Return the page of users."""
    return render_users(site, request)


def render_users(
    site: PageRenderer, request: Request, *, problem: str = "", named: str = "", new_password: str = ""
) -> Response:
    """Return the page. `problem` is a message id. A new password, of the user `named`, is shown this once."""
    reader, store = site.make_reader(request), site.newsroom.store
    answer = site.render(
        request,
        "users.html",
        status=400 if problem else 200,
        reader=reader,
        users=store.users.list_all(),
        entries=store.audit.list_newest(MAX_LISTED_ENTRIES),
        roles=list(Role),
        own_name=get_principal(request).name,
        problem=format_problem(reader, problem),
        named=named,
        new_password=new_password,
    )
    if new_password:
        answer.headers["cache-control"] = "no-store"
    return answer


def add_user(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Add a user with a random password, and show it once."""
    users = site.newsroom.store.users
    role = parse_role(form)
    try:
        name = clean_user_name(form.get_first("name"))
    except UsageError:
        return render_users(site, request, problem=UNUSABLE_NAME)
    if role is not Role.OWNER and not users.exist():
        return render_users(site, request, problem=FIRST_IS_OWNER)
    password = make_password()
    if not users.add(name, role, at=datetime.now(UTC), password_hash=hash_password(password)):
        return render_users(site, request, problem=NAME_TAKEN)
    record_change(site, request, "user.add", f"{name} {role}")
    return render_users(site, request, named=name, new_password=password)


def change_user(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Change a user's role, set a new random password, disable or enable."""
    users, name, what = site.newsroom.store.users, form.get_first("name"), form.get_first("do")
    if users.get(name) is None:
        raise PageMissing
    about = name
    try:
        match what:
            case "role":
                role = parse_role(form)
                users.set_role(name, role)
                about = f"{name} {role}"
            case "disable" | "enable":
                users.set_disabled(name, what == "disable")
            case "password":
                password = make_password()
                users.set_password(name, hash_password(password))
                record_change(site, request, "user.password", name)
                return render_users(site, request, named=name, new_password=password)
            case "revoke":
                revoke_secrets(site, request, name)
                return RedirectResponse(USERS_PATH, 303)
            case _:
                raise BadAddress
    except LastOwner:
        return render_users(site, request, problem=LAST_OWNER)
    record_change(site, request, f"user.{what}", about)
    return RedirectResponse(USERS_PATH, 303)


def parse_role(form: FormValues) -> Role:
    """Return the role that a form names. Raise BadAddress for another text."""
    try:
        return Role(form.get_first("role"))
    except ValueError:
        raise BadAddress from None
