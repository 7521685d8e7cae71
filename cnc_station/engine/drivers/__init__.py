"""Drivers: one for each kind of machine controller."""
