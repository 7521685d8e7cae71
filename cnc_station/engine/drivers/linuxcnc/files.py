"""The files of a run: its program, which the controller opens, and a note for whoever comes later.

The program file's name says whose run it is, so that a station that was started again knows its own
run by what the controller has open.
"""

import contextlib
import errno
import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from cnc_station.engine.drivers.linuxcnc.snapshot import Place

NAME = re.compile(r"cnc-run-(\d+)-part-(\d+)(-modes)?\.ngc$")
TROUBLES = {
    errno.ENOENT: "the folder does not exist",
    errno.EACCES: "this user may not write there",
    errno.EPERM: "this user may not write there",
    errno.EROFS: "it is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
    errno.ENOTDIR: "it is not a folder",
}
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


def modes_name_of(run_id: int, part: int) -> str:
    """The file that sets the modes for it."""
    return f"cnc-run-{run_id}-part-{part}-modes.ngc"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose file it is; `modes`: the one that comes before the part's own."""

    run_id: int
    part: int
    modes: bool


def owner_of(path: str) -> Owner | None:
    """None for somebody else's."""
    found = NAME.search(path)
    return Owner(int(found[1]), int(found[2]), found[3] is not None) if found else None


def write_modes(folder: Path, name: str, source: bytes) -> None:
    """Raises OSError."""
    _write(folder / name, source)


def is_unchanged(folder: Path, name: str, source: bytes) -> bool:
    """Whether a part's file is still what was written; also where it can't be read any more: the
    controller has it open."""
    try:
        return (folder / name).read_bytes() == source
    except OSError:
        return True


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


def trouble(folder: Path, error: OSError) -> str:
    """Why a program can't be written, without the system's own words."""
    why = TROUBLES.get(error.errno or 0, "the computer reports an error")
    return f"the program can't be written into {folder}: {why}"


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing: the controller must not open half a program. Not forced to the disk:
    what a power cut takes away only takes a proof away."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(content)
    draft.chmod(0o644)
    draft.replace(path)
