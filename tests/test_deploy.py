"""What docs/deploy gives to copy: it can be read, and the commands in it are those of the program."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.config import Config

FOLDER = Path(__file__).parents[1] / "docs" / "deploy"
GRACE = 30
"""Seconds that a watch needs at most to end its runs and to tell what is to be told, with some to spare."""


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string((FOLDER / "crawler.service").read_text(encoding="utf-8"))
    return parser


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    return found


def dockerfile() -> dict[str, list[str]]:
    """The instructions by name."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            found.setdefault(name, []).append(rest)
    return found


def commands() -> dict[str, list[str]]:
    """Each command line of the program in the files, without the program's name."""
    (health,) = dockerfile()["HEALTHCHECK"]
    (entry,), (default,) = dockerfile()["ENTRYPOINT"], dockerfile()["CMD"]
    service = compose()["services"]["crawler"]
    lines = {
        "unit": unit()["Service"]["ExecStart"].split(),
        "image": [*json.loads(entry), *json.loads(default)],
        "image's health": json.loads(health.partition("CMD ")[2]),
        "compose": [*json.loads(entry), *service["command"]],
        "compose's health": service["healthcheck"]["test"][1:],
    }
    assert all(Path(words[0]).name == "crawler" for words in lines.values())
    return {name: words[1:] for name, words in lines.items()}


@pytest.mark.parametrize("name", ["unit", "image", "image's health", "compose", "compose's health"])
def test_command_is_one_of_the_program(name: str) -> None:
    done = CliRunner().invoke(app, [*commands()[name], "--help"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Usage: ")


def test_there_is_time_to_end_in_order() -> None:
    service = unit()["Service"]
    assert int(service["TimeoutStopSec"]) >= GRACE
    assert service["KillMode"] == "mixed"
    assert service["Type"] == "exec"
    assert int(compose()["services"]["crawler"]["stop_grace_period"].removesuffix("s")) >= GRACE


def test_nobody_is_root_and_what_is_kept_is_on_a_volume() -> None:
    assert unit()["Service"]["User"] == "crawler"
    instructions = dockerfile()
    assert instructions["USER"] == ["crawler"]
    assert instructions["VOLUME"] == ["/var/lib/crawler"]
    assert instructions["ENV"] == ["CRAWLER_DATA_DIR=/var/lib/crawler"]
    assert unit()["Service"]["Environment"] == "CRAWLER_DATA_DIR=/var/lib/crawler"
    volumes = compose()["services"]["crawler"]["volumes"]
    assert "archive:/var/lib/crawler" in volumes
    assert {volume.split(":")[0] for volume in volumes if not volume.startswith(".")} <= set(compose()["volumes"])


def test_variables_are_settings() -> None:
    environment = compose()["services"]["crawler"]["environment"]
    assert {name.removeprefix("CRAWLER_").lower() for name in environment} <= set(Config.model_fields)


def test_the_image_copies_what_is_there() -> None:
    root = FOLDER.parents[1]
    for line in dockerfile()["COPY"]:
        *given, _ = line.split()
        assert all((root / name).exists() for name in given)
    let_in = re.findall(r"^!(\S+)$", (FOLDER / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert sorted(let_in) == sorted(name for line in dockerfile()["COPY"] for name in line.split()[:-1])
    service = compose()["services"]["crawler"]
    assert (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == FOLDER / "Dockerfile"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_the_unit_is_one_to_systemd(tmp_path: Path) -> None:
    text = (FOLDER / "crawler.service").read_text(encoding="utf-8")
    copy = tmp_path / "crawler.service"
    copy.write_text(text.replace("/opt/crawler/.venv/bin/crawler", sys.executable).replace("User=crawler", "User=root"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    about = [line for line in done.stderr.splitlines() if "crawler.service" in line]
    assert (about, done.returncode) == ([], 0), done.stderr
