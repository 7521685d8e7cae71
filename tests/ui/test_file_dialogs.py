"""File dialogs begin where a disk answers: Qt keeps the interpreter while it looks there."""

import threading
import time
from pathlib import Path

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from cnc_station.ui.file_dialogs import FileDialogs

UI = Path(__file__).parents[2] / "cnc_station" / "ui"


def test_a_dialog_begins_in_the_last_folder_unless_its_disk_is_away(
    qtbot: QtBot, tmp_path: Path
) -> None:
    away = threading.Event()
    back = threading.Event()

    def is_dir(path: Path) -> bool:
        if path == tmp_path and away.is_set():
            back.wait(30)
        return path.is_dir()

    window = QWidget()
    qtbot.addWidget(window)
    dialogs = FileDialogs(is_dir)
    first = dialogs.make(window, "Open")
    assert Path(first.directory().path()) == Path.home()
    first.filesSelected.emit([str(tmp_path / "plate.nc")])
    assert Path(dialogs.make(window, "Open").directory().path()) == tmp_path
    away.set()
    begun = time.monotonic()
    assert Path(dialogs.make(window, "Open").directory().path()) == Path.home()
    assert time.monotonic() - begun < 5.0
    back.set()


def test_where_no_folder_answers_it_begins_at_the_root(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    dialog = FileDialogs(lambda _: False).make(window, "Open")
    assert dialog.directory().path() == Path("/").as_posix()


def test_every_file_dialog_is_made_there() -> None:
    makers = {path.name for path in UI.rglob("*.py") if "QFileDialog(" in path.read_text("utf-8")}
    assert makers == {"file_dialogs.py"}
