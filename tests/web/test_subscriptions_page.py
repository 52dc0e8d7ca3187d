"""Subscriptions in the browser: analysts keep their own on the channels that owners let them use."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.newsroom_server import run_newsroom
from support.newsroom_users import add_user, open_browser, start_session

from crawler.config import load_config
from crawler.errors import UsageError
from crawler.roles import Role
from crawler.service.edited_files import get_file_mark
from crawler.store import Store
from crawler.web.access import Principal, SignIn
from crawler.web.forms import make_form_token
from crawler.web.newsroom import Newsroom
from crawler.web.pages.subscriptions import MAX_SUBSCRIPTIONS_PER_ANALYST, raise_if_not_subscribable

OFFICE = """# The office's file
[web]
analyst_channels = ["desk"]

[channels]
desk = "mailto://user:secret@example.org"  # Aigul
director = "mailto://other:secret@example.org"

[subscriptions.morning]
channels = ["director"]
when = "daily 09:15"
"""


@pytest.fixture
def config_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path))
    path = tmp_path / "crawler.toml"
    path.write_text(OFFICE, encoding="utf-8")
    path.chmod(0o600)
    return path


class SignedIn:
    """A user in a browser, who sends forms of the page with the file's mark."""

    def __init__(self, address: str, store: Store, name: str, role: Role, config_path: Path) -> None:
        session = start_session(store, add_user(store, name, role))
        self.client, self.path = open_browser(address, session), config_path
        self.token = make_form_token(session)

    def post(self, path: str = "/subscriptions", **values: object) -> httpx.Response:
        marks = {"config_mark": get_file_mark(self.path), "rules_mark": "none"}
        return self.client.post(path, data={"token": self.token, **marks, **values})


@pytest.fixture
def address(config_path: Path, store: Store) -> Iterator[str]:
    with run_newsroom(Newsroom(config=load_config(config_path), store=store)) as found:
        yield found


@pytest.fixture
def analyst(address: str, store: Store, config_path: Path) -> Iterator[SignedIn]:
    found = SignedIn(address, store, "timur", Role.ANALYST, config_path)
    with found.client:
        yield found


def read_subscriptions(path: Path) -> dict[str, dict[str, object]]:
    return tomllib.loads(path.read_text(encoding="utf-8"))["subscriptions"]


NEW = {"do": "add", "name": "mine", "channel": "desk", "rule": "ihl", "when": "hourly", "language": "kk"}


def test_analyst_adds_changes_and_ends_their_own(analyst: SignedIn, config_path: Path, store: Store) -> None:
    assert analyst.post(**NEW).status_code == 303
    own = {"channels": ["desk"], "rules": ["ihl"], "when": "hourly", "language": "kk", "user": "timur"}
    assert read_subscriptions(config_path)["mine"] == own
    text = config_path.read_text(encoding="utf-8")
    assert "# Aigul" in text
    assert "secret@" not in analyst.client.get("/subscriptions").text
    changed = {**NEW, "do": "set", "when": "realtime", "rule": []}
    assert analyst.post(**changed).status_code == 303
    assert read_subscriptions(config_path)["mine"] == {**own, "rules": [], "when": "realtime"}
    assert analyst.post(do="end", name="mine").status_code == 303
    assert list(read_subscriptions(config_path)) == ["morning"]
    assert [each.action for each in store.audit.list_newest(9)] == [
        "subscription.end",
        "subscription.set",
        "subscription.add",
    ]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"do": "end", "name": "morning"}, 403),
        ({**NEW, "do": "set", "name": "morning"}, 403),
        ({**NEW, "channel": "director"}, 400),
        ({**NEW, "channel": ""}, 422),
        ({**NEW, "name": "morning"}, 422),
        ({**NEW, "name": "!"}, 422),
        ({**NEW, "when": "never"}, 400),
        ({**NEW, "rule": "none-such"}, 400),
        ({**NEW, "do": "set", "name": "absent"}, 400),
        ({**NEW, "config_mark": "0" * 32}, 409),
    ],
)
def test_what_an_analyst_may_not_do_changes_nothing(
    analyst: SignedIn, config_path: Path, values: dict[str, object], status: int
) -> None:
    assert analyst.post(**values).status_code == status
    assert config_path.read_text(encoding="utf-8") == OFFICE


def test_owner_changes_all_and_keeps_an_unusual_time(address: str, store: Store, config_path: Path) -> None:
    owner = SignedIn(address, store, "dana", Role.OWNER, config_path)
    with owner.client:
        page = owner.client.get("/subscriptions").text
        assert "<option selected>daily 09:15</option>" in page
        values = {"name": "morning", "channel": ["desk", "director"], "when": "daily 09:15", "language": "ru"}
        assert owner.post(do="set", **values).status_code == 303
    found = read_subscriptions(config_path)["morning"]
    assert (found["channels"], found["when"], "user" in found) == (["desk", "director"], "daily 09:15", False)


def test_analyst_saves_a_search_with_a_subscription(analyst: SignedIn, config_path: Path, store: Store) -> None:
    page = analyst.client.get("/search?q=Krisenstab").text
    assert "Save as a rule and subscribe" in page
    assert '<option value="">' not in page.partition('id="channel"')[2].partition("</select>")[0]
    search = {"q": "Krisenstab", "name": "staff", "when": "realtime", "back": "/search?q=Krisenstab"}
    assert analyst.post("/search/save", **search, channel="").status_code == 422
    assert analyst.post("/search/save", **search, channel="director").status_code == 400
    saved = analyst.post("/search/save", **search, channel="desk")
    assert saved.status_code == 303, saved.text
    assert read_subscriptions(config_path)["staff"]["user"] == "timur"
    assert [each.action for each in store.audit.list_newest(2)] == ["subscription.add", "rule.add"]
    assert "staff" in (config_path.parent / "rules.toml").read_text(encoding="utf-8")
    assert "You are subscribed" in analyst.client.get(saved.headers["location"]).text


def test_search_names_no_subscription_of_somebody_else(address: str, store: Store, config_path: Path) -> None:
    for name, role in (("aigul", Role.READER), ("timur", Role.ANALYST)):
        user = SignedIn(address, store, name, role, config_path)
        with user.client:
            page = user.client.get("/search?saved=morning").text
        assert ("Rule morning" in page, "You are subscribed" in page, "director" in page) == (True, False, False)


def test_number_of_an_analysts_subscriptions_is_limited(store: Store, config_path: Path) -> None:
    many = "".join(
        f'[subscriptions.s{number}]\nchannels = ["desk"]\nuser = "timur"\n'
        for number in range(MAX_SUBSCRIPTIONS_PER_ANALYST)
    )
    config_path.write_text(OFFICE + many, encoding="utf-8")
    newsroom = Newsroom(config=load_config(config_path), store=store)
    with pytest.raises(UsageError, match="the most that an analyst may have"):
        raise_if_not_subscribable(newsroom, make_principal("timur", Role.ANALYST), ["desk"])
    raise_if_not_subscribable(newsroom, make_principal("aigul", Role.ANALYST), ["desk"])


def make_principal(name: str, role: Role) -> Principal:
    return Principal(name=name, role=role, sign_in=SignIn.SESSION)
