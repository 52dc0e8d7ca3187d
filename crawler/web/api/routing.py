"""How a route answers: in one of the page threads, as JSON with an ETag, and only to whom its role allows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from crawler.roles import Role
from crawler.web.access import GuardedRoute, KeyScope, Principal, RouteAccess, declare_access, get_principal
from crawler.web.answer_threads import AnswerThreads
from crawler.web.conditional import has_entity_tag, make_entity_tag
from crawler.web.newsroom import Newsroom

Endpoint = Callable[..., BaseModel | Response]
ANSWER_HEADERS = {"cache-control": "private, no-cache", "vary": "Authorization, Cookie"}


class ApiRoute(GuardedRoute, APIRoute):
    """A route of the API that asks for the role of its endpoint."""


@dataclass(frozen=True, slots=True)
class ApiContext:
    """What an endpoint needs to know of its request."""

    request: Request
    newsroom: Newsroom
    threads: AnswerThreads

    @property
    def principal(self) -> Principal:
        """Who sends the request."""
        return get_principal(self.request)


async def make_context(request: Request) -> ApiContext:
    """Return the context of a request."""
    return ApiContext(request, request.app.state.newsroom, request.app.state.threads)


Context = Annotated[ApiContext, Depends(make_context)]


def make_router(*tags: str) -> APIRouter:
    """Return a router whose routes ask for a role."""
    return APIRouter(
        route_class=ApiRoute,
        tags=list(tags),
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
    )


def answer_in_thread(
    role: Role, scope: KeyScope | None = None
) -> Callable[[Endpoint], Callable[..., Awaitable[Response]]]:
    """Return a decorator: the function answers in a page thread, to those with a role. It has a parameter `context`."""

    def decorate(endpoint: Endpoint) -> Callable[..., Awaitable[Response]]:
        @wraps(endpoint)
        async def answer(**values: Any) -> Response:
            context: ApiContext = values["context"]
            work = partial(_make_answer, endpoint, values)
            return await context.threads.run(work)

        return declare_access(RouteAccess(role, scope))(answer)

    return decorate


def _make_answer(endpoint: Endpoint, values: dict[str, Any]) -> Response:
    """Return the answer of an endpoint, from the store that is there now."""
    context: ApiContext = values["context"]
    context.newsroom.store.raise_if_lost()
    context.newsroom.reload_if_changed()

    def make_answer() -> Response:
        found = endpoint(**values)
        if isinstance(found, Response):
            return found
        return make_json_answer(context.request, found.model_dump_json().encode())

    answers = context.newsroom.answers
    if context.request.method == "GET":
        return answers.get_or_make(context.request, make_answer)
    try:
        return make_answer()
    finally:
        answers.clear()


def make_json_answer(request: Request, body: bytes) -> Response:
    """Return JSON as an answer, or 304 if the client has it already."""
    tag = make_entity_tag(body)
    headers = {**ANSWER_HEADERS, "etag": tag}
    if has_entity_tag(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
