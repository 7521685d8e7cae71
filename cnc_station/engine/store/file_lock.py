"""A lock on a file itself, whatever its name: hard links and bind mounts share it."""

import errno
import os
import struct
import sys
from pathlib import Path

# A byte far beyond SQLite's own locks (at 1 GiB) and any possible page. SQLite neither sees nor
# drops a lock of an open file description, although it opens and closes the same file.
_BYTE = 2**62
_FLOCK = "hhqqixxxx"  # struct flock: type, whence, start, length, process
_refused: list[int] = []  # never closed: another engine of this process may have the file open


class FileItself:
    """Only Linux has such locks. Elsewhere it is always free: the lock by name has to do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Lock the file. Return False if another process has it, or another engine of this one.
        Raises OSError."""
        if sys.platform != "linux":
            return True
        handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        if not _lock(handle):
            _refused.append(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Unlock it. The database must be closed before: with this file, a process closes all of
        SQLite's locks."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _lock(handle: int) -> bool:
    """Return False if somebody has it. A file system without such locks lets everybody have it."""
    import fcntl  # noqa: PLC0415 - Windows has none

    wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _BYTE, 1, 0)
    try:
        fcntl.fcntl(handle, fcntl.F_OFD_SETLK, wanted)
    except OSError as error:
        return error.errno not in {errno.EAGAIN, errno.EACCES}
    return True
