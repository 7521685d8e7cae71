"""Wake-ups and change notices: hints, never facts."""
