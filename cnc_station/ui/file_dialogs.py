"""Qt's file dialogs, opened in a folder whose disk answers.

Qt keeps the interpreter while it makes a file dialog and looks at its first folder, and at those
that it remembers. A share of the network that is away would stop the engine's thread with the
window, and so every stream. The folders that a person opens in the dialog Qt reads without it.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QWidget

ANSWER_S = 0.3


class FileDialogs:
    """Makes file dialogs. Each begins in the folder of the last choice, if that answers in time,
    otherwise in the home folder. `is_dir` blocks."""

    def __init__(self, is_dir: Callable[[Path], bool] = Path.is_dir) -> None:
        self._is_dir = is_dir
        self._last: Path | None = None
        # Qt would read the folders of all its programs' dialogs from a file of this user.
        QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, os.devnull)

    def make(self, parent: QWidget, title: str, forms: str = "") -> QFileDialog:
        """Return a dialog that is not open yet; it is deleted when it is closed."""
        dialog = QFileDialog(parent, title, str(self._folder()), forms)
        dialog.filesSelected.connect(self._keep)
        dialog.finished.connect(dialog.deleteLater)
        return dialog

    def _keep(self, names: list[str]) -> None:
        self._last = Path(names[0]).parent

    def _folder(self) -> Path:
        wanted = (self._last, Path.home())
        return next((each for each in wanted if each and self._answers(each)), Path(os.sep))

    def _answers(self, folder: Path) -> bool:
        found: list[bool] = []
        done = threading.Event()

        def look() -> None:
            try:
                found.append(self._is_dir(folder))
            finally:
                done.set()

        threading.Thread(target=look, name="folder", daemon=True).start()
        return done.wait(ANSWER_S) and found == [True]


file_dialogs = FileDialogs()
