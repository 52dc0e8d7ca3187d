"""Data files that ship with the program: configuration, rules, word lists, phrases and templates."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any


def read_default(name: str) -> str:
    """Return the text of a shipped file."""
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


@cache
def load_default_toml(name: str) -> dict[str, Any]:
    """Return a shipped TOML file, parsed once. Callers share the dict and must not change it."""
    return tomllib.loads(read_default(name))


@cache
def load_default_words(name: str) -> frozenset[str]:
    """Return the words of a shipped text file, read once. White space separates words; `#` starts a comment line."""
    lines = read_default(name).splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
