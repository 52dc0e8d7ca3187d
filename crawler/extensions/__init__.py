"""After a run, and beside it.

lease.py      one run a source: taken before anything is asked, kept alive meanwhile
health.py     the run's record in the store, and its verdict
progress.py   what happens, as events, live
sameness.py   at the end: near-duplicates and stories of what is new
"""
