"""The section `[objects]`: the object storage that closed WARC files are uploaded to."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import PurePosixPath

from pydantic import Field, field_validator

from crawler.config.base import ConfigSection
from crawler.errors import format_install_advice

S3_ADDRESS = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/(?!\.{1,2}(?:/|$))[\w.=+-]+)*/?", re.ASCII)
ENDPOINT = re.compile(r"https?://[^/\s@?#]+/?")


class ObjectsConfig(ConfigSection):
    """Where closed WARC files are uploaded to. Credentials are only in the standard variables `AWS_…`."""

    address: str | None = Field(None, description="s3://bucket/prefix, or file:///folder of a shared disk")
    endpoint: str | None = Field(None, description="address of the S3 service; None: AWS_ENDPOINT_URL, or Amazon's")
    region: str | None = Field(None, description="region of the bucket; None: AWS_REGION, or us-east-1")
    keep_days: int | None = Field(None, ge=0, le=36_500, description="remove uploaded files here after so many days")

    @field_validator("address")
    @classmethod
    def _validate_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        folder = PurePosixPath(value.removeprefix("file://"))
        is_folder = value.startswith("file:///") and ".." not in folder.parts and len(folder.parts) > 1
        if not is_folder and not S3_ADDRESS.fullmatch(value):
            raise ValueError("must be s3://bucket/prefix or file:///folder, without user name, password and ?")
        if find_spec("obstore") is None:  # find_spec imports nothing
            raise ValueError(f"an optional package is missing. {format_install_advice('objects')}")
        return value.rstrip("/")

    @field_validator("endpoint")
    @classmethod
    def _validate_endpoint(cls, value: str | None) -> str | None:
        if value is not None and not ENDPOINT.fullmatch(value):
            raise ValueError("must be an address such as https://minio.example.org:9000, without a user name")
        return value
