"""The files of a run: its program, which the controller opens, and a note for whoever comes later.

The program file's name says whose run it is, so that a station that was started again knows its own
run by what the controller has open.
"""

import contextlib
import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from cnc_station.engine.drivers.linuxcnc.snapshot import Place

NAME = re.compile(r"cnc-run-(\d+)-part-(\d+)\.ngc$")
KEPT_S = 14 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Note:
    """Where the tool stood when the run was started, and whether it was then seen where only its
    end still leads to the program's last place."""

    start: Place
    late: bool = False


def name_of(run_id: int, part: int) -> str:
    """The file that a part of a run is made from."""
    return f"cnc-run-{run_id}-part-{part}.ngc"


def run_of(path: str) -> tuple[int, int] | None:
    """The run and the part whose file this is; None for somebody else's."""
    found = NAME.search(path)
    return (int(found[1]), int(found[2])) if found else None


def write_program(folder: Path, name: str, source: bytes) -> None:
    """The very bytes, readable for the controller's user. Raises OSError. Takes what is left of
    runs long past away."""
    _write(folder / name, source)
    with contextlib.suppress(FileNotFoundError):  # of an earlier try
        note_path(folder, name).unlink()
    old = time.time() - KEPT_S
    for path in folder.glob("cnc-run-*"):
        with contextlib.suppress(OSError):  # another station was faster
            if path.stat().st_mtime < old:
                path.unlink()


def note_path(folder: Path, name: str) -> Path:
    """The note beside a program."""
    return (folder / name).with_suffix(".json")


def write_note(folder: Path, name: str, note: Note) -> None:
    """Raises OSError."""
    _write(note_path(folder, name), json.dumps(asdict(note)).encode())


def read_note(folder: Path, name: str) -> Note | None:
    """None where there is none, or one nobody can read."""
    try:
        said = json.loads(note_path(folder, name).read_bytes())
        x, y, z = map(float, said["start"])
        return Note((x, y, z), late=bool(said["late"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing: the controller must not open half a program. Not forced to the disk:
    what a power cut takes away only takes a proof away."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(content)
    draft.chmod(0o644)
    draft.replace(path)
