"""Read a file that comes from outside: an NC program, a table of jobs, a named settings file.

Only an ordinary file is read, never more than a limit, and never for longer than a limit. A device
or a pipe is not even opened: opening a serial port resets the controller behind it.
"""

import os
import stat
import threading
from functools import partial
from pathlib import Path

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.own_thread import on_own_thread

MOST_PROGRAM_BYTES = 32 * 1024 * 1024
MOST_TABLE_BYTES = 20_000_000
LONGEST_S = 60.0  # a share of the network that is away blocks its readers for ever
_CHUNK = 1 << 20
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_KINDS = {
    stat.S_IFDIR: "is a folder, not a file",
    stat.S_IFIFO: "is a pipe, not a file: save its content as a file first",
    stat.S_IFSOCK: "is a socket, not a file",
    stat.S_IFCHR: "is a device, not a file",
    stat.S_IFBLK: "is a device, not a file",
}


class FileRefused(InvalidInput):
    """The file is not read. `sentence` begins with its name."""

    def __init__(self, path: Path, reason: str, *, is_folder: bool = False) -> None:
        name = path.name or str(path)
        super().__init__(FieldError(name, reason))
        self.sentence = f"{name} {reason}."
        self.is_folder = is_folder


async def read_outside_file(path: Path, most: int) -> bytes:
    """Return the content of a file of at most `most` bytes. Raises FileRefused.

    The file is read on a thread of its own, which is left alone if the disk does not answer: it
    delays neither the loop nor the end of the process. A cancelled reading stops at the next chunk.
    """
    stop = threading.Event()
    try:
        reading = partial(read_file, path, most, stop)
        return await on_own_thread(reading, LONGEST_S, name="outside file")
    except TimeoutError:
        raise FileRefused(path, f"can't be read: no answer within {LONGEST_S:.0f} s") from None
    finally:
        stop.set()


def read_file(path: Path, most: int, stop: threading.Event | None = None) -> bytes:
    """Return the content of a file, on the calling thread. Raises FileRefused. A set `stop` ends
    the reading early."""
    try:
        _check(path, path.stat(), most)
        handle = os.open(path, _FLAGS)
        try:
            return _content(path, handle, most, stop)
        finally:
            os.close(handle)
    except OSError as error:
        raise FileRefused(path, f"can't be read: {error.strerror or error}") from error
    except ValueError as error:  # a null character in the path
        raise FileRefused(path, "is not a valid name of a file") from error


def _check(path: Path, status: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "is not an ordinary file")
        raise FileRefused(path, kind, is_folder=stat.S_ISDIR(status.st_mode))
    if status.st_size > most:
        raise FileRefused(path, f"is larger than {size_text(most)}")


def _content(path: Path, handle: int, most: int, stop: threading.Event | None) -> bytes:
    before = os.fstat(handle)
    _check(path, before, most)
    chunks: list[bytes] = []
    left = most + 1  # a file can grow while it is read
    while left and not (stop and stop.is_set()):
        chunk = os.read(handle, min(left, _CHUNK))
        if not chunk:
            break
        chunks.append(chunk)
        left -= len(chunk)
    if not left:
        raise FileRefused(path, f"is larger than {size_text(most)}")
    content = b"".join(chunks)
    after = os.fstat(handle)
    if after.st_size != len(content) or after.st_mtime_ns != before.st_mtime_ns:
        raise FileRefused(path, "changed while it was read: wait until it is complete")
    return content


def size_text(most: int) -> str:
    """Return a limit in MB, as a person reads it."""
    return f"{most >> 20} MB" if most % (1 << 20) == 0 else f"{most // 1_000_000} MB"
