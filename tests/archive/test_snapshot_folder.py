"""Folders of stored pages: what a meta file may say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crawler.archive.snapshot_folder import load_stored_pages
from crawler.errors import UsageError


def store_page(folder: Path, meta: dict[str, Any]) -> None:
    (folder / "mfa").mkdir()
    (folder / "mfa" / "a.html").write_text("<p>bridge</p>", encoding="utf-8")
    (folder / "mfa" / "a.meta.json").write_text(json.dumps(meta), encoding="utf-8")


@pytest.mark.parametrize(
    ("meta", "problem"),
    [
        ({"url": ["https://mfa.example/"]}, 'url = ["https://mfa.example/"] must be a text'),
        ({"status": "404"}, 'status = "404" must be a whole number'),
        ({"headers": []}, "headers = [] must be an object of texts"),
        ({"headers": {"age": 5}}, "headers.age = 5 must be a text"),
        ({"fetched_at": 20260306}, "fetched_at = 20260306 must be a text"),
        ({"method": 5}, "method = 5 must be a text"),
        ({"fetched_at": "yesterday"}, "fetched_at = 'yesterday' is no ISO 8601 time"),
        ({"fetched_at": "2026-03-06T12:00:00"}, "fetched_at = '2026-03-06T12:00:00' has no offset"),
    ],
)
def test_meta_file_with_a_wrong_value_is_named(tmp_path: Path, meta: dict[str, Any], problem: str) -> None:
    store_page(tmp_path, meta)
    with pytest.raises(UsageError) as caught:
        load_stored_pages(tmp_path, "mfa")
    assert str(caught.value).startswith(f"{tmp_path / 'mfa' / 'a.meta.json'}: {problem}")


def test_null_counts_as_missing(tmp_path: Path) -> None:
    names = ("url", "status", "headers", "fetched_at", "method", "payload", "follow")
    store_page(tmp_path, dict.fromkeys(names))
    (page,) = load_stored_pages(tmp_path, "mfa")
    assert (page.snapshot.status, page.snapshot.method, page.snapshot.fetched_at) == (200, "GET", None)
