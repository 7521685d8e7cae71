"""Files named on the command line."""

from pathlib import Path

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.nc.names import is_program

_LARGEST = 64 * 1024 * 1024  # the consumers have their own, smaller limits


def read_bytes(path: Path) -> bytes:
    """Return the content of a file. Raises InvalidInput with the name of the file."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)  # a device or a pipe has no size in advance
    except OSError as error:
        raise InvalidInput(FieldError(str(path), f"can't be read: {error.strerror}")) from error
    if len(content) > _LARGEST:
        raise InvalidInput(FieldError(str(path), f"is larger than {_LARGEST >> 20} MB"))
    return content


def programs_in(folder: Path) -> list[Path]:
    """Return the NC files of a folder by name.

    Without .txt files, which may be set-up sheets. Raises InvalidInput with the name of the folder.
    """
    try:
        return sorted(path for path in folder.iterdir() if _in_folder(path.name))
    except OSError as error:
        raise InvalidInput(FieldError(str(folder), f"can't be read: {error.strerror}")) from error


def _in_folder(name: str) -> bool:
    return is_program(name) and not name.lower().endswith(".txt")
