"""Which process a run belongs to, and whether that process is gone."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NamedTuple


class ProcessIdentity(NamedTuple):
    """A process: its host's name, its number there, and its birth, since numbers are given out again.

    `born` holds the boot's id, the namespace in which the number counts (each container has its own) and the clock
    tick the process started at; None where the system does not tell.
    """

    host: str
    pid: int
    start_mark: str | None


def get_current_process() -> ProcessIdentity:
    """The process that asks."""
    return ProcessIdentity(socket.gethostname(), os.getpid(), read_start_mark(os.getpid()))


def is_observable(process: ProcessIdentity) -> bool:
    """Whether this process can tell for certain if that one lives: same host, same boot, same container."""
    mine = read_start_mark(os.getpid())
    if mine is None or process.start_mark is None or process.host != socket.gethostname():
        return False
    return _parse_location(process.start_mark) == _parse_location(mine)


def has_ended(process: ProcessIdentity) -> bool:
    """Whether a process of this host has surely ended. One on another host, or hard to tell, counts as alive."""
    if process.host != socket.gethostname() or os.name != "posix" or _is_in_other_container(process):
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it exists and is another user's: perhaps ours, perhaps a later one with its number
    now = read_start_mark(process.pid)
    return process.start_mark is not None and now is not None and now != process.start_mark


def _is_in_other_container(process: ProcessIdentity) -> bool:
    """Whether it ran in another container of this machine, under the same host name: its number says nothing here."""
    mine = read_start_mark(os.getpid())
    if mine is None or process.start_mark is None:
        return False
    (boot, *space), (my_boot, *my_space) = _parse_location(process.start_mark), _parse_location(mine)
    return boot == my_boot and bool(space) and space != my_space


def _parse_location(born: str) -> list[str]:
    """Boot and namespace; only the boot in rows of former versions."""
    return born.split(":")[:-1]


def read_start_mark(pid: int) -> str | None:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = "".join(filter(str.isdecimal, str(Path("/proc/self/ns/pid").readlink())))
        # The second field is the program's name in brackets and may hold blanks and brackets itself.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    ended = fields[0] in "ZX"  # Z: ended, only its parent has not looked yet
    return f"{boot}:{space}:{'ended' if ended else fields[19]}"
