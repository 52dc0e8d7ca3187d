"""The configurations in docs/serve.md work in a real nginx and a real Caddy.

Each is tried with TLS, sign-in, forms, live events, the client's address, and users whom the proxy names. With
REQUIRE_DEPLOY_TOOLS a missing proxy is a failure, as CI wants it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from support.newsroom_server import run_newsroom
from support.newsroom_users import add_user, open_browser, read_fields, sign_in
from support.tls_front import write_certificate
from support.waiting import wait_until

from crawler.config import Config, WebConfig
from crawler.roles import Role
from crawler.store import Store
from crawler.web.newsroom import Newsroom

GUIDE = Path(__file__).parents[2] / "docs" / "serve.md"
PASSWORD_FILE = "timur:{PLAIN}secret\n"
PASSWORD_HASH = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
"""The same password as Caddy wants it: bcrypt, with few rounds."""
RunProxy = Callable[..., AbstractContextManager[str]]
pytestmark = pytest.mark.slow


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def read_guide(language: str, changes: Mapping[str, str]) -> str:
    """Return the guide's configuration in a language, with other addresses and files."""
    guided = re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert guided is not None
    found = guided[1]
    for word, value in changes.items():
        assert word in found, word
        found = found.replace(word, value)
    return found


@contextmanager
def run_nginx(folder: Path, newsroom: str, *, signs_in: bool) -> Iterator[str]:
    """Yield the address of nginx with the guide's configuration, in front of a newsroom."""
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
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.geteuid() == 0 else ""  # it has to read the file with passwords
    main = f"{user}daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1; events {{}}"
    file = folder / "nginx.conf"
    file.write_text(f"{main}\nhttp {{ access_log off; {temporary}\n{read_guide('nginx', own)}\n}}\n")
    folder.chmod(0o755)
    with run_until_end(["nginx", "-c", file, "-e", folder / "errors"], port):
        yield f"https://localhost:{port}"


@contextmanager
def run_caddy(folder: Path, newsroom: str, *, signs_in: bool) -> Iterator[str]:
    """Yield the address of Caddy with the guide's configuration, in front of a newsroom."""
    port, certificate = find_free_port(), write_certificate(folder / "news.pem", "localhost")
    site = f"https://localhost:{port} {{\n    bind 127.0.0.1\n    tls {certificate} {certificate}"
    own = {"news.example.org {": site, "127.0.0.1:8000": newsroom}
    if signs_in:
        own["reverse_proxy"] = f"basicauth {{\n timur {PASSWORD_HASH}\n}}\n    reverse_proxy"
        own["header_up -Remote-User"] = "header_up Remote-User {http.auth.user.id}"
    file = folder / "Caddyfile"
    file.write_text(f"{{\n admin off\n auto_https disable_redirects\n}}\n{read_guide('caddyfile', own)}")
    with run_until_end(["caddy", "run", "--config", file, "--adapter", "caddyfile"], port, HOME=str(folder)):
        yield f"https://localhost:{port}"


@contextmanager
def run_until_end(command: Sequence[str | Path], port: int, **variables: str) -> Iterator[None]:
    """Run a proxy, which listens at the port once the block begins."""
    with subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: accepts_connections(port))
            yield
        finally:
            process.terminate()


def accepts_connections(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.fixture(params=["nginx", "caddy"])
def run_proxy(request: pytest.FixtureRequest) -> RunProxy:
    """A function that runs a proxy in front of a newsroom."""
    if shutil.which(request.param) is None:
        assert "REQUIRE_DEPLOY_TOOLS" not in os.environ, f"{request.param} is not installed"
        pytest.skip(f"{request.param} is not installed")
    return run_nginx if request.param == "nginx" else run_caddy


def test_sign_in_forms_and_live_events(run_proxy: RunProxy, store: Store, tmp_path: Path) -> None:
    add_user(store, "dana", Role.OWNER)
    web = WebConfig(trusted_proxies=("127.0.0.1",))
    newsroom = Newsroom(config=Config(data_dir=tmp_path, web=web), store=store)
    with (
        run_newsroom(newsroom) as inner,
        run_proxy(tmp_path, inner, signs_in=False) as address,
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
        assert client.post("/account/feed", content=b"x" * 70_000).status_code == 413


def test_address_that_a_client_names_is_not_believed(run_proxy: RunProxy, store: Store, tmp_path: Path) -> None:
    add_user(store, "dana", Role.OWNER)
    web = WebConfig(trusted_proxies=("127.0.0.1",))
    newsroom = Newsroom(config=Config(data_dir=tmp_path, web=web), store=store)
    elsewhere = httpx.HTTPTransport(verify=False, local_address="127.0.0.2")
    with (
        run_newsroom(newsroom) as inner,
        run_proxy(tmp_path, inner, signs_in=False) as address,
        httpx.Client(base_url=address, transport=elsewhere, headers={"x-forwarded-for": "203.0.113.9"}) as client,
    ):
        assert sign_in(client, "dana").status_code == 303
        assert [each.address for each in store.audit.list_newest(1)] == ["127.0.0.2"]


def test_user_whom_the_proxy_names(run_proxy: RunProxy, store: Store, tmp_path: Path) -> None:
    add_user(store, "timur", Role.READER)
    add_user(store, "dana", Role.OWNER)
    web = WebConfig(trusted_proxies=("127.0.0.1",), remote_user=True)
    newsroom = Newsroom(config=Config(data_dir=tmp_path, web=web), store=store)
    with (
        run_newsroom(newsroom) as inner,
        run_proxy(tmp_path, inner, signs_in=True) as address,
        open_browser(address) as client,
    ):
        assert client.get("/").status_code == 401
        client.auth = httpx.BasicAuth("timur", "secret")
        assert "<bdi>timur</bdi>" in client.get("/", headers={"remote-user": "dana"}).text
        assert client.get("/users").status_code == 403
