"""What happens to a worker of a fleet: killed, cut off from the database, out of memory, or frozen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any
from urllib.parse import parse_qs, urlsplit

FAILURES = ("kill", "cut", "memory")
LOST_PEER_SECONDS = 30.0
"""Time after which a client's TCP gives a peer up that acknowledges nothing (`tcp_user_timeout`)."""


@dataclass
class DatabaseLink:
    """The way of one worker to the database's socket, which `cut` interrupts. `url` replaces the database's address.

    As in a network that loses every packet, nobody is told: bytes are no longer passed on, new connections get no
    answer, and after `LOST_PEER_SECONDS` the old ones are closed, as the worker's own TCP would do.
    """

    database_url: str
    is_cut: bool = False
    _connections: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen."""
        (folder,) = parse_qs(urlsplit(self.database_url).query)["host"]
        self._target = f"{folder}/.s.PGSQL.5432"
        self._folder = tempfile.TemporaryDirectory(prefix="fleet-link-")
        self.url = self.database_url.replace(f"host={folder}", f"host={self._folder.name}")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self._folder.name}/.s.PGSQL.5432")
        Path(self._folder.name).chmod(0o755)
        self._listener.listen(64)
        threading.Thread(target=self._accept_connections, daemon=True).start()

    def cut(self) -> None:
        """Pass nothing on any more."""
        self.is_cut = True
        timer = threading.Timer(LOST_PEER_SECONDS, self._close_connections)
        timer.daemon = True
        timer.start()

    def restore(self) -> None:
        """Pass on what comes from now on. Connections of before are closed."""
        self._close_connections()
        self.is_cut = False

    def close(self) -> None:
        """Close everything."""
        self._listener.close()
        self._close_connections()
        self._folder.cleanup()

    def _close_connections(self) -> None:
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def _accept_connections(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        self._connections.append(client)
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(self._target)
            while True:
                for source in select([client, server], [], [])[0]:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    if not self.is_cut:
                        (server if source is client else client).sendall(data)


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A worker of a fleet. `name` is in the User-Agent of its requests. Only one with a `link` can be cut off."""

    name: str
    process: subprocess.Popen[Any]
    link: DatabaseLink | None = None

    def fail(self, failure: str) -> None:
        """Let one of FAILURES happen, or `freeze`."""
        match failure:
            case "kill":
                self.process.kill()
                self.process.wait()
            case "cut":
                assert self.link is not None
                self.link.cut()
            case "memory":
                # What the kernel does to a container at its limit (memory.oom.group).
                for pid in list_processes(self.process.pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self.process.wait()
            case "freeze":
                self.process.send_signal(signal.SIGSTOP)


def list_processes(pid: int) -> list[int]:
    """Return a process and all below it: those that share the memory of a container."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found
