"""One engine serves a file: a lock beside it says so."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from cnc_station.engine.domain.errors import Unavailable


class EngineLock:
    """Held while an engine runs; the operating system gives it back if the process dies. `path` is
    the file that is locked."""

    def __init__(self, database: Path) -> None:
        database = database.resolve()  # links lead to one file, which has one lock
        self.path = database.with_name(database.name + ".lock")
        self._holder = database.with_name(database.name + ".holder")
        self._lock = FileLock(self.path)

    def acquire(self, station: str) -> None:
        """Take it or raise Unavailable, naming who has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._holder.write_text(f"{station}, process {os.getpid()}", encoding="utf-8")
        except Timeout:
            raise Unavailable(
                f"Another CNC Station ({self.holder()}) already works on this database. "
                "Use its window, or close it first."
            ) from None
        except OSError as error:
            self._lock.release()
            place = error.filename or self.path.parent
            raise Unavailable(f"{place} can't be written: {error.strerror}.") from error

    def release(self) -> None:
        """Give it back."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def holder(self) -> str:
        """Who holds it, as far as can be read."""
        try:
            return self._holder.read_text(encoding="utf-8") or "unknown"
        except OSError:
            return "unknown"
