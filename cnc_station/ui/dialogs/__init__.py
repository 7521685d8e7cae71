"""Dialogs that open and return futures."""
