"""A Python that has imported what commands need. It forks a process for each, which continues where `python -m` would.

Importing all of it takes longer than most commands do. Otherwise a fork is a process like any other, with arguments,
variables, folder and streams of its own, and the usual signals and exit codes. The fork server of a crawl is a fork
too, made before the command starts, so that it holds nothing of the command.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
CLOCK = "TEST_CLOCK_OFFSET"
FIRST_FREE_DESCRIPTOR = 500
MAX_MESSAGE_BYTES = 100_000


@dataclass(frozen=True)
class CommandResult:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def all_output(self) -> str:
        return self.out + self.err

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    def get_run(self, source: str) -> dict[str, Any]:
        """Return the `run` line of a source in the output of `crawl --json`."""
        return next(line for line in self.lines if line["type"] == "run" and line["source"] == source)


class WarmPython:
    """The parent of the forks. It ends when this object's process ends."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folders = [*([ROOT / "tests/support/clock"] if CLOCK in os.environ else []), ROOT, ROOT / "tests"]
        environment = {
            CLOCK: os.environ.get(CLOCK, "0"),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PYTHONPATH": ":".join(map(str, folders)),
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.close)

    def run(
        self,
        target: str,
        words: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        timeout: float = 200,
        given: str = "",
    ) -> CommandResult:
        """Call `target`, a `module:function`, in a fork with `sys.argv` = `words` and `given` as its input.

        Raise `subprocess.TimeoutExpired` after `timeout` seconds, when the process is killed.
        """
        asked = {"target": target, "words": list(words), "environment": dict(environment), "folder": str(folder)}
        ours, theirs = socket.socketpair()
        with ours, TemporaryFile() as request, TemporaryFile() as stdin, TemporaryFile() as out, TemporaryFile() as err:
            for file, text in ((request, json.dumps(asked)), (stdin, given)):
                file.write(text.encode())
                file.seek(0)
            with theirs:
                files = (request, stdin, out, err, theirs)
                socket.send_fds(self._control, [b"run"], [file.fileno() for file in files])
            ours.settimeout(timeout)
            with ours.makefile() as answers:
                pid = int(answers.readline())
                try:
                    code = int(answers.readline())
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(list(words), timeout) from None
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        return CommandResult(code, *texts)

    def close(self) -> None:
        """End the parent of the forks."""
        self._control.close()
        self._process.wait()


@cache
def get_warm_python() -> WarmPython:
    """Return the one of this process. It is started when it is first needed."""
    return WarmPython()


def import_modules() -> None:
    """Import what commands import. None of it starts a thread or a reactor, which a fork would not have."""
    import crawler.cli.app
    import crawler.cli.commands
    import crawler.service.preload

    for path in sorted(Path(crawler.cli.commands.__path__[0]).glob("*.py")):
        __import__(f"crawler.cli.commands.{path.stem}")
    assert "twisted.internet.reactor" not in sys.modules


def serve_forks(control: socket.socket) -> None:
    """Fork for each message, and answer with the process id and, later, the exit code. Return when `control` closes."""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is control:
                    message, received, *_ = socket.recv_fds(control, 16, 5)
                    if not message:
                        return
                    pid = os.fork()
                    if not pid:
                        run_command(received)
                    *files, answer = received
                    for file in files:
                        os.close(file)
                    reply = socket.socket(fileno=answer)
                    send_line(reply, pid)
                    selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, reply))
                else:
                    pid, reply = key.data
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    send_line(reply, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                    reply.close()


def send_line(reply: socket.socket, number: int) -> None:
    """Send a number. Whoever waited for it may be gone."""
    with suppress(OSError):
        reply.sendall(f"{number}\n".encode())


def run_command(received: list[int]) -> NoReturn:
    """Become the process of one command: read the request, call the target, and end as Python would."""
    code = 1
    try:
        for number, descriptor in enumerate(received[1:4]):
            os.dup2(descriptor, number)
        with os.fdopen(os.dup(received[0])) as request:
            asked = json.load(request)
        os.closerange(3, FIRST_FREE_DESCRIPTOR)
        set_environment(asked["environment"], asked["folder"])
        replace_fork_server(start_server_to_be())
        sys.argv = asked["words"]
        code = call_target(asked["target"])
    except BaseException:  # noqa: BLE001 - a test reads it as the errors of the command
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def set_environment(variables: Mapping[str, str], folder: str) -> None:
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    os.chdir(folder)


def call_target(target: str) -> int:
    """Call `module:function` and return the exit code that Python would end with."""
    from pkgutil import resolve_name

    try:
        resolve_name(target)()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - Python prints every exception too
        traceback.print_exc()
        return 1
    return 0


def start_server_to_be() -> tuple[int, socket.socket]:
    """Fork the process that is to be the fork server if the command starts one. It ends with the command."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        theirs.close()
        return pid, ours
    try:
        ours.close()
        message, received, *_ = socket.recv_fds(theirs, MAX_MESSAGE_BYTES, 16)
        if message:
            theirs.close()
            become_fork_server(json.loads(message), received)
    finally:
        os._exit(0)


def become_fork_server(asked: dict[str, Any], received: list[int]) -> None:
    """Run the code of a fork server with its files at the numbers that the code names."""
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, FIRST_FREE_DESCRIPTOR) for descriptor in received]
    os.closerange(3, FIRST_FREE_DESCRIPTOR)
    for descriptor, number in zip(moved, asked["numbers"], strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    set_environment(asked["environment"], asked["folder"])
    signal.pthread_sigmask(signal.SIG_SETMASK, asked["blocked"])
    sys.argv = ["-c"]
    try:
        exec(asked["code"], {"__name__": "__main__"})
    except Exception:  # noqa: BLE001 - Python prints every exception too
        traceback.print_exc()


def replace_fork_server(server: tuple[int, socket.socket]) -> None:
    """Let this process get its first fork server from `start_server_to_be` instead of from a new Python."""
    from multiprocessing import util

    start_python, servers = util.spawnv_passfds, [server]

    def start_process(path: bytes, args: list[str], passfds: list[int]) -> int:
        if "multiprocessing.forkserver" not in args[-1] or not servers:
            return start_python(path, args, passfds)  # type: ignore[no-any-return]
        pid, connection = servers.pop()
        asked = {
            "code": args[-1],
            "numbers": list(passfds),
            "environment": dict(os.environ),
            "folder": str(Path.cwd()),
            "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        }
        with connection:
            socket.send_fds(connection, [json.dumps(asked).encode()], list(passfds))
        return pid

    util.spawnv_passfds = start_process


if __name__ == "__main__":
    import_modules()
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        serve_forks(connection)
