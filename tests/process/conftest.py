from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def importable_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Children find `misbehaving_runs` on the import path that they get from this process."""
    monkeypatch.syspath_prepend(HERE)
    yield
