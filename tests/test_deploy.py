"""The files in docs/deploy are valid, and the commands in them exist."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
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


UNITS = sorted((FOLDER / "systemd").glob("*.service"))
SERVICES = ("watch", "worker", "serve")
UNIT_OF_SERVICE = {"watch": "crawler.service", "worker": "crawler-worker@.service", "serve": "crawler-serve.service"}


def read_unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string((FOLDER / "systemd" / name).read_text(encoding="utf-8"))
    return parser


def read_compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    return found


def read_kubernetes() -> dict[str, dict[str, Any]]:
    """The Deployments and StatefulSets of the program by their component."""
    documents = yaml.safe_load_all((FOLDER / "kubernetes" / "crawler.yaml").read_text(encoding="utf-8"))
    workloads = [each for each in documents if each["kind"] in ("Deployment", "StatefulSet")]
    return {each["metadata"]["labels"]["app.kubernetes.io/component"]: each for each in workloads}


def read_dockerfile() -> dict[str, list[str]]:
    """The instructions by name."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", " ")):
            name, _, rest = line.partition(" ")
            found.setdefault(name, []).append(rest)
    return found


def list_command_lines() -> Iterator[tuple[str, list[str]]]:
    """Each command line of the program in the files, without the program's name."""
    (health,) = read_dockerfile()["HEALTHCHECK"]
    (entry,), (default,) = read_dockerfile()["ENTRYPOINT"], read_dockerfile()["CMD"]
    assert json.loads(entry) == ["crawler"]
    yield "image", json.loads(default)
    yield "image's health", json.loads(health.partition("CMD ")[2])[1:]
    for unit in UNITS:
        found = re.search(r"^ExecStart=.*?/bin/crawler (.*?)'?$", unit.read_text(encoding="utf-8"), re.MULTILINE)
        assert found is not None
        yield unit.name, found[1].split()
    for name in SERVICES:
        service = read_compose()["services"][name]
        container = read_kubernetes()[name]["spec"]["template"]["spec"]["containers"][0]
        yield f"compose {name}", service["command"]
        yield f"kubernetes {name}", container["args"]
        probes = [container[each] for each in container if each.endswith("Probe")]
        commands = [probe["exec"]["command"] for probe in probes if "exec" in probe]
        health = service["healthcheck"].get("test", ["CMD"])[1:]
        for number, words in enumerate([*commands, health]):
            if words[:1] == ["crawler"]:
                yield f"health of {name}, {number}", words[1:]


COMMAND_LINES = dict(list_command_lines())


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_command_exists(name: str) -> None:
    words = COMMAND_LINES[name]
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Usage: ")


def test_every_service_is_in_each_kind_of_deployment() -> None:
    assert set(UNIT_OF_SERVICE.values()) | {"crawler-backup.service"} == {unit.name for unit in UNITS}
    assert set(read_kubernetes()) == set(SERVICES)
    assert set(read_compose()["services"]) == {*SERVICES, "store"}


def test_grace_periods_are_long_enough() -> None:
    for name in SERVICES:
        unit = read_unit(UNIT_OF_SERVICE[name])["Service"]
        assert int(unit["TimeoutStopSec"]) >= GRACE
        assert unit["KillMode"] == "mixed"
        assert unit["Type"] == "exec"
        assert int(read_compose()["services"][name]["stop_grace_period"].removesuffix("s")) >= GRACE
        assert read_kubernetes()[name]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= GRACE


def test_user_is_not_root_and_data_is_on_a_volume() -> None:
    instructions = read_dockerfile()
    assert instructions["USER"] == ["10001:10001"]
    assert instructions["VOLUME"] == ["/var/lib/crawler"]
    assert "CRAWLER_DATA_DIR=/var/lib/crawler" in instructions["ENV"]
    for unit in UNITS:
        service = read_unit(unit.name)["Service"]
        assert service["User"] == "crawler"
        assert service["Environment"] == "CRAWLER_DATA_DIR=/var/lib/crawler"
        assert service["ProtectSystem"] == "strict"
    compose = read_compose()
    for name in SERVICES:
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "archive:/var/lib/crawler" in service["volumes"]
        assert {each.split(":")[0] for each in service["volumes"] if not each.startswith(".")} <= set(
            compose["volumes"]
        )


def test_pods_are_restricted() -> None:
    """As the strictest of Kubernetes's pod security standards wants it, with a limit of memory."""
    for workload in read_kubernetes().values():
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        claimed = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])}
        mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        assert {"/var/lib/crawler", "/tmp", "/etc/crawler"} == set(mounted)
        assert set(mounted.values()) == {each["name"] for each in pod["volumes"]} | claimed


def test_probes_ask_the_servers_routes() -> None:
    container = read_kubernetes()["serve"]["spec"]["template"]["spec"]["containers"][0]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


def test_variables_are_settings() -> None:
    names = {name for service in SERVICES for name in read_compose()["services"][service]["environment"]}
    for workload in read_kubernetes().values():
        names |= {each["name"] for each in workload["spec"]["template"]["spec"]["containers"][0]["env"]}
    settings = {name.removeprefix("CRAWLER_").lower() for name in names if name.startswith("CRAWLER_")}
    assert settings <= set(Config.model_fields)
    assert {name for name in names if not name.startswith("CRAWLER_")} == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def test_image_copies_existing_files() -> None:
    root = FOLDER.parents[1]
    from_here = [line.split()[:-1] for line in read_dockerfile()["COPY"] if not line.startswith("--from=")]
    assert all((root / name).exists() for names in from_here for name in names)
    let_in = re.findall(r"^!(\S+)$", (FOLDER / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert sorted(let_in) == sorted(name for names in from_here for name in names)
    for name in SERVICES:
        build = read_compose()["services"][name]["build"]
        assert (FOLDER / build["context"] / build["dockerfile"]).resolve() == FOLDER / "Dockerfile"


def test_extras_of_the_image_exist() -> None:
    extras = set(read_dockerfile()["ARG"][0].removeprefix("EXTRAS=").split(","))
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert extras <= set(project["optional-dependencies"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for file in (FOLDER / "systemd").iterdir():
        text = file.read_text(encoding="utf-8")
        text = text.replace("/opt/crawler/.venv/bin/crawler", sys.executable).replace("User=crawler", "User=root")
        (tmp_path / file.name.replace("@.", "@1.")).write_text(text)
    files = [str(file) for file in sorted(tmp_path.iterdir())]
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    about = [line for line in done.stderr.splitlines() if "crawler" in line]
    assert (about, done.returncode) == ([], 0), done.stderr
