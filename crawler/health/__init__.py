"""Is the source well: what a run is judged by. Pure: history goes in as values, a verdict in words comes out."""
