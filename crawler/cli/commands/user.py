"""`crawler user`: the users of the newsroom in a browser: add, list, show, change, disable, erase; API keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.console import format_local_time, format_table, print_json
from crawler.cli.help import CommandApp
from crawler.cli.options import JsonOption
from crawler.errors import UsageError, suggest_nearest
from crawler.roles import LOCAL_NAME, Role

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.store import Store
    from crawler.store.users import User

app = CommandApp(help="Add and change users of the newsroom in a browser.", no_args_is_help=True)
SHOWN_ENTRIES = 20
MAX_KEY_DAYS = 3650
UserArgument = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="Name of a user.")]
RoleOption = Annotated[Role, typer.Option("--role", help="What the user may do.")]


@app.command()
def add(
    context: typer.Context,
    name: UserArgument,
    role: RoleOption = Role.READER,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="A trusted proxy says who signs in (Remote-User).")
    ] = False,
) -> None:
    """Add a user. The password is asked for, or read from standard input."""
    from crawler.web.passwords import clean_user_name, hash_password

    cleaned = clean_user_name(name)
    with open_store_of_users(context.obj) as (_, store):
        if store.users.get(cleaned) is not None:
            raise UsageError(f"There is a user {cleaned} already. Change the role with `crawler user role`.")
        hashed = None if no_password else hash_password(read_password())
        store.users.add(cleaned, role, at=datetime.now(UTC), password_hash=hashed)
        record_change(store, "user.add", f"{cleaned} {role}")
        print(f"{cleaned} is {format_role(role)}.")
        if not any(user.role is Role.OWNER for user in store.users.list_all()):
            print("There is no owner yet: add one with `crawler user add NAME --role owner`.")


@app.command("list")
def list_users(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the users with their roles."""
    with open_store_of_users(context.obj) as (config, store):
        users = store.users.list_all()
    if as_json:
        for user in users:
            print_json({**describe_user(user), "created_at": user.created_at.isoformat()})
        return
    if not users:
        print("There are no users: everything in the newsroom is done as `local`. Add one with `crawler user add`.")
        return
    rows = [
        (user.name, user.role.value, describe_sign_in(user), format_local_time(user.created_at, config.timezone))
        for user in users
    ]
    print("\n".join(format_table([("name", "role", "signs in", "added"), *rows])))


@app.command()
def show(context: typer.Context, name: UserArgument) -> None:
    """Show everything that is stored about a user."""
    with open_store_of_users(context.obj) as (config, store):
        user, now = get_user(store, name), datetime.now(UTC)
        sessions = store.sessions.list_by_user(user.name, at=now)
        keys = store.api_keys.list_by_user(user.name)
        entries = store.audit.list_newest(SHOWN_ENTRIES, made_by=user.name)
        counts = store.reader_actions.count_by_user(user.name)

    def format_time(at: datetime) -> str:
        return format_local_time(at, config.timezone)

    print(f"{user.name}: {user.role}, {describe_sign_in(user)}, added {format_time(user.created_at)}")
    print(f"feed addresses: {'yes' if user.feed_secret_hash else 'none'}")
    for session in sessions:
        print(f"session since {format_time(session.created_at)}, last used {format_time(session.used_at)}")
    for key in keys:
        used = f"last used {format_time(key.used_at)}" if key.used_at else "never used"
        print(f"key {key.id} {key.title!r}: {key.role}, {' '.join(sorted(key.scopes))}, {used}")
    print(f"actions on articles: {', '.join(f'{kind} {count}' for kind, count in counts.items()) or 'none'}")
    for entry in entries:
        print(" ".join(filter(None, (format_time(entry.made_at), entry.action, entry.about, entry.address))))


@app.command("role")
def set_role(
    context: typer.Context,
    name: UserArgument,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="reader, analyst or owner.")],
) -> None:
    """Change the role of a user."""
    with open_store_of_users(context.obj) as (_, store):
        user = get_user(store, name)
        store.users.set_role(user.name, role)
        record_change(store, "user.role", f"{user.name} {role}")
    print(f"{user.name} is {format_role(role)}.")


@app.command()
def password(context: typer.Context, name: UserArgument) -> None:
    """Set a password, asked for or read from standard input.

    The user's sessions end.
    """
    from crawler.web.passwords import hash_password

    with open_store_of_users(context.obj) as (_, store):
        user = get_user(store, name)
        store.users.set_password(user.name, hash_password(read_password()))
        record_change(store, "user.password", user.name)
    print(f"{user.name} has a new password. All sessions of {user.name} have ended.")


