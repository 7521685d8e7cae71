"""Text from outside that Qt would interpret, and a walk over everything a window shows of it."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QEvent, QModelIndex, QRect
from PySide6.QtGui import QAction, QHelpEvent, QKeySequence, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QMenu,
    QTabBar,
    QTableView,
    QToolTip,
    QWidget,
)

from cnc_station.ui.theme import Density, ThemeName, apply_theme

PIPE = "p"  # a name in the current folder: it fits where a text has to be short or has no slash
MARKUP = f"<b>x<img src={PIPE}> &b {{0}} [*]"
_ROWS = 50
_ROLES = (
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.StatusTipRole,
    Qt.ItemDataRole.WhatsThisRole,
)


_WATCH = """
import os, sys, time
pipe, log, parent = sys.argv[1], sys.argv[2], os.getppid()
while os.getppid() == parent:
    try:
        writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)  # possible only while somebody reads
    except OSError:
        time.sleep(0.002)
        continue
    with open(log, "ab") as told:
        told.write(b".")
    os.close(writer)
"""


class WatchedPipe:
    """A pipe in a folder that knows how often it was read. A reader is let go at once, so that a
    window that reads it fails its test and does not stop it. Another process watches it: a picture
    is loaded without letting go of the interpreter."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "readers"
        self._log.touch()
        self._path = folder / PIPE
        os.mkfifo(self._path)
        command = [sys.executable, "-c", _WATCH, str(self._path), str(self._log)]
        self._watch = subprocess.Popen(command)

    @property
    def readers(self) -> int:
        """How often it was opened for reading and read to its end."""
        return self._log.stat().st_size

    def close(self) -> None:
        """Nobody watches from now on, and nobody can wait for it."""
        self._path.unlink()
        self._watch.kill()
        self._watch.wait()


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedPipe]:
    """The picture that the markup names."""
    monkeypatch.chdir(tmp_path)
    pipe = WatchedPipe(tmp_path)
    yield pipe
    pipe.close()


@pytest.fixture
def dressed(qapp: QApplication) -> None:
    """The style sheet is in force, as in the program."""
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)


@dataclass(slots=True)
class Walk:
    """`wrong` names what Qt would interpret; `seen` counts the outside text met, by kind."""

    seen: Counter[str] = field(default_factory=Counter)
    wrong: set[str] = field(default_factory=set)

    def over(self, top: QWidget) -> None:
        """Look at a window or dialog, paint it, and show each of its tips."""
        self._title(top)
        for widget in (top, *top.findChildren(QWidget)):
            self._widget(widget)
        for action in top.findChildren(QAction):
            self._caption("action", action, action.text())
        top.grab()
        for widget in (top, *top.findChildren(QWidget)):
            if widget.isVisible():
                self._rest_on(widget)

    def menu(self, menu: QMenu) -> None:
        """Look at a menu as it opens, and at those below it."""
        menu.aboutToShow.emit()
        for action in menu.actions():
            self._caption("action", action, action.text())
        for below in menu.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly):
            self.menu(below)

    def _note(self, kind: str, text: str) -> None:
        self.seen[kind] += "img src" in text

    def _refuse(self, what: object, text: str, *, when: bool) -> None:
        if when:
            self.wrong.add(f"{what}: {text[:120]!r}")

    def _title(self, top: QWidget) -> None:
        shown = top.windowTitle()
        self._note("title", shown)
        self._refuse(top, shown, when="[*]" in shown.replace("[*][*]", ""))

    def _widget(self, widget: QWidget) -> None:
        for text in (widget.toolTip(), widget.statusTip(), widget.whatsThis()):
            self._tip("tip", widget, text)
        if isinstance(widget, QLabel):
            self._note("label", widget.text())
            plain = widget.textFormat() is Qt.TextFormat.PlainText
            self._refuse(widget, widget.text(), when=not plain)
            if widget.buddy() is not None:
                self._caption("buddy", widget, widget.text())
        if isinstance(widget, QAbstractButton):
            self._caption("button", widget, QAbstractButton.text(widget))
        if isinstance(widget, QTabBar):
            for place in range(widget.count()):
                self._caption("tab", widget, widget.tabText(place))
        if isinstance(widget, QComboBox | QAbstractItemView) and widget.model() is not None:
            self._model(widget.model())

    def _tip(self, kind: str, owner: object, text: str) -> None:
        self._note(kind, text)
        self._refuse(owner, text, when=Qt.mightBeRichText(text))

    def _caption(self, kind: str, owner: object, text: str) -> None:
        self._note(kind, text)
        self._refuse(owner, text, when=not QKeySequence.mnemonic(text).isEmpty())

    def _model(self, model: QAbstractItemModel) -> None:
        for index in _indexes(model):
            self._note("cell", str(index.data() or ""))
            for role in _ROLES:
                self._tip("cell tip", type(model).__name__, str(index.data(role) or ""))
        for role in _ROLES:
            for section in range(_columns(model)):
                shown = model.headerData(section, Qt.Orientation.Horizontal, role)
                self._tip("head tip", type(model).__name__, str(shown or ""))

    def _rest_on(self, widget: QWidget) -> None:
        """The pointer rests on a widget, or on each of the first cells of a view."""
        if not isinstance(widget, QAbstractItemView):
            self._ask_for_tip(widget, widget.rect())
            return
        for index in _indexes(widget.model()):
            if not (isinstance(widget, QTableView) and widget.isColumnHidden(index.column())):
                self._ask_for_tip(widget.viewport(), widget.visualRect(index))

    def _ask_for_tip(self, widget: QWidget, place: QRect) -> None:
        at = place.center()
        if not widget.rect().contains(at):
            return
        event = QHelpEvent(QEvent.Type.ToolTip, at, widget.mapToGlobal(at))
        QApplication.sendEvent(widget, event)
        self._shown_tip()

    def _shown_tip(self) -> None:
        if not QToolTip.isVisible():
            return
        for label in tip_labels():
            self._note("shown tip", label.text())
            label.grab()
            plain = label.textFormat() is Qt.TextFormat.PlainText
            self._refuse("shown tip", label.text(), when=not plain)


def tip_labels() -> list[QLabel]:
    """Qt's own window for tips, while there is one."""
    tops = QApplication.topLevelWidgets()
    kind = "QTipLabel"
    return [w for w in tops if isinstance(w, QLabel) and w.metaObject().className() == kind]


def _indexes(model: QAbstractItemModel) -> Iterator[QModelIndex]:
    for row in range(min(model.rowCount(), _ROWS)):
        for column in range(_columns(model)):
            yield model.index(row, column)


def _columns(model: QAbstractItemModel) -> int:
    return 1 if isinstance(model, QAbstractListModel) else model.columnCount()
