"""Which process a run belongs to, and whether that process has ended."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NamedTuple


class ProcessIdentity(NamedTuple):
    """A process: host name, process id, and a mark of its start, because systems use process ids again.

    `start_mark` has the boot's id, the namespace of the process id (each container has its own) and the clock tick at
    which the process started. It is None if the system does not say.
    """

    host: str
    pid: int
    start_mark: str | None


def get_current_process() -> ProcessIdentity:
    """Return the identity of this process."""
    return ProcessIdentity(socket.gethostname(), os.getpid(), read_start_mark(os.getpid()))


def is_observable(process: ProcessIdentity) -> bool:
    """Return whether this process can see for certain if that one lives: same host, same boot, same container."""
    own_mark = read_start_mark(os.getpid())
    if own_mark is None or process.start_mark is None or process.host != socket.gethostname():
        return False
    return _parse_location(process.start_mark) == _parse_location(own_mark)


def has_ended(process: ProcessIdentity) -> bool:
    """Return whether a process of this host has certainly ended. In doubt, and on another host, it counts as alive."""
    if process.host != socket.gethostname() or os.name != "posix" or _is_in_other_container(process):
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it exists and belongs to another user: it may be ours, or a later one with the same id
    current_mark = read_start_mark(process.pid)
    return process.start_mark is not None and current_mark is not None and current_mark != process.start_mark


def _is_in_other_container(process: ProcessIdentity) -> bool:
    """Return whether it ran in another container of this machine under the same host name: its id says nothing here."""
    own_mark = read_start_mark(os.getpid())
    if own_mark is None or process.start_mark is None:
        return False
    (boot, *space), (own_boot, *own_space) = _parse_location(process.start_mark), _parse_location(own_mark)
    return boot == own_boot and bool(space) and space != own_space


def _parse_location(start_mark: str) -> list[str]:
    """Return boot and namespace; only the boot for rows of former versions."""
    return start_mark.split(":")[:-1]


def read_start_mark(pid: int) -> str | None:
    """Return the mark of a process of this host, or None if the system does not say. A zombie's mark says `ended`."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = "".join(filter(str.isdecimal, str(Path("/proc/self/ns/pid").readlink())))
        # The second field is the program's name in parentheses. It may contain spaces and parentheses itself.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    is_zombie = fields[0] in "ZX"
    return f"{boot}:{space}:{'ended' if is_zombie else fields[19]}"
