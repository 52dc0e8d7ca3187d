"""Is the source well: what a run is judged by. Pure: facts go in as values, a verdict in words comes out."""
