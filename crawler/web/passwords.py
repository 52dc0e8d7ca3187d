"""Passwords, and the other secrets that users and programs send: made at random, stored as hashes."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import unicodedata
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from crawler.errors import UsageError
from crawler.roles import LOCAL_NAME
from crawler.store.users import ERASED_NAME

MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256
MAX_NAME_LENGTH = 64
NAME_PATTERN = re.compile(r"\w[\w.@+-]*")
KEY_PREFIX = "crawler_"
"""Begins an API key, so that a scanner of leaked secrets recognises it."""
_HASHER = PasswordHash((Argon2Hasher(),))
_one_at_a_time = threading.Lock()
"""argon2 takes 64 MB for each password that it looks at."""


def clean_user_name(name: str) -> str:
    """Return a user's name as it is stored: small letters, one form of each letter. Raise UsageError for no name."""
    cleaned = unicodedata.normalize("NFKC", name.strip()).casefold()
    if len(cleaned) > MAX_NAME_LENGTH or not NAME_PATTERN.fullmatch(cleaned) or cleaned in (LOCAL_NAME, ERASED_NAME):
        raise UsageError(
            f"{name[:MAX_NAME_LENGTH]!r} cannot be a user's name: use letters, digits and . _ - + @, at most "
            f"{MAX_NAME_LENGTH}, and not {LOCAL_NAME} or {ERASED_NAME}."
        )
    return cleaned


def hash_password(password: str) -> str:
    """Return the argon2 hash of a password. Raise UsageError for one that is too short or too long."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise UsageError(
            f"A password has from {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters, this one has "
            f"{len(password)}. Four words are easy to remember."
        )
    with _one_at_a_time:
        return _HASHER.hash(_normalize(password))


def is_password(password: str, password_hash: str | None) -> bool:
    """Return whether a password has a hash. Without a hash the answer is no, after the same time."""
    with _one_at_a_time:
        known = password_hash is not None
        is_right = _HASHER.verify(_normalize(password[:MAX_PASSWORD_LENGTH]), password_hash or _make_decoy())
    return known and is_right and len(password) <= MAX_PASSWORD_LENGTH


def make_password() -> str:
    """Return a random password for a user who sets another one later."""
    return "-".join(secrets.token_hex(2) for _ in range(5))


def make_secret() -> str:
    """Return a new random secret of a session or of feed addresses."""
    return secrets.token_urlsafe(32)


def make_api_key() -> str:
    """Return a new API key."""
    return KEY_PREFIX + make_secret()


def hash_secret(secret: str) -> str:
    """Return the hash under which the store knows a random secret. One that nobody can guess needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


@cache
def _make_decoy() -> str:
    return _HASHER.hash(secrets.token_hex(16))


def _normalize(password: str) -> str:
    """Return a password in one form: keyboards write the same letter in several ways."""
    return unicodedata.normalize("NFKC", password)
