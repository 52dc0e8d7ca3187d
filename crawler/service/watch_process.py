"""`crawler watch` as a process beside the newsroom, so that a small office starts one command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


class WatchProcess:
    """A watch in a process of its own. When it ends by itself, this process gets a SIGTERM.

    It is apart from the terminal's group: at Ctrl-C only `stop` ends it, so that its runs end in good order. If this
    process is killed, the watch runs until somebody ends it; a second watch beside it is safe.
    """

    def __init__(self, config_path: Path | None, *, new_store: bool = False) -> None:
        """`new_store`: the watch accepts an empty store, as `crawler watch --new-store` does."""
        self._process = subprocess.Popen(make_watch_command(config_path, new_store=new_store), process_group=0)
        self._is_stopping = False
        self._waiter = threading.Thread(target=self._wait, name="wait for the watch", daemon=True)
        self._waiter.start()

    def stop(self) -> int:
        """End the watch and its runs in good order, and return its exit code: 128 and the signal's number if killed."""
        self._is_stopping = True
        if self._process.poll() is None:
            self._process.terminate()
        self._waiter.join()
        code = self._process.returncode
        return code if code >= 0 else 128 - code

    def _wait(self) -> None:
        self._process.wait()
        if not self._is_stopping:
            os.kill(os.getpid(), signal.SIGTERM)


def make_watch_command(config_path: Path | None, *, new_store: bool) -> list[str]:
    """Return the command of a watch with the configuration of this process."""
    config = ["--config", str(config_path)] if config_path else []
    return [sys.executable, "-m", "crawler", *config, "watch", *(["--new-store"] if new_store else [])]
