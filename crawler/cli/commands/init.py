"""`crawler init`: write a commented crawler.toml and rules.toml to edit, and the schema of rules files for editors.

On a terminal it asks for contact and channel. A channel is written only after a test message was sent on it.
"""

from __future__ import annotations

import shlex
import sys
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.options import FormerLanguageOption, OutputLanguageOption
from crawler.errors import CrawlerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.cli.setup_questions import Setup

FILES = ("crawler.toml", "rules.toml", "rules.schema.json")
SUBSCRIPTION = "press"
"""Name of the subscription that gets the alerts of all rules."""
STDIN = "-"


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write them to.")] = Path(),
    contact: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Your mail or web address, for the User-Agent.")
    ] = None,
    mail: Annotated[
        str | None, typer.Option(metavar="URL", help="Mail channel: mailtos://user:password@host?to=…, or - (stdin).")
    ] = None,
    telegram: Annotated[
        str | None, typer.Option(metavar="TOKEN/CHAT", help="Telegram channel, or - to read it from stdin.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(metavar="URL", help="Any other channel, such as json://…, or - (stdin).")
    ] = None,
    output_language: OutputLanguageOption = None,
    language: FormerLanguageOption = None,
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing, also on a terminal.")] = False,
) -> None:
    """Write a commented crawler.toml and rules.toml.

    On a terminal it asks for your contact and a channel for alerts, sends a test message, and writes only what
    was confirmed. rules.schema.json lets editors complete and check the rules. Existing files are not overwritten.
    """
    from crawler.cli.selection import choose_output_language
    from crawler.cli.setup_questions import Setup, add_channel, can_ask, check_contact, complete_setup

    for name in FILES:
        if (folder / name).exists():
            raise UsageError(f"{folder / name} exists already and is not overwritten; move it away first.")
    setup = Setup(language=choose_output_language(output_language, language))
    if contact is not None:
        setup.contact = check_contact(contact)
    is_asking = not no_input and can_ask()
    for name, address in list_channels(mail, telegram, channel):
        add_channel(setup, name, address, is_asking=is_asking)
    if is_asking:
        complete_setup(setup)
    write_files(folder, setup)
    print_next_step(folder / "crawler.toml", setup)


def list_channels(mail: str | None, telegram: str | None, channel: str | None) -> list[tuple[str, str]]:
    """Return names and addresses of the given channels. `-` reads one of them from standard input."""
    from crawler.cli.setup_questions import MAIL, OTHER_CHANNEL, TELEGRAM, make_mail_address, make_telegram_address

    given: list[tuple[str, str | None, Callable[[str], str]]] = [
        (MAIL, mail, make_mail_address),
        (TELEGRAM, telegram, make_telegram_address),
        (OTHER_CHANNEL, channel, str),
    ]
    if [text for _, text, _ in given].count(STDIN) > 1:
        raise UsageError("Only one of --mail, --telegram and --channel can be read from standard input.")
    return [
        (name, make_address(sys.stdin.readline().strip() if text == STDIN else text))
        for name, text, make_address in given
        if text is not None
    ]


def write_files(folder: Path, setup: Setup) -> None:
    """Write the files, readable by their owner only. Raise UsageError if that is impossible."""
    from crawler.config import load_config
    from crawler.publish.atomic_write import write_atomic
    from crawler.service.channel_tests import record_channel_test

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}.") from error
    defaults = resources.files("crawler.defaults")
    for name in FILES:
        shipped = defaults.joinpath("own_rules.toml" if name == "rules.toml" else name).read_text(encoding="utf-8")
        text = fill_config(shipped, setup) if name == "crawler.toml" else shipped
        write_atomic(folder / name, text.encode(), "FOLDER")
        print(f"Wrote {folder / name}")
    with suppress(CrawlerError, OSError):  # `crawler config` then calls the channel untested
        config = load_config(folder / "crawler.toml")
        for name in setup.channels:
            record_channel_test(config, name)


def fill_config(text: str, setup: Setup) -> str:
    """Return the shipped configuration with what was confirmed. All comments stay."""
    from tomlkit import item

    changes = {'# rules = "rules.toml"': 'rules = "rules.toml"'}
    if setup.contact:
        changes['# contact = "press@example.org"'] = f"contact = {item(setup.contact).as_string()}"
    if setup.channels:
        names = item(list(setup.channels)).as_string()
        addresses = "\n".join(f"{name} = {item(address).as_string()}" for name, address in setup.channels.items())
        changes |= {
            "[alarms]": f"[alarms]\nchannels = {names}",
            "[channels]": f"[channels]\n{addresses}",
            "# One section for each source;": (
                f'[subscriptions.{SUBSCRIPTION}]\nchannels = {names}\nlanguage = "{setup.language}"\n\n'
                "# One section for each source;"
            ),
        }
    lines = text.split("\n")
    for shown, confirmed in changes.items():
        number = next(index for index, line in enumerate(lines) if line.startswith(shown))
        lines[number] = lines[number].replace(shown, confirmed, 1)
    return "\n".join(lines)


def print_next_step(file: Path, setup: Setup) -> None:
    """Print what was set up, and the command to type next."""
    option = "" if file.parent.absolute() == Path.cwd() else f"--config {shlex.quote(str(file))} "
    if setup.channels:
        print(
            f"Alerts of all rules go to {', '.join(setup.channels)}; `crawler {option}subscribe` shows and changes it."
        )
    if setup.contact:
        print(f"Next: `crawler {option}crawl` reads the sources once, `crawler {option}watch` watches them.")
    else:
        print(f"Write your mail or web address into `contact` of {file}, then run `crawler {option}crawl`.")
