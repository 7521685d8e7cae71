"""Signing on at the window, and who is here."""
