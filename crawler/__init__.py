"""A crawler that monitors news sites for texts about the Red Cross and international humanitarian law.

A response becomes a `Snapshot`, a page object reads it, and the resulting `Article` passes validation, deduplication
and keyword rules into the store. Notifications, feeds, exports and reviews read the store. See docs/architecture.md.
"""

GC_THRESHOLD = 50_000
"""New objects after which a process searches them for cycles. At 10,000 the searches take 2 % of a run's CPU."""
