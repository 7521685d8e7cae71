"""Find the files shipped with the program: icons, fonts, sample programs, and the program itself.

In a wheel and in a frozen bundle the folder is inside the package, in a checkout beside it.
"""

import os
import sys
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def self_command() -> list[str]:
    """Return the command that starts this program again; arguments can follow."""
    return [sys.executable, *([] if getattr(sys, "frozen", False) else ["-m", "cnc_station"])]


READ_TABLE = "read-table"
"""The hidden argument with which this program is the reader of one table, and nothing else."""


def self_environment() -> dict[str, str]:
    """Return the environment in which `self_command` finds the same program, without settings and
    their passwords."""
    root = str(Path(__file__).resolve().parent.parent)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CNC_")}
    before = kept.get("PYTHONPATH")
    kept["PYTHONPATH"] = os.pathsep.join([root, before] if before else [root])
    return kept | {
        "PYTHONSAFEPATH": "1",  # no module of the folder in which the station was started
        "MALLOC_ARENA_MAX": "1",  # each arena would take 64 MB of a limited space
    }


def outside_environment() -> dict[str, str]:
    """Return the environment for a program of the system: without settings and their passwords, and
    with the system's libraries instead of those of a frozen bundle."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CNC_")}
    if getattr(sys, "frozen", False):
        kept = {name: value for name, value in kept.items() if not name.startswith("_PYI_")}
        kept.pop("LD_LIBRARY_PATH", None)
        before = kept.pop("LD_LIBRARY_PATH_ORIG", None)
        if before is not None:
            kept["LD_LIBRARY_PATH"] = before
    return kept


def bundled(*parts: str) -> Traversable:
    """Return the file or folder below `resources/`. Raises FileNotFoundError."""
    inside = files("cnc_station").joinpath("resources")
    root = inside if inside.is_dir() else Path(__file__).resolve().parent.parent / "resources"
    found = root.joinpath(*parts)
    if not (found.is_file() or found.is_dir()):
        raise FileNotFoundError(f"not shipped with the program: {'/'.join(parts)}")
    return found
