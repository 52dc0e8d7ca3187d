"""Errors of the API as problem details (RFC 9457): every answer that is no success has this form."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crawler.errors import CrawlerError, StoreError
from crawler.web.errors import BadAddress, ForeignForm, PageMissing, RoleMissing, SignInNeeded, TooManyClients
from crawler.web.security import BodyTooLong

PROBLEM_TYPE = "application/problem+json"
MAX_LISTED_ERRORS = 20
DETAILS = {
    401: "Nobody who is known sends this request. Add a valid key: `Authorization: Bearer KEY`.",
    403: "The role or the key of this request does not allow it.",
    404: "What the address names is not stored here.",
    405: "The address takes no such request.",
    413: "The request is too large.",
    500: "An error that nobody expected. The log of the server has its report.",
}
log = logging.getLogger(__name__)


class ParameterError(BaseModel):
    """One part of a request that cannot be used."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    place: str
    """Where it is: `query`, `path`, `body` or `header`, then the names that lead to it, joined by dots."""
    detail: str
    """What is wrong with it."""


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457). `type` is always `about:blank`: the status says what kind of problem it is."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str = "about:blank"
    title: str
    """The name of the status."""
    status: int
    detail: str
    """What failed and what to do, for a person."""
    errors: list[ParameterError] = []
    """The parts of the request that cannot be used, at most 20."""


def make_problem(
    status: int, detail: str = "", errors: list[ParameterError] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer with problem details."""
    title = HTTPStatus(status).phrase
    problem = ProblemDetails(
        title=title, status=status, detail=detail or DETAILS.get(status, title), errors=errors or []
    )
    own = {"cache-control": "no-store"}
    if status == 401:
        own["www-authenticate"] = "Bearer"
    return Response(problem.model_dump_json(), status, {**own, **(headers or {})}, media_type=PROBLEM_TYPE)


async def answer_error(request: Request, error: Exception) -> Response:
    """Return the answer to a request that failed."""
    match error:
        case RequestValidationError():
            errors = [_make_parameter_error(each) for each in error.errors()[:MAX_LISTED_ERRORS]]
            return make_problem(422, "A part of the request cannot be used.", errors)
        case BodyTooLong() | HTTPException(__cause__=BodyTooLong()):
            return make_problem(413)
        case HTTPException(status_code=400):  # FastAPI's answer to a body that is no UTF-8
            return make_problem(422, "The body cannot be read.")
        case HTTPException():
            return make_problem(error.status_code, headers=error.headers)
        case BadAddress():
            return make_problem(422, str(error))
        case PageMissing():
            return make_problem(404, str(error))
        case SignInNeeded():
            return make_problem(401, str(error))
        case RoleMissing():
            return make_problem(403, str(error))
        case ForeignForm():
            return make_problem(403, "Without a key, only a page of this server may send this request.")
        case TooManyClients():
            return make_problem(503, str(error), headers={"retry-after": "30"})
        case StoreError():
            return make_problem(503, str(error))
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return make_problem(500, str(error) if isinstance(error, CrawlerError) else "")


def _make_parameter_error(found: Mapping[str, Any]) -> ParameterError:
    return ParameterError(place=".".join(map(str, found["loc"])), detail=str(found["msg"]))
