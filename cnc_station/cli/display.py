"""Whether there is a display for a window."""

import sys
from collections.abc import Mapping

_NAMES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def has_display(environ: Mapping[str, str]) -> bool:
    """Return whether a display is named, or is not needed. Only Linux has to name one."""
    return sys.platform != "linux" or any(environ.get(name) for name in _NAMES)
