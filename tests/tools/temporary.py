"""A temporary folder that is removed when its owner ends, in any way."""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

# Waits for the end of its input, which comes with the end of the owner, and then removes the
# folder. A process killed just before may still write there, so it tries several times.
_WATCH = """
trap '' HUP INT TERM
read -r _
for try in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$1" && exit; sleep 0.5; done
"""


class TemporaryFolder:
    """A new folder that only this user can enter.

    `remove` deletes it. If its owner is killed, a watching process of a few kilobytes does. Needs a
    POSIX shell.
    """

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._watcher = subprocess.Popen(
            ["sh", "-c", _WATCH, "watcher", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal of the owner must not end it
        )

    def remove(self) -> None:
        """Delete the folder. The second call does nothing."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(subprocess.TimeoutExpired):  # it ends by itself, a little later
            self._watcher.communicate(timeout=10)
