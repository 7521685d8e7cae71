"""Finds what ships with the program: icons, fonts, sample programs, and the program self_command.

In a wheel and in a frozen bundle the folder stands inside the package; in a checkout beside it.
"""

import sys
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def self_command() -> list[str]:
    """The command that starts this program once more; words for it follow."""
    return [sys.executable, *([] if getattr(sys, "frozen", False) else ["-m", "cnc_station"])]


def bundled(*parts: str) -> Traversable:
    """The bundled file or folder below `resources/`; raises FileNotFoundError if there is none."""
    inside = files("cnc_station").joinpath("resources")
    root = inside if inside.is_dir() else Path(__file__).resolve().parent.parent / "resources"
    found = root.joinpath(*parts)
    if not (found.is_file() or found.is_dir()):
        raise FileNotFoundError(f"not shipped with the program: {'/'.join(parts)}")
    return found
