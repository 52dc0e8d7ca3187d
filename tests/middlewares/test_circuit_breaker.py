"""When a host is given up. The test sets the clock."""

from __future__ import annotations

from crawler.middlewares.circuit_breaker import CircuitBreaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_without_any_answer_one_clock_runs_for_all_hosts() -> None:
    clock = Clock()
    reach = CircuitBreaker(20, clock)
    assert reach.get_seconds_left("a") == 20
    clock.now += 15
    assert reach.get_seconds_left("b") == 5
    reach.record_failure("a", "a is dead")
    assert reach.get_open_reason("a") is None
    clock.now += 5
    assert reach.get_open_reason("a") == "a is dead"
    assert reach.get_open_reason("b") == "a is dead"
    assert reach.get_open_reason("c") == "a is dead"


def test_once_a_host_has_answered_each_other_has_its_own_clock() -> None:
    clock = Clock()
    reach = CircuitBreaker(20, clock)
    reach.get_seconds_left("a")
    reach.record_answer("a")
    clock.now += 30
    assert reach.get_seconds_left("a") is None
    assert reach.get_seconds_left("b") == 20
    assert reach.get_open_reason("a") is None


def test_a_host_given_up_stays_so() -> None:
    reach = CircuitBreaker(20, Clock())
    reach.record_failure("a", "a is dead")
    reach.open_circuit("a")
    assert reach.get_open_reason("a") == "a is dead"
    assert reach.get_open_reason("b") is None


def test_a_host_that_answered_is_failing_only_after_long_silence() -> None:
    clock = Clock()
    reach = CircuitBreaker(20, clock)
    reach.record_answer("a")
    reach.record_failure("a", "gone")
    clock.now += 19
    assert not reach.is_failing("a")
    clock.now += 1
    assert reach.is_failing("a")
    reach.record_answer("a")
    assert not reach.is_failing("a")
