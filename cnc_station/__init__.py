"""CNC Station: jobs in, the right machine, the controller driven, every change recorded."""
