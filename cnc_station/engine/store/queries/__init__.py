"""Queries: every function takes a reader's connection and returns frozen records."""
