"""Fixtures every room may use: loopback copies of the three sites, each started on a port of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite


@pytest.fixture
def gov_site() -> Iterator[GovSite]:
    with GovSite() as site:
        yield site


@pytest.fixture
def qazmonitor_site() -> Iterator[QazMonitorSite]:
    with QazMonitorSite() as site:
        yield site


@pytest.fixture
def ktkz_site() -> Iterator[KtkzSite]:
    with KtkzSite() as site:
        yield site
