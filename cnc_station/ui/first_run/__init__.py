"""The first minutes of a shop: the one question, the way to the first cut, joining a fleet."""
