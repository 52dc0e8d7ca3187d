"""The application: routes, error pages, and which thread answers.

A page waits for the store, so it runs in one of a few threads that live as long as the server: each keeps its own
connection to the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from crawler.errors import CrawlerError, StoreError
from crawler.web.errors import BadAddress, ForeignForm, PageMissing
from crawler.web.forms import FormValues, parse_form
from crawler.web.newsroom import Newsroom
from crawler.web.pages.actions import record_action, undo_action
from crawler.web.pages.article import download_archived, download_evidence, show_archived, show_article
from crawler.web.pages.messages import show_messages
from crawler.web.pages.runs import show_runs
from crawler.web.pages.sources import show_sources
from crawler.web.pages.story import show_story
from crawler.web.pages.today import show_today
from crawler.web.rendering import PageRenderer, Reader
from crawler.web.security import BodyTooLong, RequestGuard
from crawler.web.translations import mark_message

PAGE_THREADS = 4
STATIC_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
Page = Callable[[PageRenderer, Request], Response]
FormPage = Callable[[PageRenderer, Request, FormValues], Response]
log = logging.getLogger(__name__)

PAGES: Mapping[str, Page] = {
    "/": show_today,
    "/stories/{story_id:int}": show_story,
    "/articles/{article_id:path}": show_article,
    "/evidence/{article_id:path}": download_evidence,
    "/archive/{article_id:path}": show_archived,
    "/archive-file/{article_id:path}": download_archived,
    "/sources": show_sources,
    "/messages": show_messages,
    "/runs": show_runs,
}
ERROR_TITLES = {
    400: mark_message("This address does not work"),
    403: mark_message("This was not done"),
    404: mark_message("There is no such page"),
    405: mark_message("This was not done"),
    413: mark_message("This was not done"),
    500: mark_message("This page failed"),
    503: mark_message("The store cannot be read"),
}
"""The title of the page about an error, by HTTP status."""
ERROR_ADVICE = {
    400: mark_message("A part of it is not as a page of this server writes it."),
    403: mark_message("The form did not come from a page of this server. Open the page again."),
    404: mark_message("What the address names is not stored here, or was never stored."),
    405: mark_message("The address takes no such request."),
    413: mark_message("The form is too large."),
    500: mark_message("An error that nobody expected. The terminal of the server has its report."),
    503: mark_message("The database is gone, replaced or broken. The page works again once it is back."),
}


FORMS: Mapping[str, FormPage] = {"/actions": record_action, "/undo": undo_action}


def make_app(newsroom: Newsroom) -> Starlette:
    """Return the application over a newsroom."""
    site = PageRenderer(newsroom)
    pool = ThreadPoolExecutor(PAGE_THREADS, thread_name_prefix="page")
    routes = [
        Route(path, make_endpoint(site, page, pool), methods=["GET"], name=page.__name__)
        for path, page in PAGES.items()
    ]
    routes += [
        Route(path, make_form_endpoint(site, page, pool), methods=["POST"], name=page.__name__)
        for path, page in FORMS.items()
    ]
    routes.append(Route("/static/{name}", make_static_endpoint(), methods=["GET"]))

    async def handle_error(request: Request, error: Exception) -> Response:
        status, detail = classify_error(error)
        if status == 500:
            log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return await asyncio.get_running_loop().run_in_executor(pool, show_error, site, request, status, detail)

    app = Starlette(
        routes=routes,
        middleware=[Middleware(RequestGuard)],
        exception_handlers={HTTPException: handle_error, CrawlerError: handle_error, BodyTooLong: handle_error},
    )
    app.add_exception_handler(500, handle_error)
    return app


def make_endpoint(site: PageRenderer, page: Page, pool: ThreadPoolExecutor) -> Callable[..., Awaitable[Response]]:
    """Return the endpoint that answers by a page in one of the threads."""

    async def answer_request(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(pool, run_page, site, page, request)

    return answer_request


def make_form_endpoint(
    site: PageRenderer, page: FormPage, pool: ThreadPoolExecutor
) -> Callable[..., Awaitable[Response]]:
    """Return the endpoint that checks a form and answers it in one of the threads."""

    async def answer_form(request: Request) -> Response:
        form = parse_form(request.headers.get("content-type", ""), await request.body())
        site.forms.raise_if_forged(request, form)
        return await asyncio.get_running_loop().run_in_executor(pool, run_page, site, page, request, form)

    return answer_form


def run_page(site: PageRenderer, page: Callable[..., Response], request: Request, *more: FormValues) -> Response:
    """Return the answer of a page, from the store that is there now."""
    site.newsroom.store.raise_if_lost()
    return page(site, request, *more)


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


def classify_error(error: Exception) -> tuple[int, str]:
    """Return the HTTP status of an error, and what its page says beside the advice."""
    match error:
        case HTTPException():
            return error.status_code, ""
        case BodyTooLong():
            return 413, ""
        case BadAddress():
            return 400, ""
        case PageMissing():
            return 404, str(error)
        case ForeignForm():
            return 403, ""
        case StoreError():
            return 503, str(error)
    return 500, str(error) if isinstance(error, CrawlerError) else ""


def show_error(site: PageRenderer, request: Request, status: int, detail: str) -> Response:
    """Return the page about an error. It needs no store if the store is what failed."""
    reader = site.make_reader(request)
    if status < 500:
        try:
            return site.render(
                request, "error.html", status=status, reader=reader, **describe_error(reader, status), detail=detail
            )
        except StoreError as error:
            status, detail = 503, str(error)
    body = site.fill_template("broken.html", reader, **describe_error(reader, status), detail=detail)
    response = PlainTextResponse(body.encode("utf-8", "replace"), status, media_type="text/html")
    response.headers["cache-control"] = "no-store"
    return response


def describe_error(reader: Reader, status: int) -> dict[str, str]:
    """Return title and advice of the page about an error, in the reader's language."""
    known = status if status in ERROR_TITLES else 500
    return {"title": reader.translate(ERROR_TITLES[known]), "advice": reader.translate(ERROR_ADVICE[known])}
