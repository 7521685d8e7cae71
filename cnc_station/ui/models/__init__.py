"""Item models that change by row."""
