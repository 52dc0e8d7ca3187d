"""Objects that are written once: WARC files in an S3 bucket, or in a folder of a shared disk.

A put is conditional (`If-None-Match: *`), so no object is ever overwritten, and atomic, so no reader sees half of one.
Beside each WARC file is its digest, `<name>.sha256`, in the format of `sha256sum`.

Credentials come from the standard variables (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`) or from the machine's role.
Nothing here is imported or connected before the first request: a process that was forked later must start its own.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from crawler.config.objects import ObjectsConfig
from crawler.errors import ObjectStorageError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

DIGEST_SUFFIX = ".sha256"
CONNECT_TIMEOUT = timedelta(seconds=5)
REQUEST_TIMEOUT = timedelta(seconds=60)
RETRY_TIMEOUT = timedelta(seconds=20)
MAX_RETRIES = 2
READ_AHEAD_BYTES = 1 << 17
"""Bytes that a range request reads: most responses and their requests are shorter."""
HASH_RANGE_BYTES = 8 << 20
MAX_QUOTED_CHARACTERS = 300
RETRY_DETAILS = re.compile(r", max_retries: \S+, retry_timeout: \S+")
DIGEST_PATTERN = re.compile(r"[0-9a-f]{64}")


class ObjectStorage:
    """The objects under one address, by name (`<source>/<file>`). Methods raise ObjectStorageError."""

    def __init__(self, config: ObjectsConfig, *, timeout: timedelta = REQUEST_TIMEOUT) -> None:
        if config.address is None:
            raise ValueError("the configuration has no object storage")
        self.address: str = config.address
        self._config, self._timeout = config, timeout
        self._sizes: dict[str, int] = {}

    def put_if_absent(self, name: str, data: Any) -> bool:
        """Write an object (bytes or a buffer). Return False, and change nothing, if there is one of that name."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._explain_errors():
            try:
                obstore.put(self._store, name, data, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def get_size(self, name: str) -> int | None:
        """Return the size of an object in bytes, or None if there is none."""
        import obstore

        with self._explain_errors():
            try:
                return obstore.head(self._store, name)["size"]
            except FileNotFoundError:
                return None

    def open_object(self, name: str) -> BinaryIO | None:
        """Return an object as a file that is read by byte range, or None if there is none."""
        size = self._sizes.get(name)  # of an object that never changes
        if size is None:
            size = self.get_size(name)
            if size is None:
                return None
            self._sizes[name] = size
        return cast(BinaryIO, io.BufferedReader(_ObjectReader(self, name, size), READ_AHEAD_BYTES))

    def read_range(self, name: str, start: int, end: int) -> bytes:
        """Return the bytes of an object from `start` up to, not including, `end`."""
        import obstore

        with self._explain_errors():
            return bytes(obstore.get_range(self._store, name, start=start, end=end))

    def hash_object(self, name: str) -> tuple[int, str] | None:
        """Read a whole object. Return its size and SHA-256 (hex), or None if there is none."""
        size = self.get_size(name)
        if size is None:
            return None
        digest = hashlib.sha256()
        for start in range(0, size, HASH_RANGE_BYTES):
            digest.update(self.read_range(name, start, min(start + HASH_RANGE_BYTES, size)))
        return size, digest.hexdigest()

    def put_digest(self, name: str, sha256: str) -> None:
        """Write the digest of an object beside it, unless it is there."""
        self.put_if_absent(name + DIGEST_SUFFIX, f"{sha256}  {name.rpartition('/')[2]}\n".encode())

    def read_digest(self, name: str) -> str | None:
        """Return the SHA-256 (hex) that was stored beside an object, or None."""
        size = self.get_size(name + DIGEST_SUFFIX)
        text = self.read_range(name + DIGEST_SUFFIX, 0, size).decode("utf-8", "replace") if size else ""
        found = DIGEST_PATTERN.match(text)
        return found[0] if found else None

    def list_sizes(self, folder: str = "") -> dict[str, int]:
        """Return the names and sizes of all objects, or of those in a folder, without the digests."""
        import obstore

        with self._explain_errors():
            found = (each for batch in obstore.list(self._store, prefix=folder or None) for each in batch)
            return {each["path"]: each["size"] for each in found if not each["path"].endswith(DIGEST_SUFFIX)}

    def check_access(self) -> None:
        """List one object. Raise ObjectStorageError if the storage cannot be reached or refuses access."""
        import obstore

        with self._explain_errors():
            next(iter(obstore.list(self._store, chunk_size=1)), None)

    @cached_property
    def _store(self) -> ObjectStore:
        from obstore.store import LocalStore, S3Store

        if self.address.startswith("file://"):
            return LocalStore(prefix=self.address.removeprefix("file://"), mkdir=True)
        self._raise_if_unprintable()
        bucket, _, prefix = self.address.removeprefix("s3://").partition("/")
        options: dict[str, Any] = {"endpoint": self._config.endpoint, "region": self._config.region}
        return S3Store(
            bucket,
            prefix=prefix or None,
            checksum_algorithm="sha256",  # the service compares it, as we do after the upload
            client_options={
                "allow_http": True,  # an endpoint of http:// was written by the owner
                "connect_timeout": CONNECT_TIMEOUT,
                "timeout": self._timeout,
            },
            retry_config={"max_retries": MAX_RETRIES, "retry_timeout": RETRY_TIMEOUT},
            **{name: value for name, value in options.items() if value},
        )

    def _raise_if_unprintable(self) -> None:
        """Raise ObjectStorageError for a setting with a line break. The client puts them into headers, and panics."""
        settings = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        for name, value in {**settings, "objects.region": self._config.region or ""}.items():
            if not value.isprintable():
                raise ObjectStorageError(
                    f"{self.address} cannot be used: {name} has a line break or another control character. Write it "
                    "again without."
                )

    @contextmanager
    def _explain_errors(self) -> Iterator[None]:
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise ObjectStorageError(
                f"{self.address} refused access. Check the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and "
                "that this key may list, read and write there."
            ) from error
        except FileNotFoundError as error:
            raise ObjectStorageError(
                f"{self.address} does not exist, or an object in it is gone. Check `objects.address`."
            ) from error
        except (BaseError, OSError, ValueError) as error:
            raise ObjectStorageError(
                f"{self.address} cannot be used: {_shorten_error(error)}. Check the network, `objects.endpoint` and "
                "the credentials."
            ) from error


class _ObjectReader(io.RawIOBase):
    """Reads an object by byte range."""

    def __init__(self, storage: ObjectStorage, name: str, size: int) -> None:
        super().__init__()
        self._storage, self._name, self._size = storage, name, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def readinto(self, buffer: Any) -> int:
        end = min(self._position + len(buffer), self._size)
        if end <= self._position:
            return 0
        data = self._storage.read_range(self._name, self._position, end)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _shorten_error(error: Exception) -> str:
    """Return the first line of an error of obstore. Its further lines are for its developers."""
    line = str(error).strip().partition("\n")[0].removeprefix("Generic S3 error: ").rstrip(". ")
    line = RETRY_DETAILS.sub("", line)
    # The answer of a server, which follows its status, may quote the key of the request.
    return line.partition(": <")[0][:MAX_QUOTED_CHARACTERS]
