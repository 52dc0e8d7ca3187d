"""After a run, and beside it: health (the verdict, and the run's record in the store), progress (events, live)."""
