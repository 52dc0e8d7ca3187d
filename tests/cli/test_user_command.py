"""`crawler user`: add, list, show, change, disable, erase; keys; passwords from standard input only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.sandbox import Sandbox

from crawler.roles import Role
from crawler.web.passwords import hash_secret, is_password

PASSWORD = "four words are easy"


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def run(sandbox: Sandbox, *words: str, given: str = "", code: int = 0) -> Any:
    done = sandbox.run_forked("crawler.__main__:main", "crawler", "user", *words, given=given)
    assert done.code == code, done.all_output
    assert "Traceback" not in done.err
    return done


@pytest.mark.slow
def test_users_from_the_first_to_the_last(sandbox: Sandbox) -> None:
    assert "There are no users" in run(sandbox, "list").out
    done = run(sandbox, "add", "Timur", given=f"{PASSWORD}\n")
    assert "timur is a reader." in done.out
    assert "There is no owner yet" in done.out
    assert run(sandbox, "add", "dana", "--role", "owner", given=PASSWORD).out == "dana is an owner.\n"
    assert "There is a user timur already" in run(sandbox, "add", "TIMUR", given=PASSWORD, code=2).err
    run(sandbox, "role", "timur", "analyst")
    run(sandbox, "disable", "timur")
    rows = [json.loads(line) for line in run(sandbox, "list", "--json").out.splitlines()]
    assert [(row["name"], row["role"], row["sign_in"]) for row in rows] == [
        ("dana", "owner", "with a password"),
        ("timur", "analyst", "disabled"),
    ]
    run(sandbox, "enable", "timur")
    run(sandbox, "password", "timur", given="another four words here\n")
    assert "dana is the only owner" in run(sandbox, "disable", "dana", code=2).err
    run(sandbox, "erase", "timur")
    with sandbox.open_store() as store:
        (dana,) = store.users.list_all()
        assert dana.role is Role.OWNER
        assert is_password(PASSWORD, dana.password_hash)
        listed = store.audit.list_newest(50)
    assert {each.made_by for each in listed} == {"local"}
    assert "timur" not in str(listed)


def test_key_is_printed_once(sandbox: Sandbox) -> None:
    run(sandbox, "add", "timur", "--role", "analyst", "--no-password")
    done = run(sandbox, "key", "timur", "--title", "script", "--scope", "read", "--scope", "metrics", "--days", "30")
    key = done.out.strip()
    with sandbox.open_store() as store:
        (found,) = store.api_keys.list_by_user("timur")
        assert store.api_keys.find(hash_secret(key), at=found.created_at) is not None
        store.audit.record("timur", "session.start", "", at=found.created_at, address="192.0.2.7")
        assert (found.role, found.scopes, (found.expires_at - found.created_at).days) == (  # type: ignore[operator]
            Role.READER,
            {"read", "metrics"},
            30,
        )
    shown = run(sandbox, "show", "timur").out
    assert f"key {found.id} 'script': reader, metrics read, last used" in shown
    assert "only by a trusted proxy" in shown
    assert "session.start 192.0.2.7" in shown
    assert key not in shown
    run(sandbox, "key", "timur", "--delete", str(found.id))
    assert "has no key" in run(sandbox, "key", "timur", "--delete", str(found.id), code=2).err


@pytest.mark.parametrize(
    ("words", "given", "part"),
    [
        (("add", "dana"), "short\n", "from 12 to 256 characters"),
        (("add", "dana"), "", "Standard input has no password"),
        (("add", "local"), PASSWORD, "cannot be a user's name"),
        (("add", "a b"), PASSWORD, "cannot be a user's name"),
        (("add", "../dana"), PASSWORD, "cannot be a user's name"),
        (("show", "danaa"), "", "did you mean 'dana'"),
        (("role", "dana", "admin"), "", "admin"),
        (("key", "dana", "--role", "owner"), "", "dana is only a reader"),
        (("key", "dana", "--scope", "all"), "", "Scopes: read, write, metrics, feeds"),
    ],
)
def test_mistakes_are_one_sentence(sandbox: Sandbox, words: tuple[str, ...], given: str, part: str) -> None:
    if words[0] != "add":
        run(sandbox, "add", "dana", "--no-password")
    assert part in run(sandbox, *words, given=given, code=2).all_output


def test_no_option_takes_a_password(sandbox: Sandbox) -> None:
    for command in ("add", "password"):
        assert "--password " not in run(sandbox, command, "--help").out
