"""Addresses of gov.kz and Telegram from which a source follows, and others of these hosts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.config.source_folder import parse_definition
from crawler.discovery.platform_addresses import find_platform_source, write_platform_definition


@pytest.mark.parametrize(
    ("url", "platform", "value"),
    [
        ("https://www.gov.kz/memleket/entities/mod", "govkz", "mod"),
        ("https://gov.kz/memleket/entities/dsm-2/press/news/details/1?lang=ru", "govkz", "dsm-2"),
        ("https://t.me/s/Aimaq", "telegram", "Aimaq"),
        ("https://t.me/Aimaq/17/", "telegram", "Aimaq"),
        ("https://t.me/Aimaq?before=5", "telegram", "Aimaq"),
    ],
)
def test_source_follows_from_the_address(url: str, platform: str, value: str) -> None:
    found = find_platform_source(url)
    assert found is not None
    assert (found.platform, found.value) == (platform, value)
    definition = parse_definition(write_platform_definition(found, datetime(2026, 3, 6, tzinfo=UTC)), "x.toml")
    assert (definition.platform, getattr(definition, found.setting)) == (platform, value)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.gov.kz/",
        "https://www.gov.kz/memleket/entities/",
        "https://news.example/memleket/entities/mod",
        "https://t.me/+AbCdEf",
        "https://t.me/joinchat/AbCdEf",
        "https://t.me/c/123/4",
        "https://t.me/",
        "https://t.me.example/Aimaq",
    ],
)
def test_other_address_is_that_of_a_site(url: str) -> None:
    assert find_platform_source(url) is None
