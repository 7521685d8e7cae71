"""CNC Station: jobs in, the right machine, the controller driven, every change recorded."""

__version__ = "0.1.0"
