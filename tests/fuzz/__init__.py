"""Odd inputs for everything that reads what comes from outside. See `./dev fuzz`."""
