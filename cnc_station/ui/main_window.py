"""The window places its parts; the owner connects its signals.

Pages are made when first shown, from `PageSpec`s. A page is any QWidget; it may also have
`search(text)`, `go_back() -> bool` (Esc) and `arrived()`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QShowEvent,
)
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from cnc_station.ui.scanner import ScanCatcher
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.literal import caption, window_title
from cnc_station.ui.widgets.progress import BusyBar
from cnc_station.ui.widgets.rail import NavigationRail
from cnc_station.ui.widgets.toasts import ToastShelf
from cnc_station.ui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from cnc_station.ui.dialogs.key_sheet import KeySheet

_PAGE_KEYS = "1234567890"
_BULK_PATIENCE_S = 0.3


@dataclass(frozen=True, slots=True)
class PageSpec:
    """`title` stands above the page, `word` (short) in the rail; `factory` may import heavily."""

    key: str
    title: str
    icon: str
    factory: Callable[[], QWidget]
    word: str = ""


@runtime_checkable
class Searches(Protocol):
    """A page that the search field narrows."""

    def search(self, text: str) -> None:
        """Show only what matches; an empty text shows all."""


@runtime_checkable
class GoesBack(Protocol):
    """A page with something that Esc can close."""

    def go_back(self) -> bool:
        """Close the innermost open part; False if there is none."""


@runtime_checkable
class Arrives(Protocol):
    """A page that is notified when it is shown."""

    def arrived(self) -> None:
        """The page is now the one on view."""


class MainWindow(QMainWindow):
    """Rail, top bar, pages, shelf, keys. Closing only emits `close_requested`: the shop may be
    cutting. `finish()` really closes, and must come before `QApplication.quit()`, which a window
    that refuses to close stops."""

    page_changed = Signal(str)
    submitted = Signal(str)  # Enter in the search field, or a scanned code
    new_job_requested = Signal()
    files_dropped = Signal(list)  # list[Path]
    close_requested = Signal()

    def __init__(self, pages: Sequence[PageSpec], title: str = "CNC Station") -> None:
        super().__init__()
        self.setWindowTitle(window_title(title))
        self.setAcceptDrops(True)
        self.resize(1366, 768)
        self._specs = {spec.key: spec for spec in pages}
        self._pages: dict[str, QWidget] = {}
        self._searches: dict[str, str] = {}
        self._trail: list[str] = []
        self._overlays: list[GoesBack] = []
        self.current = ""
        self._finishing = False
        self._scans: ScanCatcher | None = None
        self.takes_badge: Callable[[str], bool] = lambda _: False
        self.rail = NavigationRail()
        self.top_bar = TopBar()
        self.toasts = ToastShelf()
        self.busy = BusyBar()
        self.toasts.add_left(self.busy)
        self.bulk_busy = BusyBar(_BULK_PATIENCE_S)
        self.toasts.add_left(self.bulk_busy)
        self._stack = QStackedWidget()
        self._place()
        for spec in pages:
            self.rail.add(spec.key, spec.word or spec.title, spec.icon)
        self.rail.chosen.connect(self.show_page)
        self.top_bar.search.searched.connect(self._search_page)
        self.top_bar.search.submitted.connect(self._submit)
        self.top_bar.new_job.clicked.connect(self.new_job_requested)
        self._add_actions(pages)

    def _place(self) -> None:
        right = vbox(self.top_bar, (self._stack, 1), self.toasts, gap=0)
        whole = QWidget()
        hbox(self.rail, (right, 1), on=whole, gap=0)
        self.setCentralWidget(whole)
        whole.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        whole.setFocus()  # not the search field, so that single keys are commands

    def _add_actions(self, pages: Sequence[PageSpec]) -> None:
        self.add_action(self.tr("Search or scan"), "/", self.focus_search)
        self.add_action(self.tr("New job"), "N", self.new_job_requested.emit)
        for key, spec in zip(_PAGE_KEYS, pages, strict=False):
            self.add_action(spec.title, key, partial(self.show_page, spec.key))
        self.add_action(self.tr("Back"), "Esc", self.back)
        self.add_action(self.tr("Full screen"), "F11", self.toggle_full_screen)
        self.add_action(self.tr("All keys"), "?", self.show_keys)

    def add_action(self, text: str, keys: str, triggered: Callable[[], object]) -> QAction:
        """Add a command that works on every page and is listed on the sheet of keys."""
        action = QAction(caption(text), self)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(triggered)
        self.addAction(action)
        return action

    def _take_scan(self, code: str) -> None:
        """A badge signs its owner on; every other code is searched for."""
        if not self.takes_badge(code):
            self.top_bar.search.take_scan(code)

    def page(self, key: str) -> QWidget:
        """The page of a key, made on first use; KeyError for an unknown key."""
        if key not in self._pages:
            made = self._specs[key].factory()
            made.setProperty("part", "page")
            self._pages[key] = made
            self._stack.addWidget(made)
        return self._pages[key]

    def add_overlay(self, part: GoesBack) -> None:
        """Close a part that covers the pages first when the user goes back."""
        self._overlays.append(part)

    def show_page(self, key: str) -> None:
        """Show a page and remember the one before."""
        if key == self.current:
            return
        page = self.page(key)
        if self.current:
            self._trail = [*self._trail[-19:], self.current]
        self._front(key, page)

    def _front(self, key: str, page: QWidget) -> None:
        self.current = key
        self._stack.setCurrentWidget(page)
        self.rail.select(key)
        self.top_bar.title.setText(self._specs[key].title)
        self.top_bar.search.blockSignals(True)
        self.top_bar.search.setText(self._searches.get(key, ""))
        self.top_bar.search.blockSignals(False)
        if isinstance(page, Arrives):
            page.arrived()
        self.page_changed.emit(key)

    def back(self) -> None:
        """Close what is open on the page, otherwise return to the page before."""
        page: object = self._pages.get(self.current)
        for part in (*self._overlays, page):
            if isinstance(part, GoesBack) and part.go_back():
                return
        if self._trail:
            key = self._trail.pop()
            self._front(key, self.page(key))

    def focus_search(self) -> None:
        self.top_bar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.top_bar.search.selectAll()

    def narrow(self, text: str) -> None:
        """Replace the search text of the page on view."""
        self.top_bar.search.setText(text)

    def _search_page(self, text: str) -> None:
        self._searches[self.current] = text
        page: object = self._pages.get(self.current)
        if isinstance(page, Searches):
            page.search(text)

    def _submit(self, text: str) -> None:
        if text:
            self.submitted.emit(text)

    def toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def show_keys(self) -> "KeySheet":
        """Open the sheet of all keys: the window's own and those of the page on view."""
        from cnc_station.ui.dialogs.key_sheet import KeySheet  # noqa: PLC0415 - after the start

        sheet = KeySheet(self._actions_in_reach(), self)
        sheet.open()
        return sheet

    def _actions_in_reach(self) -> Iterator[QAction]:
        yield from self.actions()
        page = self._pages.get(self.current)
        if page is not None:
            yield from page.actions()
            for widget in page.findChildren(QWidget):
                yield from widget.actions()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(u.toLocalFile()) for u in event.mimeData().urls() if u.isLocalFile()]
        event.acceptProposedAction()
        self.files_dropped.emit(files)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._scans is None:
            self._scans = ScanCatcher(self)
            self._scans.scanned.connect(self._take_scan)

    def finish(self) -> None:
        """Close without asking, at the end of a shutdown."""
        self._finishing = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask the owner of the program; the window stays until `finish()`."""
        if self._finishing:
            event.accept()
            return
        event.ignore()
        self.close_requested.emit()
