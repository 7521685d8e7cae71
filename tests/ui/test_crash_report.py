"""The window tells of a crash once, and shows its report."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from cnc_station.ui.dialogs.crash_report import CrashReportDialog
from cnc_station.ui.frame import Frame
from cnc_station.ui.shell import Shell
from tests.until import until


async def test_a_crash_is_told_and_its_report_is_a_tap_away(qtbot: QtBot, tmp_path: Path) -> None:
    report = tmp_path / "crash-20260101-000000-1.txt"
    report.write_text("Fatal Python error: Aborted <b>\n")
    frame = Frame()
    shell = Shell(frame)
    window = shell.window
    qtbot.addWidget(window)
    window.show()
    window.setEnabled(True)  # as when the engine has started
    shell.tell_crash(report)
    (words,) = window.toasts.messages()
    assert "crashed" in words
    (show,) = (one for one in window.toasts.findChildren(QPushButton) if one.text() == "Show")
    await until(show.isVisible)
    QTest.mouseClick(show, Qt.MouseButton.LeftButton)
    (dialog,) = window.findChildren(CrashReportDialog)
    await until(dialog.isVisible)
    dialog.text.go_to(1)
    assert dialog.text.selected() == "Fatal Python error: Aborted <b>"
    assert window.toasts.messages() == []
    dialog.accept()
    window.finish()


def test_a_report_that_is_gone_is_no_error(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = CrashReportDialog(tmp_path / "gone.txt")
    qtbot.addWidget(dialog)
    dialog.text.go_to(1)
    assert "can't be read" in dialog.text.selected()
