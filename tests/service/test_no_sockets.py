"""A replay reaches no network: whatever Python code of its process asks for an address is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_without_sockets(code: str) -> str:
    """What a process prints that forbids sockets and then runs some code."""
    asked = f"import socket\nfrom crawler.service.run import forbid_sockets\nforbid_sockets()\n{code}"
    ended = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False, cwd=ROOT)
    return ended.stdout + ended.stderr


REQUESTS = (
    "socket.create_connection(('127.0.0.1', 9))",
    "socket.socket().connect_ex(('127.0.0.1', 9))",
    "socket.getaddrinfo('localhost', 80)",
    "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))",
    "asyncio.run(asyncio.open_connection('127.0.0.1', 9))",
)
TRY_REQUESTS = f"""
import asyncio
for request in {REQUESTS}:
    try:
        eval(request)
    except BaseException as error:
        print(request, "->", error)
"""


def test_an_address_is_refused() -> None:
    printed = run_without_sockets(TRY_REQUESTS).splitlines()
    assert len(printed) == len(REQUESTS), printed
    for line, request in zip(printed, REQUESTS, strict=True):
        assert line.startswith(f"{request} -> A replay opens no socket, but something requested"), line


def test_socket_pairs_within_the_process_still_work() -> None:
    code = "a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1))\nimport asyncio; asyncio.run(asyncio.sleep(0))"
    assert run_without_sockets(code) == "b'x'\n"
