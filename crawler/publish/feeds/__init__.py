"""Feeds of entries: Atom, RSS and JSON Feed."""
