"""How the benchmark of the fleet lets workers fail, and what it measures of it."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator

import pytest

from benchmarks.fleet import FleetFigures
from benchmarks.fleet_failures import DatabaseLink, FailedWorker, WorkerProcess, find_recovery_times, list_processes
from benchmarks.fleet_sites import FleetSites, FleetSource


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


def test_recovery_is_the_time_to_the_request_of_another_worker() -> None:
    sites = FleetSites([FleetSource("a", "127.0.0.1"), FleetSource("b", "127.0.0.1")])
    sites.feed_requests = [(1.0, "a", "first"), (3.0, "a", "first"), (5.0, "b", "second"), (9.5, "a", "second")]
    failed = [FailedWorker("first", 2.0, ("a", "b")), FailedWorker("second", 9.6, ("a",))]
    times = find_recovery_times(failed, sites)
    assert times == [7.5, 3.0, None]
    figures = FleetFigures(1, recovery=times)
    assert (figures.format_recovery(), figures.is_good) == ("5.2, 7.5 of 3", False)
    assert FleetFigures(1).format_recovery() == "-"
