"""Alembic migrations: each brings any database of the revision before it to its own."""
