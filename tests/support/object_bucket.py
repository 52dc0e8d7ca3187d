"""An S3 server on a loopback port, with one bucket (the packages moto and boto3, of the extra `objects-test`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

BUCKET = "news-archive"
KEY, SECRET = "AKIAEXAMPLEKEY", "example-secret-of-the-bucket"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


@dataclass
class Bucket:
    """A bucket at an S3 server."""

    endpoint: str
    client: Any

    def list_objects(self) -> dict[str, int]:
        """Return the sizes of all objects."""
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
        return {each["Key"]: each["Size"] for each in found}

    def read(self, key: str) -> bytes:
        """Return the content of an object."""
        content: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content


@contextmanager
def serve_bucket() -> Iterator[Bucket]:
    """Yield an empty bucket. Skip the test where a package is not installed."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = pytest.importorskip("boto3").client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket=BUCKET)
    try:
        yield Bucket(f"http://{host}:{port}", client)
    finally:
        client.close()
        server.stop()