@app.command()
def disable(context: typer.Context, name: UserArgument) -> None:
    """Keep a user from signing in, and end the sessions.

    The user's API keys and feed addresses do not work until `crawler user enable`.
    """
    with open_store_of_users(context.obj) as (_, store):
        user = get_user(store, name)
        store.users.set_disabled(user.name, True)
        record_change(store, "user.disable", user.name)
    print(f"{user.name} is disabled; `crawler user enable {user.name}` undoes this.")


@app.command()
def enable(context: typer.Context, name: UserArgument) -> None:
    """Let a disabled user sign in again."""
    with open_store_of_users(context.obj) as (_, store):
        user = get_user(store, name)
        store.users.set_disabled(user.name, False)
        record_change(store, "user.enable", user.name)
    print(f"{user.name} may sign in.")


@app.command()
def erase(context: typer.Context, name: UserArgument) -> None:
    """Delete a user with sessions, keys and seen marks.

    Notes and the log of changes stay, without the name.
    """
    with open_store_of_users(context.obj) as (_, store):
        user = get_user(store, name)
        store.users.erase(user.name)
        record_change(store, "user.erase", "")
    print(f"{user.name} is erased. Notes and the log of changes stay, without the name.")


@app.command()
def key(
    context: typer.Context,
    name: UserArgument,
    title: Annotated[str, typer.Option(metavar="TEXT", help="What the key is for.")] = "",
    role: RoleOption = Role.READER,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="read, write, metrics or feeds; several times.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=MAX_KEY_DAYS, metavar="N", help="The key is valid for N days.")
    ] = None,
    delete: Annotated[int | None, typer.Option(metavar="N", help="Delete key N of `crawler user show`.")] = None,
) -> None:
    """Make an API key and print it once, or delete one."""
    from crawler.web.access import KeyScope
    from crawler.web.passwords import hash_secret, make_api_key

    scopes = scope or [KeyScope.READ.value]
    for each in scopes:
        if each not in list(KeyScope):
            raise UsageError(f"--scope {each}: there is no such scope. Scopes: {', '.join(KeyScope)}.")
    with open_store_of_users(context.obj) as (_, store):
        user, now = get_user(store, name), datetime.now(UTC)
        if delete is not None:
            if not store.api_keys.delete(delete, user.name):
                raise UsageError(f"{user.name} has no key {delete}. `crawler user show {user.name}` lists the keys.")
            record_change(store, "key.delete", f"{user.name} {delete}")
            print(f"Key {delete} of {user.name} is deleted.")
            return
        if not user.role.covers(role):
            raise UsageError(f"--role {role}: {user.name} is only {format_role(user.role)}.")
        made = make_api_key()
        until = now + timedelta(days=days) if days else None
        number = store.api_keys.add(
            user.name, hash_secret(made), title=title, role=role, scopes=scopes, at=now, expires_at=until
        )
        record_change(store, "key.add", f"{user.name} {number} {title}".rstrip())
    print(made)
    print("This key is shown once. Send it as `Authorization: Bearer KEY`.", file=sys.stderr)


@contextmanager
def open_store_of_users(config_path: Path | None) -> Iterator[tuple[Config, Store]]:
    """Open the store of the configuration. It may have no article yet: users can be added before the first run."""
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store

    config = load_config(config_path)
    with open_configured_store(config) as store:
        yield config, store


def get_user(store: Store, name: str) -> User:
    """Return a user by name. Raise UsageError if there is none."""
    from crawler.web.passwords import clean_user_name

    user = store.users.get(clean_user_name(name))
    if user is None:
        hint = suggest_nearest(name, [each.name for each in store.users.list_all()]) or "."
        raise UsageError(f"There is no user {name!r}{hint} `crawler user list` lists them.")
    return user


def read_password() -> str:
    """Return a password: asked for twice on a terminal, else the first line of standard input."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline().rstrip("\r\n")
        if not line:
            raise UsageError("Standard input has no password. Write it in the first line.")
        return line
    first = getpass("Password: ")
    if getpass("Password again: ") != first:
        raise UsageError("The two passwords differ. Nothing was changed.")
    return first


def describe_sign_in(user: User) -> str:
    """Return how a user signs in."""
    if user.is_disabled:
        return "disabled"
    if user.subject is not None:
        return "with the organisation"
    return "with a password" if user.password_hash else "only by a trusted proxy"


def describe_user(user: User) -> dict[str, object]:
    """Return what `--json` prints of a user: no hash."""
    return {"name": user.name, "role": user.role.value, "sign_in": describe_sign_in(user)}


def format_role(role: Role) -> str:
    """Return a role with its article: `an owner`."""
    return f"a {role}" if role is Role.READER else f"an {role}"


def record_change(store: Store, action: str, about: str) -> None:
    """Write into the log what a command has changed."""
    store.audit.record(LOCAL_NAME, action, about, at=datetime.now(UTC))
