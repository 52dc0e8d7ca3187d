"""The configuration of nginx in docs/serve.md works: TLS, sign-in, forms, live events, and users that nginx names.

With REQUIRE_DEPLOY_TOOLS a missing nginx is a failure, as CI wants it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from support.newsroom_server import run_newsroom
from support.newsroom_users import add_user, open_browser, read_fields, sign_in
from support.tls_front import write_certificate

from crawler.config import Config, WebConfig
from crawler.roles import Role
from crawler.store import Store
from crawler.web.newsroom import Newsroom

GUIDE = Path(__file__).parents[2] / "docs" / "serve.md"
PASSWORD_FILE = "timur:{PLAIN}secret\n"
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def need_nginx() -> None:
    if shutil.which("nginx") is None:
        assert "REQUIRE_DEPLOY_TOOLS" not in os.environ, "nginx is not installed"
        pytest.skip("nginx is not installed")


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def run_nginx(folder: Path, newsroom: str, *, signs_in: bool) -> Iterator[str]:
    """Yield the address of nginx with the guide's configuration, in front of a newsroom."""
    guided = re.search(r"```nginx\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert guided is not None
    port, certificate = find_free_port(), write_certificate(folder / "news.pem", "localhost")
    own = {
        "listen 443": f"listen 127.0.0.1:{port}",
        "news.example.org": "localhost",
        "/etc/ssl/news.pem": str(certificate),
        "/etc/ssl/news.key": str(certificate),
        "http://127.0.0.1:8000": newsroom,
        "$host;": "$host:$server_port;",  # the guide's port is the usual one, which no address names
    }
    if signs_in:
        (folder / "passwords").write_text(PASSWORD_FILE)
        named = f"auth_basic news; auth_basic_user_file {folder}/passwords; proxy_set_header Remote-User $remote_user;"
        own['proxy_set_header Remote-User "";'] = named
    server = guided[1]
    for word, value in own.items():
        assert word in server, word
        server = server.replace(word, value)
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.geteuid() == 0 else ""  # it has to read the file with passwords
    main = f"{user}daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1; events {{}}"
    file = folder / "nginx.conf"
    file.write_text(f"{main}\nhttp {{ access_log off; {temporary}\n{server}\n}}\n")
    folder.chmod(0o755)
    with subprocess.Popen(["nginx", "-c", file, "-e", folder / "errors"]) as process:
        try:
            wait_for_port(port)
            yield f"https://localhost:{port}"
        finally:
            process.terminate()


def wait_for_port(port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens at port {port}")


def test_sign_in_forms_and_live_events(store: Store, tmp_path: Path) -> None:
    add_user(store, "dana", Role.OWNER)
    web = WebConfig(trusted_proxies=("127.0.0.1",))
    newsroom = Newsroom(config=Config(data_dir=tmp_path, web=web), store=store)
    with (
        run_newsroom(newsroom) as inner,
        run_nginx(tmp_path, inner, signs_in=False) as address,
        open_browser(address) as client,
    ):
        page = client.get("/login")
        assert page.headers["strict-transport-security"].startswith("max-age=")
        assert client.get("/", headers={"remote-user": "dana"}).status_code == 303
        signed_in = sign_in(client, "dana")
        assert signed_in.status_code == 303
        assert "Secure" in signed_in.headers["set-cookie"]
        fields = read_fields(client.get("/account").text, "/account/feed")
        assert client.post("/account/feed", data=fields, headers={"origin": address}).status_code == 200
        assert client.post("/account/feed", data=fields, headers={"origin": "https://evil.example"}).status_code == 403
        with client.stream("GET", "/api/v1/events") as events:
            assert next(events.iter_lines()).startswith("retry:")


def test_user_whom_nginx_names(store: Store, tmp_path: Path) -> None:
    add_user(store, "timur", Role.READER)
    add_user(store, "dana", Role.OWNER)
    web = WebConfig(trusted_proxies=("127.0.0.1",), remote_user=True)
    newsroom = Newsroom(config=Config(data_dir=tmp_path, web=web), store=store)
    with (
        run_newsroom(newsroom) as inner,
        run_nginx(tmp_path, inner, signs_in=True) as address,
        open_browser(address) as client,
    ):
        assert client.get("/").status_code == 401
        client.auth = httpx.BasicAuth("timur", "secret")
        assert "<bdi>timur</bdi>" in client.get("/", headers={"remote-user": "dana"}).text
        assert client.get("/users").status_code == 403
