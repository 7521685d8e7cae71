"""Find the files shipped with the program: icons, fonts, sample programs, and the program itself.

In a wheel and in a frozen bundle the folder is inside the package, in a checkout beside it.
"""

import sys
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def self_command() -> list[str]:
    """Return the command that starts this program again; arguments can follow."""
    return [sys.executable, *([] if getattr(sys, "frozen", False) else ["-m", "cnc_station"])]


def bundled(*parts: str) -> Traversable:
    """Return the file or folder below `resources/`. Raises FileNotFoundError."""
    inside = files("cnc_station").joinpath("resources")
    root = inside if inside.is_dir() else Path(__file__).resolve().parent.parent / "resources"
    found = root.joinpath(*parts)
    if not (found.is_file() or found.is_dir()):
        raise FileNotFoundError(f"not shipped with the program: {'/'.join(parts)}")
    return found
