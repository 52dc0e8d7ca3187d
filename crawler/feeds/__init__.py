"""OUT: what a run writes to files."""
