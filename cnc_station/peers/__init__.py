"""Everything that another program sends: how much of it is read, how fast, and for how long."""
