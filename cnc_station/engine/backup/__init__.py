"""Back-ups: made from a database at work, verified, listed, and restored."""
