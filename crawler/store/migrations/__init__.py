"""The schema's history: `versions/` has a file a revision, applied in order by `crawler.store.upgrade`."""
