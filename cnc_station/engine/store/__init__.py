"""All SQL, and the one pen that writes it."""
