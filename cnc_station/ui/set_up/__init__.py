"""Attachments, set-up sheets and travelers in the window."""
