"""Item models that change row by row."""
