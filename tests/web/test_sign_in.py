"""Sign in, sign out, sessions, wrong passwords, and what an attacker would try."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest
from support.newsroom_articles import SaveArticle
from support.newsroom_server import run_newsroom
from support.newsroom_users import PASSWORD, add_key, add_user, open_browser, read_fields, sign_in, start_session

from crawler.roles import Role
from crawler.store import Store
from crawler.store.credentials import SESSION_IDLE_LIMIT
from crawler.store.user_schema import sessions
from crawler.store.users import MAX_ATTEMPTS_PER_USER
from crawler.web.newsroom import Newsroom
from crawler.web.passwords import clean_user_name, hash_secret, is_password

NEW = "four other words here"


@pytest.fixture
def owner(store: Store) -> str:
    return add_user(store, "dana", Role.OWNER)


@pytest.fixture
def guest(address: str, owner: str) -> Iterator[httpx.Client]:
    """A browser in which nobody has signed in, over a newsroom with users."""
    with open_browser(address) as client:
        yield client


def test_page_needs_a_sign_in_and_returns_to_the_page(guest: httpx.Client, save: SaveArticle) -> None:
    save("1")
    answer = guest.get("/?status=unseen&source=mfa")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2F%3Fstatus%3Dunseen%26source%3Dmfa"
    assert answer.headers["cache-control"] == "no-store"
    answer = sign_in(guest, " Dana ", page="/?status=unseen&source=mfa")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?status=unseen&source=mfa")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("session=", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age="))
    page = guest.get("/").text
    assert "Заголовок 1" in page
    assert 'href="/account"><span class="sr">Your account: </span><bdi>dana</bdi>' in page


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_page_to_sign_in_shows_nothing_of_the_newsroom(guest: httpx.Client, save: SaveArticle, language: str) -> None:
    save("1")
    html = guest.get(f"/login?lang={language}").text
    assert f'<html lang="{language}">' in html
    assert "Last look" not in html
    assert "/sources" not in html
    assert 'type="password" autocomplete="current-password"' in html


def test_errors_show_nothing_of_the_newsroom(guest: httpx.Client) -> None:
    for path in ("/none", "/stories/999999"):
        answer = guest.get(path, follow_redirects=True)
        assert "masthead" not in answer.text
        assert "Last look" not in answer.text


def test_sign_out_ends_the_session(guest: httpx.Client, store: Store) -> None:
    sign_in(guest, "dana")
    stolen = guest.cookies["session"]
    fields = read_fields(guest.get("/account").text, "/logout")
    answer = guest.post("/logout", data=fields)
    assert answer.headers["location"] == "/login?out=1"
    assert "session" not in guest.cookies
    assert "You are signed out." in guest.get("/login?out=1").text
    guest.cookies.set("session", stolen, domain="127.0.0.1")
    assert guest.get("/").headers["location"] == "/login?next=%2F&ended=1"
    assert store.sessions.list_by_user("dana", at=datetime.now(UTC)) == []


def test_ended_session_is_explained(guest: httpx.Client, store: Store, save: SaveArticle) -> None:
    save("1")
    sign_in(guest, "dana")
    form = read_fields(guest.get("/").text, "/actions")
    with store.database.transaction() as connection:
        connection.execute(
            sessions.update().values(used_at=datetime.now(UTC) - SESSION_IDLE_LIMIT - timedelta(hours=1))
        )
    page = guest.get("/sources", follow_redirects=True)
    assert "Your session has ended. Sign in, and you are back on the page." in page.text
    answer = guest.post("/actions", data={**form, "do": "important"})
    assert answer.status_code == 401
    assert "Nothing was changed." in answer.text
    assert 'href="/login"' in answer.text
    assert store.reader_actions.list_by_articles(["mfa:1:ru"]) == []


def test_note_of_an_ended_session_can_be_copied(guest: httpx.Client, store: Store, save: SaveArticle) -> None:
    save("1")
    sign_in(guest, "dana")
    form = {**read_fields(guest.get("/articles/mfa:1:ru").text, "/actions"), "do": "note", "note": "Ask <b>Timur</b>."}
    store.sessions.delete_by_user("dana")
    answer = guest.post("/actions", data=form)
    assert answer.status_code == 401
    assert "readonly>Ask &lt;b&gt;Timur&lt;/b&gt;.</textarea>" in answer.text
    foreign = guest.post("/actions", data=form, headers={"origin": "http://evil.example"})
    assert (foreign.status_code, "Timur" in foreign.text) == (401, False)
    sign_in(guest, "dana")
    answer = guest.post("/actions", data=form)  # the token is that of the ended session
    assert answer.status_code == 403
    assert "readonly>Ask &lt;b&gt;Timur&lt;/b&gt;.</textarea>" in answer.text
    assert store.reader_actions.list_by_articles(["mfa:1:ru"]) == []


@pytest.mark.parametrize(("language", "label"), [("ru", "Имя пользователя"), ("kk", "Пайдаланушы аты")])
def test_sign_in_asks_for_the_name_of_a_person(guest: httpx.Client, language: str, label: str) -> None:
    assert f'<label for="n">{label}</label>' in guest.get(f"/login?lang={language}").text


def test_sign_in_leads_back_to_an_article_whose_id_is_a_path(guest: httpx.Client, save: SaveArticle) -> None:
    save("%D0%BD/view?id=1 2")
    path = f"/articles/{quote('mfa:%D0%BD/view?id=1 2:ru')}?version=1"
    page = guest.get(path, follow_redirects=True)
    answer = sign_in(guest, "dana", page=str(page.url))
    assert "Version 1 of 1" in guest.get(answer.headers["location"]).text


def test_forms_and_sessions_outlive_the_server(newsroom: Newsroom, store: Store, owner: str, save: SaveArticle) -> None:
    save("1")
    with run_newsroom(newsroom) as address, open_browser(address) as client:
        sign_in(client, owner)
        form, session = read_fields(client.get("/").text, "/actions"), client.cookies["session"]
    again = Newsroom(config=newsroom.config, store=store)
    with run_newsroom(again) as address, open_browser(address, session) as client:
        assert client.post("/actions", data={**form, "do": "important"}).status_code == 303
    assert [each.made_by for each in store.reader_actions.list_by_articles(["mfa:1:ru"])] == [owner]


@pytest.mark.slow
def test_wrong_password_is_one_sentence_for_any_name(guest: httpx.Client, store: Store) -> None:
    add_user(store, "timur", Role.READER)
    store.users.set_disabled("timur", True)
    pages = []
    for name in ("dana", "nobody", "timur", "<script>"):
        answer = sign_in(guest, name, "wrong" if name != "timur" else PASSWORD)
        assert answer.status_code == 401
        pages.append(re.sub(r'name="username".*?>', "", answer.text))
    assert len(set(pages)) == 1
    assert "Name or password is wrong. After 5 wrong tries there is a pause." in pages[0]
    assert "<script" not in pages[0]


@pytest.mark.slow
def test_five_wrong_passwords_make_a_pause(guest: httpx.Client, store: Store) -> None:
    for _ in range(MAX_ATTEMPTS_PER_USER):
        assert sign_in(guest, "dana", "wrong").status_code == 401
    answer = sign_in(guest, "dana")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "600"
    assert "There were too many wrong tries. Try again in 10 minutes." in answer.text
    store.users.forget_attempts("dana", "127.0.0.1")
    assert sign_in(guest, "dana").status_code == 303
    assert sign_in(guest, "dana").status_code == 303


def test_session_of_an_attacker_is_not_taken_over(guest: httpx.Client, store: Store, address: str) -> None:
    """Session fixation: the id after the sign-in is a new one, and the former one is worth nothing."""
    add_user(store, "mallory", Role.READER)
    planted = start_session(store, "mallory")
    guest.cookies.set("session", planted, domain="127.0.0.1")
    assert sign_in(guest, "dana").status_code == 303
    values = [cookie.value for cookie in guest.cookies.jar if cookie.name == "session"]
    with open_browser(address, planted) as other:
        assert other.get("/").status_code == 303
    assert store.sessions.find(hash_secret(values[-1] or ""), at=datetime.now(UTC)) is not None
    assert planted != values[-1]


def test_unknown_session_is_not_adopted(address: str, owner: str, store: Store) -> None:
    with open_browser(address, "A" * 43) as client:
        answer = sign_in(client, owner)
        assert "A" * 43 not in answer.headers["set-cookie"]
    assert [each.id_hash for each in store.sessions.list_by_user(owner, at=datetime.now(UTC))] != [
        hash_secret("A" * 43)
    ]


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%5cevil.example/..//evil.example",
        "\t//evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "/@evil.example",
        "///evil.example",
        "",
    ],
)
def test_sign_in_returns_to_this_server_only(guest: httpx.Client, target: str) -> None:
    fields = read_fields(guest.get("/login", params={"next": target}).text, "/login")
    for wanted in (fields["next"], target):
        answer = guest.post("/login", data={**fields, "next": wanted, "username": "dana", "password": PASSWORD})
        location = answer.headers["location"]
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
        assert httpx.URL("http://127.0.0.1/").join(location).host == "127.0.0.1"
        assert "a=b" not in str(answer.headers)
        guest.cookies.clear()
        fields = read_fields(guest.get("/login").text, "/login")


def test_sign_in_needs_the_form_of_this_browser(guest: httpx.Client, address: str) -> None:
    """Login CSRF: a foreign page signs a reader in under the attacker's name."""
    fields = {**read_fields(guest.get("/login").text, "/login"), "username": "dana", "password": PASSWORD}
    with open_browser(address) as other:
        assert other.post("/login", data=fields).status_code == 403  # no cookie
        other.get("/login")
        assert other.post("/login", data=fields).status_code == 403  # the token of another browser
    assert guest.post("/login", data={**fields, "token": ""}).status_code == 403
    assert guest.post("/login", data=fields, headers={"origin": "http://evil.example"}).status_code == 403
    assert guest.post("/login", data=fields).status_code == 303


