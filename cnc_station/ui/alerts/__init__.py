"""Alerts in the window: the bell and its list, banners, the desktop, and sounds."""
