"""The application: routes with the role that each needs, and which thread answers.

A page waits for the store, so it runs in one of a few threads that live as long as the server: each keeps its own
connection to the store.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from crawler.errors import CrawlerError
from crawler.roles import Role
from crawler.web.access import (
    FEED_PARAMETER,
    OPEN_TO_ALL,
    AccessControl,
    AccessMiddleware,
    GuardedRoute,
    RouteAccess,
    declare_access,
    list_guarded_routes,
)
from crawler.web.answer_threads import AnswerThreads
from crawler.web.api.application import API_PATH, make_api
from crawler.web.api.problems import answer_error
from crawler.web.api.reference import show_reference
from crawler.web.error_pages import classify_error, show_error
from crawler.web.errors import BadAddress, ForeignForm
from crawler.web.feeds import make_feed_routes
from crawler.web.forms import FormValues, parse_form
from crawler.web.newsroom import Newsroom
from crawler.web.oidc import CALLBACK_PATH, START_PATH
from crawler.web.pages.account import (
    add_key,
    change_password,
    delete_feed_secret,
    delete_key,
    end_other_sessions,
    renew_feed_secret,
    show_account,
)
from crawler.web.pages.actions import MAX_NOTE_LENGTH, record_action, undo_action
from crawler.web.pages.add_source import add_source, show_add_source
from crawler.web.pages.article import download_archived, download_evidence, show_archived, show_article
from crawler.web.pages.messages import retry_messages, show_explanation, show_messages
from crawler.web.pages.organisation import finish_organisation_sign_in, start_organisation_sign_in
from crawler.web.pages.review import compose_review, show_review
from crawler.web.pages.rule_editor import change_rule, show_rule_editor
from crawler.web.pages.rules import activate_draft, show_draft, show_rule, show_rules
from crawler.web.pages.runs import show_runs
from crawler.web.pages.search import save_searched, show_search
from crawler.web.pages.sign_in import refuse_outdated_sign_in, show_sign_in, sign_in, sign_out
from crawler.web.pages.sources import change_source, pause_source, show_sources
from crawler.web.pages.story import show_story
from crawler.web.pages.subscriptions import change_subscription, show_subscriptions
from crawler.web.pages.today import show_today
from crawler.web.pages.users import add_user, change_user, show_users
from crawler.web.probes import make_probe_routes
from crawler.web.rendering import PageRenderer
from crawler.web.security import BodyTooLong, HostPolicy, RequestGuard, is_own_origin

PAGE_THREADS = 4
GUEST_THREADS = 2
"""Threads for what answers everyone: a password takes long to check, and guests must not keep users waiting."""
STATIC_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
Page = Callable[[PageRenderer, Request], Response]
FormPage = Callable[[PageRenderer, Request, FormValues], Response]
log = logging.getLogger(__name__)


class PageRoute(NamedTuple):
    """A page with the role that it needs. None: it answers everyone."""

    path: str
    role: Role | None
    page: Page


class FormRoute(NamedTuple):
    """What answers a form, with the role that it needs. None: it answers everyone.

    `on_foreign` answers a form that no page of the browser has now, in place of the page about that error.
    """

    path: str
    role: Role | None
    page: FormPage
    on_foreign: FormPage | None = None


PAGES: Sequence[PageRoute] = (
    PageRoute("/", Role.READER, show_today),
    PageRoute("/stories/{story_id:int}", Role.READER, show_story),
    PageRoute("/articles/{article_id:path}", Role.READER, show_article),
    PageRoute("/evidence/{article_id:path}", Role.READER, download_evidence),
    PageRoute("/archive/{article_id:path}", Role.READER, show_archived),
    PageRoute("/archive-file/{article_id:path}", Role.READER, download_archived),
    PageRoute("/rules", Role.READER, show_rules),
    PageRoute("/rule-draft", Role.ANALYST, show_draft),
    PageRoute("/rules/{rule}", Role.READER, show_rule),
    PageRoute("/rules/{rule}/edit", Role.OWNER, show_rule_editor),
    PageRoute("/review", Role.ANALYST, show_review),
    PageRoute("/search", Role.READER, show_search),
    PageRoute("/sources", Role.READER, show_sources),
    PageRoute("/sources/add", Role.OWNER, show_add_source),
    PageRoute("/messages", Role.READER, show_messages),
    PageRoute("/subscriptions", Role.ANALYST, show_subscriptions),
    PageRoute("/explain/{article_id:path}", Role.READER, show_explanation),
    PageRoute("/runs", Role.READER, show_runs),
    PageRoute("/api", Role.READER, show_reference),
    PageRoute("/login", None, show_sign_in),
    PageRoute(START_PATH, None, start_organisation_sign_in),
    PageRoute(CALLBACK_PATH, None, finish_organisation_sign_in),
    PageRoute("/account", Role.READER, show_account),
    PageRoute("/users", Role.OWNER, show_users),
)
FORMS: Sequence[FormRoute] = (
    FormRoute("/actions", Role.READER, record_action),  # it asks for an analyst for all but seen and unseen
    FormRoute("/undo", Role.READER, undo_action),
    FormRoute("/review", Role.ANALYST, compose_review),
    FormRoute("/messages/retry", Role.OWNER, retry_messages),
    FormRoute("/sources/pause", Role.OWNER, pause_source),
    FormRoute("/sources/add", Role.OWNER, add_source),
    FormRoute("/sources/change", Role.OWNER, change_source),
    FormRoute("/rule-draft", Role.OWNER, activate_draft),
    FormRoute("/rules/{rule}/edit", Role.OWNER, change_rule),
    FormRoute("/search/save", Role.ANALYST, save_searched),
    FormRoute("/subscriptions", Role.ANALYST, change_subscription),
    FormRoute("/login", None, sign_in, refuse_outdated_sign_in),
    FormRoute("/logout", None, sign_out),
    FormRoute("/account/password", Role.READER, change_password),
    FormRoute("/account/sessions/end", Role.READER, end_other_sessions),
    FormRoute("/account/feed", Role.READER, renew_feed_secret),
    FormRoute("/account/feed/delete", Role.READER, delete_feed_secret),
    FormRoute("/account/keys", Role.ANALYST, add_key),
    FormRoute("/account/keys/delete", Role.ANALYST, delete_key),
    FormRoute("/users/add", Role.OWNER, add_user),
    FormRoute("/users/change", Role.OWNER, change_user),
)


def make_app(newsroom: Newsroom, *, is_public: bool = False) -> Starlette:
    """Return the application over a newsroom. `is_public`: it listens at an address that other machines may reach.

    `state.threads` has the threads that read the store. Close them before the store is closed.
    """
    site = PageRenderer(newsroom)
    pool = AnswerThreads(PAGE_THREADS, "page")
    guests = AnswerThreads(GUEST_THREADS, "guest")
    routes: list[BaseRoute] = [
        GuardedRoute(
            path,
            declare_access(RouteAccess(role, is_page=True))(make_endpoint(site, page, pool if role else guests)),
            name=page.__name__,
        )
        for path, role, page in PAGES
    ]
    routes += [
        GuardedRoute(
            path,
            declare_access(RouteAccess(role, is_page=True, has_form=True))(
                make_form_endpoint(site, form, on_foreign, pool if role else guests)
            ),
            methods=["POST"],
            name=form.__name__,
        )
        for path, role, form, on_foreign in FORMS
    ]
    api = make_api(newsroom, pool)
    routes.append(Mount(API_PATH, api))
    routes += [*make_probe_routes(newsroom, pool), *make_feed_routes(newsroom, pool)]
    routes.append(GuardedRoute("/static/{name}", declare_access(OPEN_TO_ALL)(make_static_endpoint())))
    web = newsroom.config.web
    control = AccessControl(newsroom.store, web, pool, is_public=is_public)
    policy = HostPolicy(web, is_public=is_public)

    async def handle_error(request: Request, error: Exception) -> Response:
        if request.url.path.startswith("/api/"):
            return await answer_error(request, error)
        shown = classify_error(error)
        if shown.status == 500:
            log.error("%s %s failed", request.method, format_logged_path(request), exc_info=error)
        return await pool.run(show_error, site, request, shown, control, await read_refused_note(request, shown.status))

    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(RequestGuard, policy=policy),
            Middleware(ProxyHeadersMiddleware, trusted_hosts=list(web.trusted_proxies)),
            Middleware(AccessMiddleware, control=control),
        ],
        exception_handlers={HTTPException: handle_error, CrawlerError: handle_error, BodyTooLong: handle_error},
    )
    app.add_exception_handler(500, handle_error)
    app.state.api, app.state.threads = api, (pool, guests)
    list(list_guarded_routes(app.routes))  # raises for a route without a role
    return app


def format_logged_path(request: Request) -> str:
    """Return the path of a request for the log, without the secret of a feed address."""
    secret = request.path_params.get(FEED_PARAMETER)
    return request.url.path.replace(secret, "…") if secret else request.url.path


def make_endpoint(site: PageRenderer, page: Page, pool: AnswerThreads) -> Callable[..., Awaitable[Response]]:
    """Return the endpoint that answers by a page in one of the threads."""

    async def answer_request(request: Request) -> Response:
        return await pool.run(run_page, site, page, request)

    return answer_request


def make_form_endpoint(
    site: PageRenderer, page: FormPage, on_foreign: FormPage | None, pool: AnswerThreads
) -> Callable[..., Awaitable[Response]]:
    """Return the endpoint that checks a form and answers it in one of the threads."""

    async def answer_form(request: Request) -> Response:
        form = parse_form(request.headers.get("content-type", ""), await request.body())
        try:
            site.forms.raise_if_forged(request, form)
        except ForeignForm:
            if on_foreign is None:
                raise
            return await pool.run(run_page, site, on_foreign, request, form)
        return await pool.run(run_page, site, page, request, form)

    return answer_form


async def read_refused_note(request: Request, status: int) -> str:
    """Return the note in a form that was refused because its session has ended, so that its page can show it.

    The page that had the form may be gone: a browser that goes back asks for it again, and is led to sign in.
    """
    if request.method != "POST" or status not in (401, 403) or not is_own_origin(request.headers):
        return ""
    try:
        form = parse_form(request.headers.get("content-type", ""), await request.body())
    except (BadAddress, BodyTooLong, ClientDisconnect):
        return ""
    return form.get_first("note")[:MAX_NOTE_LENGTH]


def run_page(site: PageRenderer, page: Callable[..., Response], request: Request, *more: FormValues) -> Response:
    """Return the answer of a page, from the store that is there now."""
    replace_nul(request)
    site.newsroom.store.raise_if_lost()
    site.newsroom.reload_if_changed()
    answers = site.newsroom.answers
    if page is show_today:
        return answers.get_or_make(request, lambda: page(site, request))
    try:
        return page(site, request, *more)
    finally:
        if more:
            answers.clear()


def replace_nul(request: Request) -> None:
    """Replace NUL in the query of an address by U+FFFD, as forms do. Raise BadAddress for NUL in the path.

    PostgreSQL refuses NUL, which would look as if the store could not be read.
    """
    if "\0" in request.scope["path"]:
        raise BadAddress
    request.scope["query_string"] = request.scope["query_string"].replace(b"%00", b"%EF%BF%BD")


def make_static_endpoint() -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of the files in `static/`. They are read once."""
    folder = resources.files("crawler.web").joinpath("static")
    files = {each.name: each.read_bytes() for each in folder.iterdir()}

    async def send_static_file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in files:
            raise HTTPException(404)
        headers = {
            "cache-control": "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
        }
        return Response(files[name], media_type=STATIC_TYPES[f".{name.rpartition('.')[2]}"], headers=headers)

    return send_static_file
