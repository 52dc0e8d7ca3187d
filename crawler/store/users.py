"""The users of the newsroom: their roles."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a user may do. Each role may do what those before it may. The database stores these values."""

    READER = "reader"
    ANALYST = "analyst"
    OWNER = "owner"

    def covers(self, needed: Role) -> bool:
        """Return whether this role may do what needs the other one."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)
