"""A watch that is ended many times, in order and by force: no start is skipped or doubled, no process is left."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.sandbox import ROOT


@pytest.mark.slow
@pytest.mark.campaign
def test_no_start_is_skipped_or_doubled_and_no_process_stays_behind() -> None:
    """Run the benchmark of the service small. Its exit code is 1 for such faults and does not depend on times."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.watching", "--runs", "40", "--restarts", "2"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no start skipped, none doubled, no process left behind" in done.stdout
