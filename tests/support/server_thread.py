"""A server of the standard library that answers in a thread of the test."""

from __future__ import annotations

import threading
from socketserver import BaseServer

POLL_SECONDS = 0.01
"""How often a server looks whether it has to end, so how long a test waits for that at most."""


def start_server_thread(server: BaseServer) -> threading.Thread:
    """Let a server answer until its `shutdown`. Return its thread, which does not keep the process from ending."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    return thread
