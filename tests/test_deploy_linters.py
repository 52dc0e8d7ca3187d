"""The files in docs/deploy pass the linters of their formats. The extra `deploy` and Debian's prometheus have these.

With REQUIRE_DEPLOY_TOOLS a missing linter is a failure, as CI wants it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "deploy"
ALERT_CASES = Path(__file__).parent / "support" / "alert_cases.yaml"


def run_linter(name: str, *words: object, cwd: Path = FOLDER) -> None:
    own = Path(sys.executable).with_name(name)
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        assert "REQUIRE_DEPLOY_TOOLS" not in os.environ, f"{name} is not installed"
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([found, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dockerfile() -> None:
    run_linter("hadolint", "Dockerfile")


def test_compose_file() -> None:
    run_linter("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")


@pytest.mark.parametrize("version", ["1.30", "1.35"])
def test_kubernetes_manifests(version: str) -> None:
    files = sorted((FOLDER / "kubernetes").glob("*.yaml"))
    assert len(files) == 2
    run_linter("kubernetes-validate", "--strict", "-k", version, *files)


def test_prometheus_configuration_and_rules() -> None:
    run_linter("promtool", "check", "config", "--syntax-only", "prometheus/prometheus.yaml")
    run_linter("promtool", "check", "rules", "prometheus/alerts.yaml")


@pytest.mark.slow
def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "prometheus" / "alerts.yaml", tmp_path)
    shutil.copy(ALERT_CASES, tmp_path)
    run_linter("promtool", "test", "rules", ALERT_CASES.name, cwd=tmp_path)
