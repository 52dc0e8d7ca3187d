"""The pages about errors: which status an error has, and what its page says."""

from __future__ import annotations

from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from crawler.errors import CrawlerError, FileChanged, StoreError, UsageError
from crawler.web.access import AccessControl
from crawler.web.errors import BadAddress, ForeignForm, PageMissing, RoleMissing, SignInNeeded
from crawler.web.forms import SESSION_COOKIE, find_cookie
from crawler.web.oidc import SIGN_IN_PATH
from crawler.web.rendering import PageRenderer, format_path, make_address
from crawler.web.security import BodyTooLong
from crawler.web.translations import mark_message

ERROR_TITLES = {
    400: mark_message("This address does not work"),
    401: mark_message("You are not signed in"),
    403: mark_message("This was not done"),
    404: mark_message("There is no such page"),
    405: mark_message("This was not done"),
    409: mark_message("This was not done"),
    413: mark_message("This was not done"),
    422: mark_message("This was not done"),
    500: mark_message("This page failed"),
    503: mark_message("The store cannot be read"),
}
"""The title of the page about an error, by HTTP status."""
ERROR_ADVICE = {
    400: mark_message("A part of it is not as a page of this server writes it."),
    401: mark_message("Nobody has signed in here, or the session has ended. Nothing was changed."),
    403: mark_message("The form did not come from a page of this server. Open the page again."),
    404: mark_message("What the address names is not stored here, or was never stored."),
    405: mark_message("The address takes no such request."),
    409: mark_message("Somebody changed the file meanwhile. Go back, load the page again, and repeat the change."),
    422: mark_message("Nothing was written. Go back, and correct what the sentence below names."),
    413: mark_message(
        "The form is too large. Go back: what you wrote is still there. Make it shorter, or choose a shorter period."
    ),
    500: mark_message("An error that nobody expected. The terminal of the server has its report."),
    503: mark_message("The database is gone, replaced or broken. The page works again once it is back."),
}
NOT_STORED = {"cache-control": "no-store"}
ROLE_ADVICE = mark_message("Your role does not allow this. Ask an owner of this newsroom.")


class ShownError(NamedTuple):
    """What the page about an error shows: title and advice are message ids, the detail is in English."""

    status: int
    title: str
    advice: str
    detail: str = ""


def make_shown_error(status: int, detail: str = "") -> ShownError:
    """Return what the page about an HTTP status shows."""
    known = status if status in ERROR_TITLES else 500
    return ShownError(status, ERROR_TITLES[known], ERROR_ADVICE[known], detail)


def classify_error(error: Exception) -> ShownError:
    """Return what the page about an error shows."""
    match error:
        case HTTPException():
            return make_shown_error(error.status_code)
        case BodyTooLong():
            return make_shown_error(413)
        case BadAddress():
            return make_shown_error(400)
        case SignInNeeded():
            return make_shown_error(401)
        case RoleMissing():
            return make_shown_error(403, str(error))._replace(advice=ROLE_ADVICE)
        case ForeignForm():
            return make_shown_error(403)
        case PageMissing():
            return make_shown_error(404, str(error))
        case StoreError():
            return make_shown_error(503, str(error))
        case FileChanged():
            return make_shown_error(409, str(error))
        case UsageError():
            return make_shown_error(422, str(error))
    return make_shown_error(500, str(error) if isinstance(error, CrawlerError) else "")


def show_error(
    site: PageRenderer, request: Request, shown: ShownError, control: AccessControl, note: str = ""
) -> Response:
    """Return the page about an error. It needs no store if the store is what failed. `note` is one that was refused.

    The frame of the page shows the state of sources, so it is only for who may see pages: no guest, no key, no feed
    reader.
    """
    if shown.status == 401 and request.method in ("GET", "HEAD"):
        address = format_path(request) + (f"?{request.url.query}" if request.url.query else "")
        ended = "1" if find_cookie(request, SESSION_COOKIE) else None
        return RedirectResponse(make_address(SIGN_IN_PATH, {"next": address, "ended": ended}), 303, NOT_STORED)
    try:
        principal = control.identify(request)
        if shown.status < 500 and principal is not None and principal.is_ambient:
            reader = site.make_reader(request)
            values = {"title": reader.translate(shown.title), "advice": reader.translate(shown.advice)}
            values |= {"detail": shown.detail, "note": note}
            return site.render(request, "error.html", status=shown.status, reader=reader, **values)
    except StoreError as error:
        shown = make_shown_error(503, str(error))
    reader = site.make_reader(request)
    body = site.fill_template(
        "broken.html",
        reader,
        title=reader.translate(shown.title),
        advice=reader.translate(shown.advice),
        detail=shown.detail if reader.principal else "",
        note=note,
        needs_sign_in=shown.status == 401,
    )
    response = PlainTextResponse(body.encode("utf-8", "replace"), shown.status, media_type="text/html")
    response.headers.update(NOT_STORED)
    return response
