"""The back-ups of a station, and when they are made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackupRow:
    """A back-up in the folder."""

    name: str
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Backups:
    """`folder` is "" where none is made by itself; `fixed`: the settings outside the window name
    it. `rows` are those found in the folder, newest first. `fault` is why the last attempt, or the
    last look into the folder, failed; `part` how far one is that is being made, None if none is.
    `overdue`: the newest one is older than a day, or there is none."""

    folder: str = ""
    clock: str = ""
    fixed: bool = False
    rows: tuple[BackupRow, ...] = ()
    fault: str = ""
    part: float | None = None
    overdue: bool = False
