"""The API: its routes together, and its OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crawler.errors import CrawlerError
from crawler.roles import Role
from crawler.web.access import GuardedRoute, needs_role
from crawler.web.answer_threads import AnswerThreads
from crawler.web.api import actions, articles, events, messages, search, sources, stories
from crawler.web.api.event_feed import EventFeed
from crawler.web.api.models import LiveArticle, LiveSource
from crawler.web.api.problems import PROBLEM_TYPE, ParameterError, ProblemDetails, answer_error
from crawler.web.api.routing import make_json_answer
from crawler.web.newsroom import Newsroom
from crawler.web.security import BodyTooLong

API_PATH = "/api/v1"
ROUTERS = (articles, stories, search, sources, messages, actions, events)
DESCRIPTION = (
    "What the newsroom knows, for other programs. Texts are within the rights of each source, as in all that leaves "
    "this machine. Times are in UTC. Every error has the form of RFC 9457."
)
ERRORS = {
    401: "No valid key.",
    403: "The role or the key does not allow it.",
    404: "It is not stored.",
    413: "The request is too large.",
    422: "A part of the request cannot be used; `errors` names it.",
    503: "The store cannot be read now, or too many clients listen.",
}


def make_api(newsroom: Newsroom, threads: AnswerThreads) -> FastAPI:
    """Return the API over a newsroom. Mount it at `API_PATH`, under the access control of the pages."""
    api = FastAPI(
        title="The newsroom",
        version="1",
        description=DESCRIPTION,
        servers=[{"url": API_PATH}],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    api.state.newsroom, api.state.threads = newsroom, threads
    api.state.event_feed = EventFeed(newsroom.store, threads)
    for module in ROUTERS:
        # Not by `include_router`: it would hide the routes from the table of roles.
        api.router.routes.extend(module.router.routes)
    for kind in (HTTPException, RequestValidationError, CrawlerError, BodyTooLong, Exception):
        api.add_exception_handler(kind, answer_error)
    api.router.routes.append(_make_document_route(api))
    return api


def get_document(api: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, which is made at its first use."""
    if not hasattr(api.state, "document"):
        api.state.document = _make_document(api)
    found: dict[str, Any] = api.state.document
    return found


def _make_document(api: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the errors that every route may answer."""
    document: dict[str, Any] = api.openapi()
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for model in (ProblemDetails, ParameterError, LiveArticle, LiveSource):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}, {}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_common_answers(operation, method, has_names="{" in path or method == "post")
    return document


def _add_common_answers(operation: dict[str, Any], method: str, *, has_names: bool) -> None:
    answers = operation["responses"]
    reference = {"$ref": "#/components/schemas/ProblemDetails"}
    for status, description in ERRORS.items():
        if status != 404 or has_names:
            answers[str(status)] = {"description": description, "content": {PROBLEM_TYPE: {"schema": reference}}}
    if method != "get" or "text/event-stream" in answers["200"]["content"]:
        return
    answers["200"]["headers"] = {"ETag": {"description": "For `If-None-Match`.", "schema": {"type": "string"}}}
    answers["304"] = {"description": "The client has this answer already."}


def _make_document_route(api: FastAPI) -> GuardedRoute:
    @needs_role(Role.READER)
    async def send_document(request: Request) -> Response:
        return make_json_answer(request, json.dumps(get_document(api), ensure_ascii=False).encode())

    return GuardedRoute("/openapi.json", send_document, methods=["GET"])
