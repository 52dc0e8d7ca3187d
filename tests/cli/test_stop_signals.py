"""Ctrl-C and SIGTERM end the real executable without a traceback, also while it imports modules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.sandbox import Sandbox

EXECUTABLE = Path(sys.executable).with_name("crawler")
SIGNAL_SENDER = """
import os, signal, sys

def send_signal(event, values):
    if event in ("import", "open") and values[0] == os.environ["SIGNAL_AT"]:
        os.kill(os.getpid(), int(os.environ["SIGNAL_NUMBER"]))

if "IGNORES_SIGNAL" in os.environ:
    signal.signal(int(os.environ["SIGNAL_NUMBER"]), signal.SIG_IGN)
sys.addaudithook(send_signal)
"""


def send_signal_at(
    where: object, number: int, words: Sequence[object], folder: Path, **variables: str
) -> tuple[int, str, str]:
    """Return the exit code, the output and the errors of a command that gets a signal at an import or an open file."""
    (folder / "sitecustomize.py").write_text(SIGNAL_SENDER)
    sandbox = Sandbox(folder)
    environment = sandbox.make_environment(SIGNAL_AT=str(where), SIGNAL_NUMBER=str(int(number)), **variables)
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), environment["PYTHONPATH"]])
    command = [EXECUTABLE, *map(str, words)]
    done = subprocess.run(
        command, cwd=sandbox.work_dir, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "module", "number", "expected"),
    [
        (["articles"], "typer", signal.SIGINT, (130, "", "")),
        (["health"], "sqlalchemy", signal.SIGTERM, (143, "", "")),
        (["watch"], "crawler.service.reloader", signal.SIGINT, (0, "stopped\n", "")),
    ],
)
def test_a_signal_during_an_import_ends_the_command_silently(
    words: Sequence[str], module: str, number: int, expected: tuple[int, str, str], tmp_path: Path
) -> None:
    assert send_signal_at(module, number, words, tmp_path) == expected


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["crawler.cli.app", "crawler.errors", "pydantic", "crawler.store.schema"])
@pytest.mark.parametrize("words", [["crawl", "mfa"], ["export", "-o", "x.csv"], ["watch"], ["articles"]])
@pytest.mark.campaign
def test_no_signal_during_an_import_shows_a_traceback(
    words: Sequence[str], module: str, number: int, tmp_path: Path
) -> None:
    code, out, errors = send_signal_at(module, number, words, tmp_path)
    assert (code, out, errors) in ((128 + number, "", ""), (0, "stopped\n", ""))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_a_signal_during_the_work_ends_the_command_silently(number: int, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("The Red Cross met.")
    assert send_signal_at(text, number, ["match", text], tmp_path) == (128 + number, "", "")


@pytest.mark.slow
def test_a_command_started_without_ctrl_c_goes_on(tmp_path: Path) -> None:
    """A shell starts a background command with SIGINT ignored."""
    text = tmp_path / "text"
    text.write_text("The Red Cross met.")
    code, out, _ = send_signal_at(text, signal.SIGINT, ["match", text], tmp_path, IGNORES_SIGNAL="1")
    assert code == 0
    assert "Relevant: 1 strong of 1 match." in out
