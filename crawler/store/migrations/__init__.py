"""The schema's history. `crawler.store.upgrade` applies the revisions in `versions/` in order."""
