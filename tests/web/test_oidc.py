"""Sign-in with an organisation: a real provider on a loopback port, and answers that must not be believed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from joserfc.jwk import RSAKey
from support.newsroom_server import run_newsroom
from support.newsroom_users import add_user, open_browser, read_fields
from support.newsroom_users import sign_in as sign_in_by_password
from support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider

from crawler.config import Config, OidcConfig, WebConfig
from crawler.roles import Role
from crawler.store import Store
from crawler.web.newsroom import Newsroom
from crawler.web.server import describe_access

GROUPS = {"desk": "analyst", "chiefs": "owner"}


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as opened:
        yield opened


@pytest.fixture
def settings() -> dict[str, str]:
    """What [web.oidc] has instead of the values of the provider. A test parametrizes it."""
    return {}


@pytest.fixture
def newsroom(store: Store, tmp_path: Path, provider: OidcProvider, settings: dict[str, str]) -> Newsroom:
    values = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    changed = {name: text.format(issuer=provider.issuer) for name, text in settings.items()}
    oidc = OidcConfig.model_validate({**values, "groups": GROUPS, **changed})
    web = WebConfig(address="http://127.0.0.1:8000", oidc=oidc)
    return Newsroom(config=Config(data_dir=tmp_path, web=web), store=store)


@pytest.fixture
def guest(newsroom: Newsroom) -> Iterator[httpx.Client]:
    with run_newsroom(newsroom) as address, open_browser(address) as client:
        yield client


def go_to_provider(client: httpx.Client, target: str = "/") -> str:
    """Begin to sign in. Return the path of the newsroom that the provider sends the browser to."""
    there = client.get("/login/organisation", params={"next": target})
    assert there.status_code == 303, there.text
    with httpx.Client(verify=False) as browser:
        back = httpx.URL(browser.get(there.headers["location"]).headers["location"])
    return back.raw_path.decode()


def come_back(client: httpx.Client, path: str) -> httpx.Response:
    """Return the answer to a browser at an address of the sign-in: a refusal as the page that it shows."""
    answer = client.get(path)
    location = answer.headers.get("location", "")
    return client.get(location) if location.startswith("/login?refused=") else answer


def sign_in(client: httpx.Client, target: str = "/") -> httpx.Response:
    return come_back(client, go_to_provider(client, target))


def sign_out(client: httpx.Client) -> httpx.Response:
    """Return the page that a browser shows after *Sign out*."""
    fields = read_fields(client.get("/account").text, "/logout")
    return client.post("/logout", data=fields, follow_redirects=True)


def find_sign_out_link(page: httpx.Response) -> httpx.URL | None:
    """Return the address at the provider that a page offers after *Sign out*."""
    found = re.search(r'href="([^"]*)">Sign out at your organisation too</a>', page.text)
    return httpx.URL(unescape(found[1])) if found else None


def test_user_of_a_group_signs_in(guest: httpx.Client, provider: OidcProvider, store: Store) -> None:
    page = guest.get("/sources", follow_redirects=True)
    assert 'href="/login/organisation?next=/sources"' in page.text
    answer = sign_in(guest, "/sources")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sources")
    assert provider.redirect_addresses == ["http://127.0.0.1:8000/login/organisation/callback"]
    assert "<bdi>aigerim</bdi>" in guest.get("/sources").text
    (user,) = store.users.list_all()
    assert (user.name, user.role, user.password_hash) == ("aigerim", Role.ANALYST, None)
    assert user.subject == f"{provider.issuer} 7"
    assert [each.action for each in store.audit.list_newest(9)] == ["session.start", "user.add"]


def test_addresses_for_the_provider_are_printed(newsroom: Newsroom, provider: OidcProvider) -> None:
    lines = describe_access("http://127.0.0.1:8000/", newsroom).splitlines()
    assert lines[-2:] == [
        f"Redirect address, for the provider {provider.issuer}: http://127.0.0.1:8000/login/organisation/callback",
        "Address after a sign-out there: http://127.0.0.1:8000/login",
    ]


def test_groups_count_at_each_sign_in(guest: httpx.Client, provider: OidcProvider, store: Store) -> None:
    for groups, role in ((["chiefs", "desk"], Role.OWNER), ("desk", Role.ANALYST), (["chiefs"], Role.OWNER)):
        provider.user["groups"] = groups
        assert sign_in(guest).status_code == 303
        assert [user.role for user in store.users.list_all()] == [role]
    provider.user["groups"] = ["others", 7, None]
    assert sign_in(guest).status_code == 401


def test_groups_may_be_on_the_page_of_the_user(guest: httpx.Client, provider: OidcProvider, store: Store) -> None:
    provider.user["groups"] = None
    provider.page_of_user = {"sub": "8", "groups": ["chiefs"]}
    assert sign_in(guest).status_code == 401
    provider.page_of_user = {"sub": "7", "groups": ["chiefs"], "preferred_username": "dana"}
    assert sign_in(guest).status_code == 303
    assert [(user.name, user.role) for user in store.users.list_all()] == [("aigerim", Role.OWNER)]


def test_name_may_be_on_the_page_of_the_user(guest: httpx.Client, provider: OidcProvider, store: Store) -> None:
    provider.user["preferred_username"] = None
    provider.page_of_user = {"sub": "7", "preferred_username": "Айгүл"}
    assert sign_in(guest).status_code == 303
    assert [user.name for user in store.users.list_all()] == ["айгүл"]


@pytest.mark.parametrize("settings", [{"groups_claim": "realm_access.roles"}])
def test_roles_within_another_claim(guest: httpx.Client, provider: OidcProvider) -> None:
    provider.user |= {"groups": None, "realm_access": {"roles": ["offline_access", "desk"]}}
    assert sign_in(guest).status_code == 303
    provider.user["realm_access"] = ["desk"]
    assert sign_in(guest).status_code == 401


def test_secret_in_the_form_where_the_header_is_not_taken(guest: httpx.Client, provider: OidcProvider) -> None:
    provider.secret_method = "client_secret_post"
    assert sign_in(guest).status_code == 303


def test_name_of_another_user_is_not_taken_over(guest: httpx.Client, provider: OidcProvider, store: Store) -> None:
    add_user(store, "aigerim", Role.OWNER)
    answer = sign_in(guest)
    assert answer.status_code == 401
    assert "Another user of this newsroom has your name." in answer.text
    assert "session" not in guest.cookies
    provider.user["preferred_username"] = "Айгүл Сәрсенова"
    answer = sign_in(guest)
    assert answer.status_code == 401
    assert "The name that your organisation has for you cannot be used here." in answer.text
    provider.user["preferred_username"] = "local"
    assert sign_in(guest).status_code == 401


def test_user_keeps_the_account_under_another_name(guest: httpx.Client, provider: OidcProvider, store: Store) -> None:
    assert sign_in(guest).status_code == 303
    provider.user["preferred_username"] = "dana"
    assert sign_in(guest).status_code == 303
    assert [user.name for user in store.users.list_all()] == ["aigerim"]
    store.users.set_role("aigerim", Role.READER, must_keep_owner=False)
    store.users.set_disabled("aigerim", True)
    answer = sign_in(guest)
    assert answer.status_code == 401
    assert "Your account is disabled here." in answer.text


def sign_with_another_key(provider: OidcProvider) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "1"})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda provider: provider.changes.update(aud="another"),
        lambda provider: provider.changes.update(iss="https://evil.example"),
        lambda provider: provider.changes.update(nonce="old"),
        lambda provider: provider.changes.update(nonce=None),
        lambda provider: provider.changes.update(exp=1),
        lambda provider: provider.changes.update(exp=None),
        lambda provider: provider.changes.update(azp="another"),
        lambda provider: provider.changes.update(sub=""),
        lambda provider: provider.changes.update(preferred_username=None),
        lambda provider: setattr(provider, "algorithm", "none"),
        lambda provider: setattr(provider, "failure", "access_denied"),
        sign_with_another_key,
    ],
)
def test_answer_that_must_not_be_believed(
    guest: httpx.Client, provider: OidcProvider, store: Store, spoil: Callable[[OidcProvider], None]
) -> None:
    spoil(provider)
    answer = sign_in(guest)
    assert answer.status_code == 401
    assert "The sign-in with your organisation failed." in answer.text
    assert "session" not in guest.cookies
    assert not store.users.exist()


def test_guest_writes_no_line_of_the_log(guest: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    state = re.search(r"[?&]state=([^&]+)", go_to_provider(guest))
    assert state is not None
    forged = {"state": state[1], "error": "x", "error_description": "\nERROR forged"}
    assert come_back(guest, f"/login/organisation/callback?{urlencode(forged)}").status_code == 401
    assert "The provider answered: 'x \\nERROR forged'" in caplog.text


def test_new_keys_of_the_provider_are_read(guest: httpx.Client, provider: OidcProvider) -> None:
    assert sign_in(guest).status_code == 303
    provider.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
    assert sign_in(guest).status_code == 303


def test_answer_counts_once_and_in_its_own_browser(guest: httpx.Client, store: Store) -> None:
    path = go_to_provider(guest)
    with open_browser(str(guest.base_url)) as other:
        assert come_back(other, path).status_code == 401  # no cookie
    path = go_to_provider(guest)
    with open_browser(str(guest.base_url)) as other:
        other.get("/login")
        assert come_back(other, path).status_code == 401  # the cookie of another browser
    path = go_to_provider(guest)
    assert guest.get(path).status_code == 303
    assert come_back(guest, path).status_code == 401
    assert come_back(guest, "/login/organisation/callback?code=x&state=y").status_code == 401
    assert len(store.sessions.list_by_user("aigerim", at=datetime.now(UTC))) == 1


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_sign_in_returns_to_this_server_only(guest: httpx.Client, target: str) -> None:
    assert sign_in(guest, target).headers["location"] == "/"


def test_nothing_is_open_without_a_sign_in(guest: httpx.Client) -> None:
    assert guest.get("/").status_code == 303


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"issuer": "{issuer}/elsewhere"},
            "{issuer}/elsewhere/.well-known/openid-configuration answered HTTP 404; check",
        ),
        ({"issuer": "{issuer}/"}, "names the issuer '{issuer}': write that in [web.oidc] issuer."),
        (
            {"issuer": "http://127.0.0.1:1/realms/press"},
            "cannot be used: ConnectionRefusedError(111, 'Connection refused'); check [web.oidc] issuer",
        ),
    ],
)
def test_provider_that_does_not_answer(
    guest: httpx.Client, provider: OidcProvider, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    answer = come_back(guest, "/login/organisation")
    assert answer.status_code == 401
    assert "The sign-in with your organisation failed." in answer.text
    assert line.format(issuer=provider.issuer) in caplog.text


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (
            lambda provider: provider.user.update(groups=["/news/cooks", {"id": 7}]),
            "'Aigerim' ('{issuer} 7'): the claim groups is "
            "\"['/news/cooks', {{'id': 7}}]\", and none of that is in [web.oidc] groups: add one.",
        ),
        (
            lambda provider: provider.user.update(groups=None, _claim_names={"groups": "src1"}),
            "the user is in more groups than the provider sends in groups: use app roles (docs/serve.md).",
        ),
        (
            lambda provider: provider.user.update(groups=None, roles=["desk"]),
            "the claim groups is missing. Add it at the provider, or set [web.oidc] groups_claim to one of "
            "aud, exp, iat, iss, nonce, preferred_username, roles, sub.",
        ),
        (
            lambda provider: provider.user.update(preferred_username=None),
            "the claim preferred_username is missing. Add it at the provider, or set [web.oidc] name_claim to one of",
        ),
        (
            lambda provider: provider.user.update(preferred_username="Two Words"),
            "'Two Words' cannot be a user's name",
        ),
        (
            lambda provider: setattr(provider, "seconds_ahead", 90),
            "check the clocks of this computer and of the provider",
        ),
        (lambda provider: setattr(provider, "seconds_ahead", -400), "check the clocks"),
    ],
)
def test_log_says_what_to_do(
    guest: httpx.Client,
    provider: OidcProvider,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[OidcProvider], None],
    line: str,
) -> None:
    spoil(provider)
    assert sign_in(guest).status_code == 401
    assert line.format(issuer=provider.issuer) in caplog.text


@pytest.mark.parametrize("seconds", [-60, 50])
def test_clocks_may_differ_by_a_minute(guest: httpx.Client, provider: OidcProvider, seconds: int) -> None:
    provider.seconds_ahead = seconds
    assert sign_in(guest).status_code == 303


@pytest.mark.parametrize("settings", [{"client_secret": "wrong"}])
def test_wrong_secret(guest: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    assert sign_in(guest).status_code == 401
    assert "check [web.oidc] client_id and the variable CRAWLER_WEB__OIDC__CLIENT_SECRET" in caplog.text


def test_refusal_is_a_page_that_repeats_nothing(guest: httpx.Client, provider: OidcProvider) -> None:
    provider.user["groups"] = ["others"]
    page = sign_in(guest, "/sources?language=kk")
    assert page.status_code == 401
    assert "none of your groups may use this newsroom" in page.text
    assert 'href="/login/organisation?next=/sources%3Flanguage%3Dkk"' in page.text
    links = [unescape(link) for link in re.findall(r'href="([^"]*lang=[^"]*)"', page.text)]
    assert [httpx.URL(link).path for link in links] == ["/login"] * 3
    asked = len(provider.redirect_addresses)
    translated = guest.get(next(link for link in links if "lang=ru" in link))
    assert (translated.status_code, translated.headers["content-language"]) == (401, "ru")
    assert "ни одной из ваших групп" in translated.text
    assert 'href="/login/organisation?next=/sources%3Flanguage%3Dkk"' in translated.text
    assert len(provider.redirect_addresses) == asked


def test_unknown_refusal_is_the_page_to_sign_in(guest: httpx.Client) -> None:
    page = guest.get("/login", params={"refused": "<b>"})
    assert page.status_code == 200
    assert 'role="alert"' not in page.text


def test_user_may_sign_out_at_the_provider_too(guest: httpx.Client, provider: OidcProvider, store: Store) -> None:
    assert sign_in(guest).status_code == 303
    page = sign_out(guest)
    assert page.url.raw_path == b"/login?out=organisation"
    assert store.sessions.list_by_user("aigerim", at=datetime.now(UTC)) == []
    assert "You are signed out here, but perhaps not at your organisation" in page.text
    assert provider.sign_outs == []  # only if the user wants it
    link = find_sign_out_link(page)
    assert link is not None
    back = httpx.get(link, verify=False)
    assert provider.sign_outs == [
        {"theme": "press", "client_id": CLIENT_ID, "post_logout_redirect_uri": "http://127.0.0.1:8000/login"}
    ]
    assert back.headers["location"] == "http://127.0.0.1:8000/login"
    assert find_sign_out_link(guest.get("/login")) is None


def test_other_language_offers_the_sign_out_as_well(guest: httpx.Client) -> None:
    assert sign_in(guest).status_code == 303
    link = re.search(r'href="([^"]*lang=ru)"', sign_out(guest).text)
    assert link is not None
    page = guest.get(unescape(link[1]))
    assert "Здесь вы вышли, а в организации, возможно, нет" in page.text
    assert "Выйти и в организации" in page.text


@pytest.mark.parametrize("endpoint", [None, "javascript:alert(1)", 7])
def test_provider_without_a_sign_out(guest: httpx.Client, provider: OidcProvider, endpoint: object) -> None:
    provider.end_session_endpoint = endpoint
    assert sign_in(guest).status_code == 303
    page = sign_out(guest)
    assert "You are signed out." in page.text
    assert find_sign_out_link(page) is None


def test_sign_out_needs_no_provider(
    guest: httpx.Client, newsroom: Newsroom, provider: OidcProvider, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    assert sign_in(guest).status_code == 303
    newsroom.reload()  # what the provider said before is forgotten
    provider.is_down = True
    page = sign_out(guest)
    assert page.status_code == 200
    assert "You are signed out." in page.text
    assert find_sign_out_link(page) is None
    assert store.sessions.list_by_user("aigerim", at=datetime.now(UTC)) == []
    assert "The sign-out at the organisation is not offered: " in caplog.text


def test_user_with_a_password_signs_out_here(guest: httpx.Client, store: Store) -> None:
    sign_in_by_password(guest, add_user(store, "dana", Role.READER))
    page = sign_out(guest)
    assert page.url.raw_path == b"/login?out=1"
    assert find_sign_out_link(page) is None
