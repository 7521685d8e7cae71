"""Drivers, each against its controller or the closest thing there is."""
