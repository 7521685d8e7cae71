"""A folder that goes with its owner, however that ends."""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

# Waits for the end of its input, which comes with the owner's, and then clears up. What was killed
# a moment ago may still be writing there, so it tries more than once.
_WATCH = """
trap '' HUP INT TERM
read -r _
for try in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$1" && exit; sleep 0.5; done
"""


class TemporaryFolder:
    """A new folder only this user can enter. `remove` ends it; so does a watching process of a
    few kilobytes where its owner is killed. Needs a POSIX shell."""

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._watcher = subprocess.Popen(
            ["sh", "-c", _WATCH, "watcher", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the owner's terminal is not for it
        )

    def remove(self) -> None:
        """Clear the folder away; the second time does nothing."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(subprocess.TimeoutExpired):  # it ends by itself, a little later
            self._watcher.communicate(timeout=10)
