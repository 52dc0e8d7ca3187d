"""Move the clock of every Python process by TEST_CLOCK_OFFSET seconds, when this folder is on PYTHONPATH.

CI runs the date-dependent tests so at awkward times. An offset and not a time: all processes of a test then agree. The
monotonic clock and the times of files stay real.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import time_machine

offset = timedelta(seconds=int(os.environ.get("TEST_CLOCK_OFFSET", "0")))
time_machine.travel(datetime.now(UTC) + offset, tick=True).start()
