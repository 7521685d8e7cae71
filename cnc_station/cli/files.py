"""Files named on the command line."""

from pathlib import Path

from cnc_station.engine.domain.errors import FieldError, InvalidInput

PROGRAM_SUFFIXES = frozenset((".nc", ".ngc", ".tap", ".gcode"))
_LARGEST = 64 * 1024 * 1024  # what takes it in has its own, smaller limits


def read_bytes(path: Path) -> bytes:
    """The content of a file; raises InvalidInput naming the file."""
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidInput(FieldError(str(path), f"is larger than {_LARGEST >> 20} MB"))
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(FieldError(str(path), f"can't be read: {error.strerror}")) from error


def programs_in(folder: Path) -> list[Path]:
    """The NC files of a folder by name; raises InvalidInput naming the folder."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in PROGRAM_SUFFIXES)
    except OSError as error:
        raise InvalidInput(FieldError(str(folder), f"can't be read: {error.strerror}")) from error
