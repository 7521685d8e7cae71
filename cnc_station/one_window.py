"""One window per station: a second start brings the first window to the front, passes the files on
that it was to open, and ends."""

import json
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from cnc_station import private_files
from cnc_station.config import Config

PATIENCE_S = 3.0  # for a window that is busy, or is just starting
_LOOK_EVERY_S = 0.05
_MOST = 1 << 20  # bytes of a request


class OneWindow:
    """Held while a window of this station and database exists, visible or not.

    A data folder that cannot be written does not prevent the window: the engine reports it better.
    """

    def __init__(self, config: Config) -> None:
        key = sha256(f"{config.database_url}\n{config.station}".encode()).hexdigest()[:12]
        folder = config.data_folder
        self._request = folder / f"window-{key}.show"
        self._lock = FileLock(folder / f"window-{key}.lock", mode=private_files.FILE_MODE)

    def acquire(self) -> bool:
        """Become the window. Return False if another process has it."""
        try:
            private_files.make_folder(self._request.parent)
            self._lock.acquire(timeout=0)
            self._request.unlink(missing_ok=True)  # for a window that ended before it read this
        except Timeout:
            return False
        except OSError:
            self._lock.release()
        return True

    def release(self) -> None:
        self._lock.release()

    def bring_to_front(self, files: Sequence[Path] = (), patience_s: float = PATIENCE_S) -> bool:
        """Ask the other process to show its window with these files. Return whether it has
        confirmed."""
        try:
            asked = json.dumps([str(file) for file in files])
            private_files.replace(self._request, asked.encode())
            end = time.monotonic() + patience_s
            while self._request.exists():
                if time.monotonic() > end:
                    self._request.unlink(missing_ok=True)
                    return False
                time.sleep(_LOOK_EVERY_S)
        except OSError:
            return False
        return True

    def wanted(self) -> Sequence[Path] | None:
        """Return the files that another start wants this window to show, perhaps none of them; None
        if none has asked since the last call."""
        try:
            asked = private_files.read_regular(self._request, _MOST)
            self._request.unlink()
        except OSError:  # no request
            return None
        if asked is None or not self._lock.is_locked:
            return None
        try:
            return [Path(file) for file in json.loads(asked)]
        except (ValueError, TypeError):
            return []