def test_second_tab_to_sign_in_goes_on(guest: httpx.Client) -> None:
    second = read_fields(guest.get("/login?next=/sources").text, "/login")
    sign_in(guest, "dana")
    answer = guest.post("/login", data={**second, "username": "dana", "password": PASSWORD})
    assert answer.headers["location"] == "/sources"
    guest.post("/logout", data=read_fields(guest.get("/account").text, "/logout"))
    guest.cookies.clear()
    answer = guest.post("/login", data={**second, "username": "dana", "password": PASSWORD})
    assert answer.status_code == 403
    assert "This page was out of date. Sign in again." in answer.text
    fields = read_fields(answer.text, "/login")
    assert guest.post("/login", data={**fields, "username": "dana", "password": PASSWORD}).status_code == 303


def test_token_changes_with_the_session(guest: httpx.Client) -> None:
    before = read_fields(guest.get("/login").text, "/login")["token"]
    sign_in(guest, "dana")
    after = read_fields(guest.get("/account").text, "/account/feed")["token"]
    assert before != after
    assert guest.post("/account/feed", data={"token": before}).status_code == 403


@pytest.mark.slow
def test_local_ends_with_the_first_user(client: httpx.Client, store: Store) -> None:
    page = client.get("/users")
    assert "There are no users here" in page.text
    fields = {**read_fields(page.text, "/users/add"), "name": "Dana"}
    answer = client.post("/users/add", data={**fields, "role": "reader"})
    assert answer.status_code == 400
    assert "The first user must be an owner." in answer.text
    answer = client.post("/users/add", data={**fields, "role": "owner"})
    password = re.findall(r"<code>([0-9a-f-]{24})</code>", answer.text)[0]
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("/").status_code == 303
    assert client.post("/users/add", data={**fields, "name": "x", "role": "owner"}).status_code == 401
    assert sign_in(client, "dana", password).status_code == 303
    assert client.get("/users").status_code == 200
    assert password not in str([store.database.fetch_all(table.select()) for table in sessions.metadata.sorted_tables])


