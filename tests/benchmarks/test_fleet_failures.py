"""How the benchmark of the fleet lets workers fail, and what it measures of the runs that they had."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator

import pytest

from benchmarks.fleet import FleetFigures
from benchmarks.fleet_failures import DatabaseLink, WorkerProcess, list_processes
from benchmarks.fleet_recoveries import JobStep, LostRun, find_lost_runs, format_times


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of a database whose server sends back what it gets."""
    with tempfile.TemporaryDirectory(prefix="echo-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/.s.PGSQL.5432")
        listener.listen()

        def serve() -> None:
            try:
                while True:
                    client, _ = listener.accept()
                    with client:
                        while data := client.recv(100):
                            client.sendall(data)
            except OSError:
                pass  # closed

        threading.Thread(target=serve, daemon=True).start()
        yield f"postgresql://postgres:@/postgres?host={folder}"
        listener.shutdown(socket.SHUT_RDWR)


def connect(link: DatabaseLink) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(f"{link.url.partition('host=')[2]}/.s.PGSQL.5432")
    return client


def test_cut_link_passes_nothing_on_until_it_is_restored(echo: str) -> None:
    link = DatabaseLink(echo)
    with connect(link) as client:
        client.sendall(b"one")
        assert client.recv(100) == b"one"
        link.cut()
        client.sendall(b"two")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(100)
        client.settimeout(10)
        link.restore()
        assert client.recv(100) == b""
    with connect(link) as client:
        client.sendall(b"three")
        assert client.recv(100) == b"three"
    link.close()


def test_memory_ends_every_process_of_a_worker() -> None:
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert list_processes(process.pid) == [process.pid, child]
        WorkerProcess("worker", process).fail("memory")
        assert process.stdout.read() == b""  # the child has it too
    assert process.returncode == -9


def test_lost_runs_are_those_that_a_failed_worker_did_not_end() -> None:
    steps = [
        JobStep(1, "a", 1.0, "doing", 10),
        JobStep(2, "b", 1.5, "doing", 10),
        JobStep(2, "b", 2.1, "succeeded", 10),  # its end was on the way to the database
        JobStep(1, "a", 22.0, "todo", 10),
        JobStep(1, "a", 23.0, "doing", 11),
        JobStep(3, "c", 23.5, "doing", 12),
        JobStep(1, "a", 42.5, "todo", 11),
        JobStep(1, "a", 43.0, "doing", 12),
        JobStep(3, "c", 44.0, "failed", 12),
        JobStep(1, "a", 45.0, "succeeded", 12),
    ]
    first, second = find_lost_runs(steps, {10: 2.0, 11: 24.0})
    expected = LostRun(source="a", failed_at=2.0, given_back=20.0, taken=21.0, made=43.0, losses=2)
    assert (first, second) == (
        expected,
        LostRun(source="a", failed_at=24.0, given_back=18.5, taken=19.0, made=21.0),
    )
    assert str(first) == "a: given back after 20.0 s, taken after 21.0 s, made after 43.0 s; lost 2 times"
    assert format_times([first.made, second.made, None]) == "32.0, 43.0 of 2"
    assert format_times([]) == "-"


def test_a_run_that_is_given_up_is_no_recovery() -> None:
    steps = [JobStep(1, "a", 1.0, "doing", 10), JobStep(1, "a", 22.0, "failed", 10, is_lost=True)]
    (lost,) = find_lost_runs(steps, {10: 2.0})
    assert (lost.made, lost.given_up, lost.is_decided) == (None, 20.0, True)
    (undecided,) = find_lost_runs(steps[:1], {10: 2.0})
    assert FleetFigures(1, lost_runs=[lost]).is_good
    assert not FleetFigures(1, lost_runs=[undecided]).is_good
