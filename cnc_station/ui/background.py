"""Hide the window while the station keeps working, bring it back, and tell alerts on the
desktop."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from cnc_station.ui.theme import Ink, theme
from cnc_station.ui.widgets.literal import message_text, set_tip

_ICON = 22
_MESSAGE_MS = 10_000


class Background(QObject):
    """Hides `window` behind a tray icon, or minimises it on a desktop without a tray.
    `closing_wanted`: Close was chosen in the icon's menu. `message_clicked`: the last desktop
    message was clicked; the window is in front by then."""

    closing_wanted = Signal()
    message_clicked = Signal()

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

    @property
    def can_tell(self) -> bool:
        """Whether this desktop shows messages."""
        return self._has_tray() and QSystemTrayIcon.supportsMessages()

    def tell(self, title: str, text: str, *, critical: bool) -> bool:
        """Show a message on the desktop. Return False where it can't show any. The icon, which owns
        the message, stays until the window is brought to the front with it."""
        if not self.can_tell:
            return False
        icon = QSystemTrayIcon.MessageIcon
        tray = self._tray()
        tray.show()
        kind = icon.Critical if critical else icon.Warning
        tray.showMessage(message_text(title), message_text(text), kind, _MESSAGE_MS)
        return True

    def _clicked(self) -> None:
        self.leave()
        self.message_clicked.emit()

    def _tray(self) -> QSystemTrayIcon:
        if self._icon is None:
            self._menu = QMenu(self._window)
            self._menu.addAction(self.tr("Open CNC Station"), self.leave)
            self._menu.addAction(self.tr("Close the station…"), self._close)
            self._icon = QSystemTrayIcon(theme().icon("factory", Ink.TEXT, _ICON), self)
            set_tip(self._icon, self.tr("CNC Station is at work"))
            self._icon.setContextMenu(self._menu)
            self._icon.activated.connect(self._activated)
            self._icon.messageClicked.connect(self._clicked)
        return self._icon

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is not QSystemTrayIcon.ActivationReason.Context:
            self.leave()

    def _close(self) -> None:
        self.leave()
        self.closing_wanted.emit()
