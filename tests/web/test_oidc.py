"""Sign-in with an organisation: a real provider on a loopback port, and answers that must not be believed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from support.newsroom_server import run_newsroom
from support.newsroom_users import add_user, open_browser
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
def newsroom(store: Store, tmp_path: Path, provider: OidcProvider) -> Newsroom:
    oidc = OidcConfig.model_validate(
        {
            "issuer": provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": SecretStr(CLIENT_SECRET),
            "groups": GROUPS,
        }
    )
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


def sign_in(client: httpx.Client, target: str = "/") -> httpx.Response:
    return client.get(go_to_provider(client, target))


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


def test_redirect_address_is_printed(newsroom: Newsroom, provider: OidcProvider) -> None:
    lines = describe_access("http://127.0.0.1:8000/", newsroom).splitlines()
    assert lines[-1] == (
        f"Redirect address, for the provider {provider.issuer}: http://127.0.0.1:8000/login/organisation/callback"
    )


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


def test_name_of_another_user_is_not_taken_over(guest: httpx.Client, provider: OidcProvider, store: Store) -> None:
    add_user(store, "aigerim", Role.OWNER)
    answer = sign_in(guest)
    assert answer.status_code == 401
    assert "Another user of this newsroom has your name." in answer.text
    assert "session" not in guest.cookies
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
    assert guest.get("/login/organisation/callback", params=forged).status_code == 401
    assert "The provider answered: 'x \\nERROR forged'" in caplog.text


def test_new_keys_of_the_provider_are_read(guest: httpx.Client, provider: OidcProvider) -> None:
    assert sign_in(guest).status_code == 303
    provider.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
    assert sign_in(guest).status_code == 303


def test_answer_counts_once_and_in_its_own_browser(guest: httpx.Client, store: Store) -> None:
    path = go_to_provider(guest)
    with open_browser(str(guest.base_url)) as other:
        assert other.get(path).status_code == 401  # no cookie
    path = go_to_provider(guest)
    with open_browser(str(guest.base_url)) as other:
        other.get("/login")
        assert other.get(path).status_code == 401  # the cookie of another browser
    path = go_to_provider(guest)
    assert guest.get(path).status_code == 303
    assert guest.get(path).status_code == 401
    assert guest.get("/login/organisation/callback?code=x&state=y").status_code == 401
    assert len(store.sessions.list_by_user("aigerim", at=datetime.now(UTC))) == 1


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_sign_in_returns_to_this_server_only(guest: httpx.Client, target: str) -> None:
    assert sign_in(guest, target).headers["location"] == "/"


def test_nothing_is_open_without_a_sign_in(guest: httpx.Client) -> None:
    assert guest.get("/").status_code == 303


def test_provider_that_does_not_answer(guest: httpx.Client, provider: OidcProvider) -> None:
    provider.issuer += "/elsewhere"
    answer = guest.get("/login/organisation")
    assert answer.status_code == 401
    assert "The sign-in with your organisation failed." in answer.text
