"""OUT: feeds, exports and evidence. What leaves the machine is registered in `outputs`."""
