"""When a host is given up, on a clock that the test moves."""

from __future__ import annotations

from crawler.middlewares.reach import Reach


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_without_any_answer_one_clock_runs_for_all_hosts() -> None:
    clock = Clock()
    reach = Reach(20, clock)
    assert reach.seconds_left("a") == 20
    clock.now += 15
    assert reach.seconds_left("b") == 5
    reach.failure("a", "a is dead")
    assert reach.lost("a") is None
    clock.now += 5
    assert reach.lost("a") == "a is dead"
    assert reach.lost("b") == "a is dead"
    assert reach.lost("c") == "a is dead"


def test_once_a_host_has_answered_each_other_has_its_own_clock() -> None:
    clock = Clock()
    reach = Reach(20, clock)
    reach.seconds_left("a")
    reach.answer("a")
    clock.now += 30
    assert reach.seconds_left("a") is None
    assert reach.seconds_left("b") == 20
    assert reach.lost("a") is None


def test_a_host_given_up_stays_so() -> None:
    reach = Reach(20, Clock())
    reach.failure("a", "a is dead")
    reach.give_up("a")
    assert reach.lost("a") == "a is dead"
    assert reach.lost("b") is None


def test_a_host_that_answered_is_failing_only_after_long_silence() -> None:
    clock = Clock()
    reach = Reach(20, clock)
    reach.answer("a")
    reach.failure("a", "gone")
    clock.now += 19
    assert not reach.is_failing("a")
    clock.now += 1
    assert reach.is_failing("a")
    reach.answer("a")
    assert not reach.is_failing("a")
