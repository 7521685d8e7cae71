"""Faults of a whole fleet: real stations, real servers, and what must hold after each."""
