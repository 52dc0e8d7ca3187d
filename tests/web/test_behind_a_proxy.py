"""Behind a proxy: whom it names, TLS, cookies, the address of the client; and senders who are no proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.newsroom_server import run_newsroom
from support.newsroom_users import PASSWORD, add_key, add_user, open_browser, read_fields, sign_in

from crawler.config import Config, WebConfig
from crawler.roles import Role
from crawler.store import Store
from crawler.web.newsroom import Newsroom
from crawler.web.security import HostPolicy

TLS = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7", "host": "news.example"}
Open = Callable[..., httpx.Client]


@pytest.fixture
def open_pages(store: Store, tmp_path: Path) -> Iterator[Open]:
    """A function that opens a browser over a newsroom with a section `[web]`."""
    add_user(store, "dana", Role.OWNER)
    with ExitStack() as stack:

        def open_newsroom(**web: Any) -> httpx.Client:
            config = Config(data_dir=tmp_path, web=WebConfig.model_validate(web))
            address = stack.enter_context(run_newsroom(Newsroom(config=config, store=store)))
            return stack.enter_context(open_browser(address))

        yield open_newsroom


def test_trusted_proxy_names_the_user(open_pages: Open, store: Store) -> None:
    client = open_pages(trusted_proxies=["127.0.0.1"], remote_user=True)
    add_user(store, "timur", Role.READER)
    assert "<bdi>timur</bdi>" in client.get("/", headers={"remote-user": "Timur"}).text
    # A proxy may pass on the password that it asked for.
    assert client.get("/", headers={"remote-user": "timur", "authorization": "Basic eDp5"}).status_code == 200
    for name in ("nobody", "", "../timur", "local"):
        assert client.get("/", headers={"remote-user": name}).status_code == 303
    both = httpx.Headers([("remote-user", "timur"), ("remote-user", "dana"), ("host", "127.0.0.1")])
    assert client.get("/", headers=both).status_code == 303
    store.users.set_disabled("timur", True)
    assert client.get("/", headers={"remote-user": "timur"}).status_code == 303


@pytest.mark.parametrize(
    "web",
    [{}, {"trusted_proxies": ["127.0.0.1"]}, {"trusted_proxies": ["192.0.2.0/24"], "remote_user": True}],
    ids=["no proxy", "not asked for", "another proxy"],
)
def test_name_from_others_is_not_believed(open_pages: Open, web: dict[str, Any]) -> None:
    assert open_pages(**web).get("/", headers={"remote-user": "dana"}).status_code == 303


def test_writes_of_a_named_user_need_the_token(open_pages: Open, store: Store) -> None:
    client = open_pages(trusted_proxies=["127.0.0.1"], remote_user=True)
    client.headers["remote-user"] = "dana"
    fields = read_fields(client.get("/account").text, "/account/feed")
    assert client.post("/account/feed", data={"token": "0" * 64}).status_code == 403
    assert client.post("/account/feed", data=fields, headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post("/account/feed", data=fields).status_code == 200
    assert "/logout" not in client.get("/account").text  # the proxy would sign in again at once


def test_tls_of_a_proxy(open_pages: Open, store: Store) -> None:
    client = open_pages(address="https://news.example", trusted_proxies=["127.0.0.1"])
    client.headers.update(TLS)
    answer = client.get("/login")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    visitor = answer.headers["set-cookie"]
    assert visitor.startswith("__Host-visitor=")
    assert "Secure" in visitor
    fields = {**read_fields(answer.text, "/login"), "username": "dana", "password": PASSWORD}
    cookie = {"cookie": visitor.partition(";")[0]}
    answer = client.post("/login", data=fields, headers={**cookie, "origin": "https://news.example"})
    assert answer.status_code == 303
    session = answer.headers["set-cookie"]
    assert session.startswith("__Host-session=")
    cookie = {"cookie": session.partition(";")[0]}
    assert client.get("/", headers=cookie).status_code == 200
    # Without its prefix, another server of the domain may have set it.
    assert client.get("/", headers={"cookie": cookie["cookie"].removeprefix("__Host-")}).status_code == 303
    assert [each.address for each in store.audit.list_newest(1)] == ["198.51.100.7"]


def test_tls_that_nobody_trustworthy_names(open_pages: Open) -> None:
    client = open_pages(address="https://news.example")
    answer = client.get("/login", headers=TLS)
    assert "strict-transport-security" not in answer.headers
    assert "Secure" not in answer.headers["set-cookie"]


@pytest.mark.slow
def test_attempts_are_counted_for_the_address_that_the_proxy_names(open_pages: Open) -> None:
    client = open_pages(trusted_proxies=["127.0.0.1"])
    client.headers["x-forwarded-for"] = "198.51.100.7"
    assert [sign_in(client, "dana", "wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    # What a client itself adds stands before what the proxy adds.
    client.headers["x-forwarded-for"] = "203.0.113.9, 198.51.100.7"
    assert sign_in(client, "dana").status_code == 429
    client.headers["x-forwarded-for"] = "198.51.100.8"
    assert sign_in(client, "dana").status_code == 303


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host"])
def test_request_that_came_through_a_proxy_is_not_local(client: httpx.Client, name: str) -> None:
    assert client.get("/").status_code == 200
    assert client.get("/", headers={name: "127.0.0.1"}).status_code == 303


@pytest.mark.parametrize("value", ["Bearer crawler_x", "Bearer", "Basic eDp5", "x", "Bearer  \u00e9"])
def test_wrong_key_is_not_followed_by_another_proof(client: httpx.Client, value: str) -> None:
    assert client.get("/", headers={"authorization": value.encode("latin-1")}).status_code == 303


def test_key_reads_the_api_and_no_page(open_pages: Open, store: Store) -> None:
    client = open_pages()
    client.headers["authorization"] = f"Bearer {add_key(store, 'dana', Role.READER, ['read'])}"
    assert client.get("/api/v1/sources").status_code == 200
    answer = client.get("/sources")
    assert answer.status_code == 403
    assert "An API key is for the API" in answer.text


@pytest.mark.parametrize(
    ("is_public", "host", "is_accepted"),
    [
        (False, "news.example", True),
        (False, "NEWS.example:443", True),
        (False, "evil.example", False),
        (False, "192.168.0.7", False),
        (True, "192.168.0.7:8000", True),
        (True, "[2001:db8::1]:8000", True),
        (True, "evil.example", False),
        (True, "192.168.0.7.evil.example", False),
        (True, "news.example@evil.example", False),
        (True, "", False),
    ],
)
def test_names_under_which_the_server_answers(is_public: bool, host: str, is_accepted: bool) -> None:
    policy = HostPolicy(WebConfig(address="https://news.example"), is_public=is_public)
    assert policy.accepts_host(host) is is_accepted
