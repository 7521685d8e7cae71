"""One window a station: a second start brings the first to the front and ends."""

import time
from hashlib import sha256

from filelock import FileLock, Timeout

from cnc_station.config import Config

PATIENCE_S = 3.0  # for a window that is busy, or starts just now
_LOOK_EVERY_S = 0.05


class OneWindow:
    """Held while a window of this station and database is open, on the screen or not.

    A folder that can't be written is no reason to refuse the window: the engine says it better.
    """

    def __init__(self, config: Config) -> None:
        key = sha256(f"{config.database_url}\n{config.station}".encode()).hexdigest()[:12]
        folder = config.data_folder
        self._request = folder / f"window-{key}.show"
        self._lock = FileLock(folder / f"window-{key}.lock")

    def acquire(self) -> bool:
        """Become the window; False if another process has it."""
        try:
            self._request.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._request.unlink(missing_ok=True)  # for a window that did not live to see it
        except Timeout:
            return False
        except OSError:
            self._lock.release()
        return True

    def release(self) -> None:
        """Give it back."""
        self._lock.release()

    def bring_to_front(self, patience_s: float = PATIENCE_S) -> bool:
        """Ask the other process to show its window; whether it has heard."""
        try:
            self._request.touch()
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
        """Whether another start has asked for this window since the last look."""
        try:
            self._request.unlink()
        except OSError:  # nobody has
            return False
        return self._lock.is_locked
