"""Tests of the drivers, each against its real controller or the closest substitute."""
