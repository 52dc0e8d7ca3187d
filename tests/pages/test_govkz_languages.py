"""The requested language of an answer of gov.kz."""

from __future__ import annotations

import json

import pytest

from crawler import spiders
from crawler.config import Config
from crawler.pages.base import read_snapshot
from crawler.pages.snapshot import Snapshot

SITE = spiders.load_spider("mfa").make_site(Config())
RECORD = {"id": "7", "title": "Мост открыт", "created_date": "2026-06-09T11:48:00Z", "body": "<p>Мост открыт.</p>"}


@pytest.mark.parametrize(
    ("payload", "asked"),
    [
        (b'{"variables": {"lang": "kk"}}', "kk"),
        (b'{"variables": {"lang": "ru"}}', None),
        (b'{"query": ""}', None),
        (b"[]", None),
        (b"{", None),
        (None, None),
    ],
)
def test_text_in_another_language_has_a_requested_language(payload: bytes | None, asked: str | None) -> None:
    body = json.dumps([RECORD]).encode()
    (found,) = read_snapshot(
        Snapshot(url="https://www.gov.kz/graphql", body=body, payload=payload, kind_hint="json"), SITE
    ).articles
    assert (found.id, found.requested_language) == ("mfa:7:ru", asked)
