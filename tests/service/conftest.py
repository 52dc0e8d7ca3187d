"""Where the runs that misbehave are found by a child."""

from __future__ import annotations

import sys
from pathlib import Path

# Children find `misbehaving_runs` on the import path that they get from this process.
sys.path.insert(0, str(Path(__file__).parent))
