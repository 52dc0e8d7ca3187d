"""Every table of the store. The metadata in `schema.py` lacks those of the modules below until they are imported."""

from __future__ import annotations

from crawler.store import backfill_schema, reading_schema, user_schema
from crawler.store.schema import metadata

__all__ = ["backfill_schema", "metadata", "reading_schema", "user_schema"]
