"""End a command at Ctrl-C or SIGTERM without a traceback, also while modules are imported."""

from __future__ import annotations

import os
import signal
from types import FrameType

IMPORT_MACHINERY = "<frozen importlib._bootstrap>"


class CommandStopped(BaseException):
    """Ctrl-C or SIGTERM ends the command, with this exit code."""

    def __init__(self, exit_code: int) -> None:
        """Set the exit code."""
        super().__init__(exit_code)
        self.exit_code = exit_code


def handle_stop_signals(exit_code: int | None = None, farewell: str = "") -> None:
    """Raise CommandStopped at Ctrl-C or SIGTERM, unless the process ignores the signal (as with `nohup`).

    While a module is imported, print the farewell and exit: an exception there may become another one (`__set_name__`
    of a class) or be dropped, and nothing needs an orderly end yet. The exit code is 128 and the signal's number unless
    one is given.
    """

    def end_command(number: int, frame: FrameType | None) -> None:
        code = 128 + number if exit_code is None else exit_code
        if is_importing(frame):
            os.write(1, farewell.encode())
            os._exit(code)
        raise CommandStopped(code)

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end_command)


def is_importing(frame: FrameType | None) -> bool:
    """Return whether the code of a frame was called by an `import`."""
    while frame is not None and frame.f_code.co_filename != IMPORT_MACHINERY:
        frame = frame.f_back
    return frame is not None
