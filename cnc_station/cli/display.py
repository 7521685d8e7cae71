"""Whether there is a screen for a window."""

import sys
from collections.abc import Mapping

_NAMES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def has_display(environ: Mapping[str, str]) -> bool:
    """Whether one is named, or a way to do without; only Linux has to name it."""
    return sys.platform != "linux" or any(environ.get(name) for name in _NAMES)
