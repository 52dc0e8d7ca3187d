"""The roles of people who work with the newsroom. Commands and the store share them, so this module imports nothing."""

from __future__ import annotations

from enum import StrEnum

LOCAL_NAME = "local"
"""The name of everyone who reads and writes at a loopback address without users."""


class Role(StrEnum):
    """What a user may do. Each role may do what those before it may. The database stores these values."""

    READER = "reader"
    ANALYST = "analyst"
    OWNER = "owner"

    def covers(self, needed: Role) -> bool:
        """Return whether this role may do what needs the other one."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)
