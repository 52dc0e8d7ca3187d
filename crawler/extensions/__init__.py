"""What runs beside a crawl, and after it.

lease.py       one run per source: taken before the first request, renewed during the run
monitoring.py  the run's record in the store, and its health
progress.py    what happens, as events, live
backfill.py    leads a window of a backfill from page to page
clustering.py  at the end: near-duplicates and stories of the new articles
search_index.py  older versions into the full-text index, while the spider waits
"""
