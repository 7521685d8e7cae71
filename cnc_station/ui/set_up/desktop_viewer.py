"""Show a file in the program that the desktop has for it.

The window shows pictures itself. It has no reader for PDF: the one that Qt has is not part of the
installed package, and would be larger than all of its other libraries.
"""

import asyncio
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from cnc_station import private_files
from cnc_station.bundled import outside_environment
from cnc_station.engine.domain.errors import Unavailable

OPENER = "xdg-open"
ANSWER_S = 3.0  # a failure comes at once; some desktops answer only when the viewer is closed
_LONGEST_NAME = 120


def open_by_desktop(path: Path) -> None:
    """Open a file. Blocks for a moment. Raises OSError."""
    if sys.platform == "win32":
        import os  # noqa: PLC0415 - only Windows has `startfile`

        os.startfile(path)
        return
    opener = shutil.which(OPENER)
    if opener is None:
        raise OSError(f"{OPENER} is not installed")
    process = subprocess.Popen(
        [opener, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=outside_environment(),
        start_new_session=True,
    )
    try:
        code = process.wait(ANSWER_S)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, name="viewer", daemon=True).start()
        return
    if code:
        raise OSError(f"{OPENER} ended with code {code}")


class DesktopViewer:
    """Writes files into a private folder, which is deleted at the end of the program, and opens
    them. `opens` blocks, and raises OSError."""

    def __init__(self, opens: Callable[[Path], None] = open_by_desktop) -> None:
        self._opens = opens
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def show(self, name: str, content: bytes) -> None:
        """Open a copy of a file. Raises Unavailable with what to do."""
        try:
            await asyncio.to_thread(self._show, _file_name(name), content)
        except OSError as error:
            said = QCoreApplication.translate(
                "DesktopViewer",
                "This computer has no program that opens {name}. Save a copy of it, and open that "
                "elsewhere.",
            )
            raise Unavailable(said.format(name=name), raw=str(error)) from error

    def _show(self, name: str, content: bytes) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="cnc-station-", ignore_cleanup_errors=True
            )
        path = Path(self._folder.name) / name
        private_files.replace(path, content)
        self._opens(path)


def _file_name(name: str) -> str:
    """Return a name that any file system takes, with the same ending."""
    stem, dot, ending = name.rpartition(".")
    plain = "".join(one if one.isalnum() or one in " -_" else "_" for one in stem).strip(" -")
    return f"{plain[:_LONGEST_NAME] or 'file'}{dot}{ending}"


desktop_viewer = DesktopViewer()
