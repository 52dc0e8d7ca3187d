"""A watch that is ended again and again, in order and by force: no start is skipped or comes twice, nothing stays."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.sandbox import ROOT


@pytest.mark.slow
def test_no_start_is_skipped_or_doubled_and_no_process_stays_behind() -> None:
    """The benchmark of watching, small: it ends with 1 when something of that kind happened, whatever time it took."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.watching", "--runs", "40", "--restarts", "2"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no start skipped, none twice, no process left behind" in done.stdout
