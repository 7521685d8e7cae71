"""What a station logs: which records, in what form, and into which file."""
