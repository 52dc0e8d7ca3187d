"""`crawler init` with questions: on a pseudo-terminal and by options, with a real SMTP server and a real web hook."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest
from notify.test_dispatcher import MailBox
from support.sandbox import Sandbox
from support.webhook_server import WebhookServer
from typer.testing import CliRunner, Result

from crawler.cli.app import app
from crawler.cli.setup_questions import make_server_address
from crawler.config import Config, load_config
from crawler.errors import ConfigError, CrawlerError, Unreachable, UsageError
from crawler.notify.transports import Transport
from crawler.service.channel_tests import get_channel_test

FILES = ["crawler.toml", "rules.schema.json", "rules.toml"]
ON_TERMINAL = """
import fcntl, signal, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from crawler.__main__ import main
main()
"""
"""The command with standard input as the terminal of its session, from which Ctrl-C comes.

It handles Ctrl-C also where the tests run in the background of a shell, which makes its commands ignore the signal.
"""
NOBODY = "mailto://127.0.0.1:9?from=a@example.org&to=b@example.org&mode=insecure"


@pytest.fixture
def box() -> Iterator[MailBox]:
    one = MailBox()
    yield one
    one.controller.stop()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_init(*options: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, ["init", "new", *options], input=answers, catch_exceptions=False)


def list_written() -> list[str]:
    return sorted(path.name for path in Path("new").iterdir()) if Path("new").exists() else []


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.cli.setup_questions.can_ask", lambda: True)


def test_options_are_written_after_a_test_message(box: MailBox) -> None:
    address = box.make_address("press@example.org")
    done = run_init("--contact", "press@example.org", "--mail", address, "--language", "ru", "--no-input")
    assert (done.exit_code, list_written()) == (0, FILES)
    (mail,) = box.mails
    assert mail["To"] == "press@example.org"
    assert mail["Content-Language"] == "ru"
    config = load_config(Path("new/crawler.toml"))
    assert config.contact == "press@example.org"
    assert config.channels["mail"].get_secret_value() == address
    assert [secret.get_secret_value() for secret in config.alarm_channels.values()] == [address]
    assert (config.subscriptions["press"].channels, config.subscriptions["press"].language) == (("mail",), "ru")
    assert get_channel_test(config, "mail") is not None
    assert Path("new/crawler.toml").stat().st_mode & 0o777 == 0o600
    assert address not in done.output
    assert done.output.endswith(
        "Next: `crawler --config new/crawler.toml crawl` reads the sources once, "
        "`crawler --config new/crawler.toml watch` watches them.\n"
    )


def test_comments_of_the_shipped_file_stay(box: MailBox) -> None:
    run_init("--no-input")
    plain = Path("new/crawler.toml").read_text("utf-8").split("\n")
    Path("new").rename("plain")
    run_init("--contact", "https://example.org/«a\\b»", "--mail", box.make_address("a@example.org"), "--no-input")
    filled = Path("new/crawler.toml").read_text("utf-8").split("\n")
    assert [line for line in plain if line not in filled] == ['# contact = "press@example.org"']
    assert load_config(Path("new/crawler.toml")).contact == "https://example.org/«a\\b»"


def test_a_secret_is_read_from_standard_input() -> None:
    with WebhookServer() as hook:
        address = f"{hook.address}?secret=s"
        done = run_init("--channel", "-", "--no-input", answers=f"{address}\n")
        assert (done.exit_code, len(hook.requests)) == (0, 1)
    assert load_config(Path("new/crawler.toml")).channels["desk"].get_secret_value() == address
    assert done.output.endswith(
        "into `contact` of new/crawler.toml, then run `crawler --config new/crawler.toml crawl`.\n"
    )


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        (("--mail", NOBODY), Unreachable, "mail: not sent: "),
        (("--channel", "nonsense"), ConfigError, "channels.desk: Apprise does not know this kind of address."),
        (("--mail", "user:password@example.org?to=nobody"), ConfigError, "one of its recipients is no mail address"),
        (("--channel", "json://x\x07y"), UsageError, "must be one line without control characters"),
        (("--contact", "my desk"), UsageError, "'my desk' is no mail or web address"),
        (("--contact", "a@example.org\nX: y"), UsageError, "is no mail or web address"),
        (("--output-language", "de"), UsageError, "There is no language 'de'"),
        (("--mail", "-", "--channel", "-"), UsageError, "Only one of --mail, --telegram and --channel"),
    ],
)
def test_nothing_is_written_after_a_failure(options: tuple[str, ...], kind: type[CrawlerError], said: str) -> None:
    with pytest.raises(kind) as caught:
        run_init(*options, "--no-input")
    assert said in str(caught.value)
    assert "password" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert list_written() == []


def test_an_existing_file_ends_it_before_a_message_is_sent(box: MailBox) -> None:
    Path("new").mkdir()
    Path("new/rules.toml").write_text("mine")
    with pytest.raises(UsageError, match="exists already and is not overwritten"):
        run_init("--mail", box.make_address("a@example.org"), "--no-input")
    assert (box.mails, list_written()) == ([], ["rules.toml"])


@pytest.mark.usefixtures("on_terminal")
def test_wrong_answers_are_asked_again(box: MailBox) -> None:
    box.refuses.add("nobody@example.org")
    server = f"127.0.0.1:{box.port}"
    answers = [
        *("me", "desk@example.org"),  # contact
        *("de", "kk"),  # language
        *("pigeon", "mail", "smtp server", "", "press@example.org", ""),  # no such server
        *("mail", server, "", "nobody@example.org", "desk@example.org"),  # refused by the server
        *("mail", server, "", "press@example.org", "", "n"),  # it did not arrive
        *("mail", server, "", "press@example.org", "desk@example.org", ""),
    ]
    done = run_init(answers="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    for said in (
        "'me' is no mail or web address",
        "There is no language 'de'",
        "'pigeon' is none of mail, telegram, other, none.",
        "'smtp server' is no mail server",
        "mail: not sent: ",
        "Then the channel is not written.",
    ):
        assert done.output.count(said) == 1, said
    assert [mail["From"] for mail in box.mails] == ["press@example.org", "desk@example.org"]
    config = load_config(Path("new/crawler.toml"))
    assert (config.contact, config.subscriptions["press"].language) == ("desk@example.org", "kk")
    Transport("mail", config.channels["mail"].get_secret_value())


@pytest.mark.usefixtures("on_terminal")
def test_nothing_is_asked_that_is_given_and_none_is_an_answer() -> None:
    done = run_init("--contact", "a@example.org", answers="\nnone\n")
    assert done.exit_code == 0
    assert "Your mail or web address" not in done.output
    config = load_config(Path("new/crawler.toml"))
    assert (config.contact, config.channels, config.subscriptions) == ("a@example.org", {}, {})


@pytest.mark.usefixtures("on_terminal")
def test_a_given_channel_that_fails_or_does_not_arrive_is_asked_for(box: MailBox) -> None:
    done = run_init("--contact", "a@example.org", "--mail", NOBODY, answers="\nnone\n")
    assert "mail: not sent: " in done.output
    assert load_config(Path("new/crawler.toml")).channels == {}
    Path("new").rename("old")
    done = run_init("--contact", "a@example.org", "--mail", box.make_address("b@example.org"), answers="n\n\nnone\n")
    assert "Then the channel is not written." in done.output
    assert load_config(Path("new/crawler.toml")).channels == {}
    Path("new").rename("older")
    done = run_init("--contact", "a@example.org", "--mail", box.make_address("b@example.org"), answers="y\n")
    assert list(load_config(Path("new/crawler.toml")).channels) == ["mail"]
    assert len(box.mails) == 2


@pytest.mark.usefixtures("on_terminal")
def test_an_end_of_input_writes_nothing(box: MailBox) -> None:
    done = run_init(answers="a@example.org\n")
    assert (done.exit_code, list_written()) == (1, [])


@pytest.mark.parametrize(
    ("server", "user", "address"),
    [
        ("smtp.example.org", "me@example.org", "mailtos://me%40example.org:p%40%2F%3Fs%23@smtp.example.org:587"),
        ("smtp.example.org:465", "me", "mailtos://me:p%40%2F%3Fs%23@smtp.example.org:465"),
        ("mail.example.org:25", "", "mailto://mail.example.org:25"),
        ("localhost", "", "mailto://localhost:25"),
    ],
)
def test_address_of_a_mail_server(server: str, user: str, address: str) -> None:
    import apprise

    made = make_server_address(server, user, "p@/?s#", "me@example.org", "a+b@example.org")
    assert made.partition("?")[0] == address
    plugin = apprise.Apprise.instantiate(made)
    host, port = address.rpartition("@")[2].rpartition("/")[2].split(":")
    assert (plugin.smtp_host, plugin.port, plugin.from_addr[1]) == (host, int(port), "me@example.org")
    assert plugin.targets == [(False, "a+b@example.org")]
    assert (plugin.user, plugin.password) == ((user, "p@/?s#") if user else (None, None))
    assert plugin.secure_mode == {"587": "starttls", "465": "ssl", "25": "insecure"}[port]
    Transport("mail", made)


class PseudoTerminal:
    """A command on a pseudo-terminal, answered like a person does: each answer after its question."""

    def __init__(self, sandbox: Sandbox, *words: str) -> None:
        self.terminal, other = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, *words],
            stdin=other, stdout=other, stderr=other, cwd=sandbox.work_dir, env=sandbox.make_environment(),
            start_new_session=True,
        )  # fmt: skip
        os.close(other)
        self.shown = ""

    def wait(self) -> int:
        """Read to the end. Return the exit code."""
        self.read_until("")
        os.close(self.terminal)
        return self.process.wait(120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def read_until(self, text: str, seconds: float = 120) -> None:
        """Wait for a text after what was shown before. An empty text waits for the end."""
        begin, deadline = len(self.shown), time.monotonic() + seconds
        while not text or text not in self.shown[begin:]:
            assert time.monotonic() < deadline, self.shown
            if not select.select([self.terminal], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self.terminal, 4096)
            except OSError:  # the command has ended
                data = b""
            if not data:
                assert not text, self.shown
                return
            self.shown += data.decode("utf-8", "replace").replace("\r\n", "\n")

    def press_ctrl_c(self) -> None:
        """Press Ctrl-C, each second again, until the command ends.

        Python does not see a signal that arrives after a question is printed and before the terminal is read, until
        the next key is pressed.
        """
        deadline = time.monotonic() + 120
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.shown
            os.write(self.terminal, b"\x03")
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1)

    def answer(self, question: str, answer: str) -> None:
        """Wait for the question and type the answer."""
        self.read_until(question)
        os.write(self.terminal, f"{answer}\n".encode())


@pytest.mark.slow
def test_questions_on_a_terminal(tmp_path: Path, box: MailBox) -> None:
    sandbox = Sandbox(tmp_path)
    sandbox.make_environment()
    with PseudoTerminal(sandbox, "init") as command:
        command.answer("Your mail or web address", "desk@example.org")
        command.answer("Language of messages", "ru")
        command.answer("Where should alerts go", "mail")
        command.answer("Mail server", f"127.0.0.1:{box.port}")
        command.answer("User name", "")
        command.answer("Recipient", "press@example.org")
        command.answer("Sender", "")
        command.answer("Did the message arrive?", "y")
        assert command.wait() == 0, command.shown
    assert [mail["To"] for mail in box.mails] == ["press@example.org"]
    config = load_config(sandbox.work_dir / "crawler.toml")
    assert (config.contact, config.subscriptions["press"].language) == ("desk@example.org", "ru")
    assert (sandbox.work_dir / "crawler.toml").stat().st_mode & 0o777 == 0o600
    assert re.search(
        r"\nNext: `crawler crawl` reads the sources once, `crawler watch` watches them\.\n$", command.shown
    )


@pytest.mark.slow
def test_a_password_is_not_shown_and_ctrl_c_writes_nothing(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    sandbox.make_environment()
    with PseudoTerminal(sandbox, "init", "--contact", "a@example.org") as command:
        command.answer("Language of messages", "")
        command.answer("Where should alerts go", "mail")
        command.answer("Mail server", "smtp.example.org")
        command.answer("User name", "me")
        command.answer("Password: ", "seven-secrets")
        command.read_until("Recipient")
        command.press_ctrl_c()
        assert command.wait() in (1, 130), command.shown
    assert "seven-secrets" not in command.shown
    assert list(sandbox.work_dir.iterdir()) == []


def test_timezone_of_the_built_in_configuration_is_a_zone() -> None:
    assert Config.model_fields["timezone"].default == Config().timezone
