"""All SQL, and the one writer that writes it."""
