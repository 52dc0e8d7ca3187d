"""The commands of README.md, pasted one after the other into an empty folder, print what README.md says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import ROOT, Sandbox

pytestmark = pytest.mark.slow
CODE_BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIVE_COMMANDS = ("crawler watch", "crawler health")
"""Commands whose output depends on the sites."""
ENDLESS_COMMANDS = ("crawler watch", "crawler serve --demo")
"""Commands that do not end by themselves. They have tests of their own."""


def list_commands() -> Iterator[tuple[str, list[str]]]:
    """Yield each command after a `$` with the lines that README.md shows below it."""
    for block in CODE_BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield command, shown


def test_commands_work_one_after_the_other(tmp_path: Path) -> None:
    commands = list(list_commands())
    assert len(commands) > 10
    pasted = "".join(f"{command}\necho '#end' $?\n" for command, _ in commands if command not in ENDLESS_COMMANDS)
    with QazMonitorSite(4) as site:
        place = Sandbox(tmp_path, {"qazmonitor": site})
        environment = place.make_environment(PATH=f"{tmp_path}:{os.environ['PATH']}")
        program = tmp_path / "crawler"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m crawler "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        (place.work_dir / "snapshots").symlink_to(ROOT / "snapshots")
        done = subprocess.run(
            ["bash", "-s"],
            input=pasted,
            cwd=place.work_dir,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    *outputs, rest = re.split(r"^#end (\d+)\n", done.stdout, flags=re.MULTILINE)
    assert rest == ""
    ended = [each for each in commands if each[0] not in ENDLESS_COMMANDS]
    results = zip(ended, outputs[::2], outputs[1::2], strict=True)
    for (command, shown), output, code in results:
        assert code == "0", (command, output, done.stderr)
        if not command.startswith(LIVE_COMMANDS):
            assert set(filter(None, shown)) <= set(output.splitlines()), (command, output)
    left = {path.name for path in place.work_dir.iterdir()}
    assert left == {"snapshots", "review.html", "crawler.toml", "rules.toml", "rules.schema.json"}
    assert place.get_articles().keys() == place.get_articles("qazmonitor").keys()
