"""CNC Station assigns jobs to suitable machines, drives their controllers and records every
change."""

__version__ = "0.1.0"
