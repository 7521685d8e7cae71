"""Hide the window while the station keeps working, and bring it back."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from cnc_station.ui.theme import Ink, theme
from cnc_station.ui.widgets.literal import set_tip

_ICON = 22


class Background(QObject):
    """Hides `window` behind a tray icon, or minimises it on a desktop without a tray.
    `closing_wanted`: Close was chosen in the icon's menu."""

    closing_wanted = Signal()

    def __init__(
        self, window: QWidget, has_tray: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable
    ) -> None:
        super().__init__(window)
        self._window = window
        self._has_tray = has_tray
        self._icon: QSystemTrayIcon | None = None

    @property
    def way_back(self) -> str:
        """How to bring the window back, as a sentence for the person."""
        if self._has_tray():
            return self.tr(
                "To bring the window back, start CNC Station again or click its icon beside the "
                "clock."
            )
        return self.tr(
            "This desktop has no place for an icon: the window is minimised. Starting CNC Station "
            "again brings it back too."
        )

    def enter(self) -> None:
        if self._has_tray():
            self._tray().show()
            self._window.hide()
        else:
            self._window.showMinimized()

    def leave(self) -> None:
        """Show the window in front of the others."""
        if self._icon is not None:
            self._icon.hide()
        window = self._window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()

    def _tray(self) -> QSystemTrayIcon:
        if self._icon is None:
            self._menu = QMenu(self._window)
            self._menu.addAction(self.tr("Open CNC Station"), self.leave)
            self._menu.addAction(self.tr("Close the station…"), self._close)
            self._icon = QSystemTrayIcon(theme().icon("factory", Ink.TEXT, _ICON), self)
            set_tip(self._icon, self.tr("CNC Station is at work"))
            self._icon.setContextMenu(self._menu)
            self._icon.activated.connect(self._activated)
        return self._icon

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is not QSystemTrayIcon.ActivationReason.Context:
            self.leave()

    def _close(self) -> None:
        self.leave()
        self.closing_wanted.emit()
