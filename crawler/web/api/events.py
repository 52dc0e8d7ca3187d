"""The route of live events: server-sent events, as `EventSource` in a browser and `curl -N` read them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header
from starlette.responses import Response, StreamingResponse

from crawler.roles import Role
from crawler.web.access import end_with_session, needs_role
from crawler.web.api.event_feed import EventFeed
from crawler.web.api.parameters import Name
from crawler.web.api.routing import Context, make_router

router = make_router("events")
STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""nginx would hold the events back."""


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
@needs_role(Role.READER)
async def stream_events(
    context: Context,
    last_event_id: Annotated[Name | None, Header(description="The id of the last event that the client has.")] = None,
) -> Response:
    """Send what happens from now on, or since the last event that a client has.

    The events are `article` (a rule found something in a new article; data: `LiveArticle`), `revision` (a matched
    article was revised, taken down or came back; `LiveArticle`) and `source` (a run has ended; `LiveSource`). A comment
    comes at least every 15 s. A client that comes back with `Last-Event-ID` misses nothing.
    """
    feed: EventFeed = context.request.app.state.event_feed
    stream = end_with_session(await feed.open_stream(last_event_id, context.principal.name), context.request)
    return StreamingResponse(stream, headers=STREAM_HEADERS, media_type="text/event-stream")
