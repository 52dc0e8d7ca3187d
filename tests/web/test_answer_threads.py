"""Quick answers are made in one thread, and none waits for a slow one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from crawler.web import answer_threads
from crawler.web.answer_threads import AnswerThreads


@pytest.fixture
def threads() -> Iterator[AnswerThreads]:
    with closing(AnswerThreads(3, "answer")) as found:
        yield found


def get_thread_name() -> str:
    return threading.current_thread().name


def test_quick_answers_share_a_thread(threads: AnswerThreads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_threads, "PATIENCE_SECONDS", 10.0)

    async def ask() -> list[str]:
        return await asyncio.gather(*(threads.run(get_thread_name) for _ in range(20)))

    assert set(asyncio.run(ask())) == {"answer_0"}


def test_no_answer_waits_for_a_slow_one(threads: AnswerThreads) -> None:
    may_end = threading.Event()

    async def ask() -> tuple[str, bool]:
        slow = asyncio.create_task(threads.run(may_end.wait, 10))
        await asyncio.sleep(0)
        beside = await threads.run(get_thread_name)
        was_done = slow.done()
        may_end.set()
        assert await slow
        return beside, was_done

    assert asyncio.run(ask()) == ("answer-beside_0", False)


def test_error_reaches_who_asked(threads: AnswerThreads) -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(threads.run(divmod, 1, 0))
