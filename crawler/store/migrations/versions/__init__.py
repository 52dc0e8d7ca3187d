"""Revisions. Never edit a released one: add a file, and name it in `schema.SCHEMA_REVISION`."""