@pytest.mark.parametrize("name", ["Dana", " dana ", "\uff24ana", "DANA"])  # the third has a fullwidth D
def test_one_name_is_one_user(name: str) -> None:
    assert clean_user_name(name) == "dana"


def test_password_is_compared_in_one_form(owner: str, store: Store) -> None:
    user = store.users.get(owner)
    assert user is not None
    assert is_password(PASSWORD, user.password_hash)
    assert is_password(PASSWORD.replace("f", "\uff46"), user.password_hash)
    assert not is_password(PASSWORD + "x" * 300, user.password_hash)
    assert not is_password("", None)


def test_there_is_no_such_page_without_a_provider(client: httpx.Client) -> None:
    assert client.get("/login/organisation").status_code == 404
    assert client.get("/login/organisation/callback").status_code == 404


@pytest.mark.slow
def test_key_that_may_do_nothing_is_not_made(guest: httpx.Client, store: Store) -> None:
    sign_in(guest, "dana")
    fields = {
        **read_fields(guest.get("/account").text, "/account/keys"),
        "title": "Sheet",
        "role": "reader",
        "days": "",
    }
    answer = guest.post("/account/keys", data=fields)
    assert answer.status_code == 400
    assert "Tick at least one thing" in answer.text
    assert store.api_keys.list_by_user("dana") == []
    assert guest.post("/account/keys", data={**fields, "scope": "read"}).status_code == 200


def test_new_password_can_end_keys_and_feeds_too(guest: httpx.Client, store: Store) -> None:
    add_key(store, "dana", Role.OWNER, ["read"])
    store.users.set_feed_secret("dana", "hash")
    sign_in(guest, "dana")
    page = guest.get("/account").text
    assert "API keys and feed addresses stay valid" in page
    form = {**read_fields(page, "/account/password"), "current": PASSWORD, "new": NEW, "again": NEW}
    assert guest.post("/account/password", data=form).status_code == 303
    assert len(store.api_keys.list_by_user("dana")) == 1
    form = {**read_fields(guest.get("/account").text, "/account/password"), "current": NEW, "revoke": "1"}
    assert guest.post("/account/password", data={**form, "new": PASSWORD, "again": PASSWORD}).status_code == 303
    assert store.api_keys.list_by_user("dana") == []
    user = store.users.get("dana")
    assert user is not None
    assert user.feed_secret_hash is None
