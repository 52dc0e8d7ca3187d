"""Answers of the last second, so that a page that many programs or a restless reader ask for is made once.

An answer is remembered for one browser or key alone, because its key has the cookies and who sends the request: nobody
gets the answer of another one. Every write of this server forgets all of them. What another process stores is seen a
second later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crawler.web.access import find_principal
from crawler.web.conditional import has_entity_tag

REMEMBERED_SECONDS = 1.0
MAX_ANSWERS = 100
MAX_ANSWER_BYTES = 256 * 1024


class AnswerCache:
    """The answers of one server. Any thread may use it."""

    def __init__(self, seconds: float = REMEMBERED_SECONDS) -> None:
        self.seconds = seconds
        self._answers: dict[Hashable, tuple[float, Response]] = {}

    def __len__(self) -> int:
        """Return how many answers there are, also outdated ones."""
        return len(self._answers)

    def get_or_make(self, request: Request, make: Callable[[], Response]) -> Response:
        """Return the answer to a GET request, as it was at most `seconds` ago."""
        key = _make_key(request)
        known = self._answers.get(key)
        if known is not None and known[0] > time.monotonic():
            return _make_copy(request, known[1])
        answer = make()
        if self.seconds and _can_be_remembered(answer):
            if len(self._answers) >= MAX_ANSWERS:
                self._answers.clear()
            self._answers[key] = (time.monotonic() + self.seconds, answer)
        return answer

    def clear(self) -> None:
        """Forget all answers, because this server wrote something."""
        self._answers.clear()


def _make_key(request: Request) -> Hashable:
    headers, principal = request.headers, find_principal(request)
    sender = (principal.name, principal.role, principal.sign_in) if principal else None
    return request.url.path, request.url.query, headers.get("accept-language"), headers.get("cookie"), sender


def _can_be_remembered(answer: Response) -> bool:
    is_plain = answer.status_code == 200 and "set-cookie" not in answer.headers
    return is_plain and not isinstance(answer, StreamingResponse) and len(answer.body) <= MAX_ANSWER_BYTES


def _make_copy(request: Request, answer: Response) -> Response:
    """Return the answer again, or 304 if the client has it already."""
    tag = answer.headers.get("etag")
    is_known = tag is not None and has_entity_tag(request, tag)
    copy = Response(b"" if is_known else answer.body, 304 if is_known else 200)
    copy.raw_headers = [
        (name, value)
        for name, value in answer.raw_headers
        if not (is_known and name in (b"content-length", b"content-type"))
    ]
    return copy
