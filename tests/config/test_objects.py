"""The section `[objects]` of crawler.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config import load_config
from crawler.errors import ConfigError


def load(tmp_path: Path, text: str) -> str | None:
    path = tmp_path / "crawler.toml"
    path.write_text(f"[objects]\n{text}\n")
    return load_config(path).objects.address


@pytest.mark.parametrize("address", ["s3://news-archive", "s3://news-archive/kz/v2", "file:///mnt/archive"])
def test_address_is_a_bucket_or_a_folder(address: str, tmp_path: Path) -> None:
    assert load(tmp_path, f'address = "{address}/"') == address


@pytest.mark.parametrize(
    "line",
    [
        'address = "s3://key:secret-word@bucket/x"',
        'address = "s3://bucket/x?secret-word"',
        'address = "s3://bucket/../x"',
        'address = "gs://bucket"',
        'address = "file://relative"',
        'address = "file:///mnt/../etc"',
        'endpoint = "https://user:secret-word@minio.example"',
        'secret_access_key = "secret-word"',
        "keep_days = -1",
    ],
)
def test_unusable_value_is_named_and_no_secret_is_shown(line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"crawler\.toml:2: .*objects\.{line.partition(' ')[0]}") as error:
        load(tmp_path, line)
    assert "secret-word" not in str(error.value)
