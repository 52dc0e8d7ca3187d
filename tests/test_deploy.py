"""The files in docs/deploy are valid, and the commands in them exist."""

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
"""Seconds in which a watch ends its runs and sends its last notifications, with a reserve."""


def read_unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string((FOLDER / "crawler.service").read_text(encoding="utf-8"))
    return parser


def read_compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    return found


def read_dockerfile() -> dict[str, list[str]]:
    """The instructions by name."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            found.setdefault(name, []).append(rest)
    return found


def list_command_lines() -> dict[str, list[str]]:
    """Each command line of the program in the files, without the program's name."""
    (health,) = read_dockerfile()["HEALTHCHECK"]
    (entry,), (default,) = read_dockerfile()["ENTRYPOINT"], read_dockerfile()["CMD"]
    service = read_compose()["services"]["crawler"]
    lines = {
        "unit": read_unit()["Service"]["ExecStart"].split(),
        "image": [*json.loads(entry), *json.loads(default)],
        "image's health": json.loads(health.partition("CMD ")[2]),
        "compose": [*json.loads(entry), *service["command"]],
        "compose's health": service["healthcheck"]["test"][1:],
    }
    assert all(Path(words[0]).name == "crawler" for words in lines.values())
    return {name: words[1:] for name, words in lines.items()}


@pytest.mark.parametrize("name", ["unit", "image", "image's health", "compose", "compose's health"])
def test_command_exists(name: str) -> None:
    done = CliRunner().invoke(app, [*list_command_lines()[name], "--help"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Usage: ")


def test_grace_periods_are_long_enough() -> None:
    service = read_unit()["Service"]
    assert int(service["TimeoutStopSec"]) >= GRACE
    assert service["KillMode"] == "mixed"
    assert service["Type"] == "exec"
    assert int(read_compose()["services"]["crawler"]["stop_grace_period"].removesuffix("s")) >= GRACE


def test_user_is_not_root_and_data_is_on_a_volume() -> None:
    assert read_unit()["Service"]["User"] == "crawler"
    instructions = read_dockerfile()
    assert instructions["USER"] == ["crawler"]
    assert instructions["VOLUME"] == ["/var/lib/crawler"]
    assert instructions["ENV"] == ["CRAWLER_DATA_DIR=/var/lib/crawler"]
    assert read_unit()["Service"]["Environment"] == "CRAWLER_DATA_DIR=/var/lib/crawler"
    volumes = read_compose()["services"]["crawler"]["volumes"]
    assert "archive:/var/lib/crawler" in volumes
    assert {volume.split(":")[0] for volume in volumes if not volume.startswith(".")} <= set(read_compose()["volumes"])


def test_variables_are_settings() -> None:
    environment = read_compose()["services"]["crawler"]["environment"]
    assert {name.removeprefix("CRAWLER_").lower() for name in environment} <= set(Config.model_fields)


def test_image_copies_existing_files() -> None:
    root = FOLDER.parents[1]
    for line in read_dockerfile()["COPY"]:
        *given, _ = line.split()
        assert all((root / name).exists() for name in given)
    let_in = re.findall(r"^!(\S+)$", (FOLDER / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert sorted(let_in) == sorted(name for line in read_dockerfile()["COPY"] for name in line.split()[:-1])
    service = read_compose()["services"]["crawler"]
    assert (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == FOLDER / "Dockerfile"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    text = (FOLDER / "crawler.service").read_text(encoding="utf-8")
    copy = tmp_path / "crawler.service"
    copy.write_text(text.replace("/opt/crawler/.venv/bin/crawler", sys.executable).replace("User=crawler", "User=root"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    about = [line for line in done.stderr.splitlines() if "crawler.service" in line]
    assert (about, done.returncode) == ([], 0), done.stderr
