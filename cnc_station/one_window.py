"""One window per station: a second start brings the first window to the front and ends."""

import time
from hashlib import sha256

from filelock import FileLock, Timeout

from cnc_station import private_files
from cnc_station.config import Config

PATIENCE_S = 3.0  # for a window that is busy, or is just starting
_LOOK_EVERY_S = 0.05


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

    def bring_to_front(self, patience_s: float = PATIENCE_S) -> bool:
        """Ask the other process to show its window. Return whether it has confirmed."""
        try:
            self._request.touch(mode=private_files.FILE_MODE)
            end = time.monotonic() + patience_s
            while self._request.exists():
                if time.monotonic() > end:
                    self._request.unlink(missing_ok=True)
                    return False
                time.sleep(_LOOK_EVERY_S)
        except OSError:
            return False
        return True

    def wanted(self) -> bool:
        """Return whether another start has asked for this window since the last call."""
        try:
            self._request.unlink()
        except OSError:  # no request
            return False
        return self._lock.is_locked
