"""A part as read, and its files: the program that the controller opens, and a note for recovery.
The file name contains the run, so a restarted station recognises its run by the open file."""

import asyncio
import contextlib
import errno
import json
import re
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from cnc_station import private_files
from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.nc import Limits, Program, read
from cnc_station.engine.domain.nc.dialects import LINUXCNC
from cnc_station.engine.drivers.base import NotReady, Order
from cnc_station.engine.drivers.linuxcnc.ending import Ending, ending_of
from cnc_station.engine.drivers.linuxcnc.snapshot import Place
from cnc_station.peers.values import parse_number

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
_MOST_NOTE = 4096  # bytes
KEPT_S = 14 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Note:
    """The start position of a run, and whether it was seen in its `late` lines (see `Ending`)."""

    start: Place
    late: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` of an order, with the exact bytes of its program."""

    run_id: int
    number: int
    source: bytes
    program: Program
    ending: Ending

    @classmethod
    async def read(cls, order: Order, source: bytes, number: int) -> Self:
        """Read a part. The time is proportional to the length of the program."""
        program = order.program
        if program is None:
            program = await asyncio.to_thread(read, source, limits=Limits(dialect=LINUXCNC))
        ending = await asyncio.to_thread(ending_of, program, source)
        return cls(order.run_id, number, source, program, ending)

    @property
    def file(self) -> str:
        """The file name of its program."""
        return f"cnc-run-{self.run_id}-part-{self.number}.ngc"

    @property
    def modes_file(self) -> str:
        """The file name of the program that sets its modes."""
        return f"cnc-run-{self.run_id}-part-{self.number}-modes.ngc"


@dataclass(frozen=True, slots=True)
class Owner:
    """The run and part of a file. `modes`: it is the file that sets the modes."""

    run_id: int
    part: int
    modes: bool


def owner_of(path: str) -> Owner | None:
    """Return the owner of a file; None if it is not a file of CNC Station."""
    found = NAME.search(path)
    return Owner(int(found[1]), int(found[2]), found[3] is not None) if found else None


def write_modes(folder: Path, name: str, source: bytes) -> None:
    """Write the program that sets the modes. Raises OSError."""
    _write(folder / name, source)


def write_program(folder: Path, name: str, source: bytes) -> None:
    """Write the exact bytes, readable for all, and remove files of old runs. Raises OSError."""
    _write(folder / name, source)
    with contextlib.suppress(FileNotFoundError):  # of an earlier attempt
        note_path(folder, name).unlink()
    old = time.time() - KEPT_S
    for path in folder.glob("cnc-run-*"):
        with contextlib.suppress(OSError):  # another station was faster
            if path.stat().st_mtime < old:
                path.unlink()


def change_of(folder: Path, name: str, content: bytes) -> str:
    """Return what has happened to a file since it was written, in words; "" if nothing, or if it
    cannot be read: a folder that is gone proves nothing. Reads no more than was written."""
    with contextlib.suppress(OSError):
        return _change(folder / name, content)
    return ""


async def must_be_unchanged(folder: Path, name: str, content: bytes) -> None:
    """Raise NotReady if the file that is about to run is not the one that was written, or cannot be
    read."""
    try:
        change = await asyncio.to_thread(_change, folder / name, content)
    except OSError as error:
        change = f"it cannot be read any more ({error.strerror})"
    if change:
        raise NotReady(f"{name} was changed after it was loaded: {change}")


def _change(path: Path, content: bytes) -> str:
    found = private_files.read_regular(path, len(content))
    if found is None:
        return "a longer file, a link or a device is in its place"
    same = sha256(found).digest() == sha256(content).digest()
    return "" if same else "its content is another one"


def note_path(folder: Path, name: str) -> Path:
    """Return the path of the note beside a program."""
    return (folder / name).with_suffix(".json")


def write_note(folder: Path, name: str, note: Note) -> None:
    """Raises OSError."""
    _write(note_path(folder, name), json.dumps(asdict(note)).encode())


def read_note(folder: Path, name: str) -> Note | None:
    """Return the note; None if there is none, or it cannot be read."""
    try:
        found = private_files.read_regular(note_path(folder, name), _MOST_NOTE)
        data = json_text.load(found or b"")
        x, y, z = (parse_number(str(place)) for place in data["start"])
        return Note((x, y, z), late=bool(data["late"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_error_text(folder: Path, error: OSError) -> str:
    """Return why a program cannot be written, without the text of the system."""
    why = TROUBLES.get(error.errno or 0, "the computer reports an error")
    return f"the program can't be written into {folder}: {why}"


def _write(path: Path, content: bytes) -> None:
    """Write all or nothing: the controller must not open half a program."""
    private_files.replace(path, content, mode=0o644)
