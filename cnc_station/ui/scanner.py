"""Tell a barcode scanner from typing: no person types a code in under a blink.

A scan would otherwise trigger single-key commands ("N", "1"). A printable key that no field takes
waits a moment: if more follow at once and Enter ends them, they are a code; otherwise each key acts
as usual.
"""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QWidget

GAP_MS = 50
LEAST_CODE = 3
_ENTER = {Qt.Key.Key_Return, Qt.Key.Key_Enter}
_COMMANDS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)


class ScanCatcher(QObject):
    """Filters the keys of one shown window; `scanned` carries a burst of keys that Enter ended."""

    scanned = Signal(str)

    def __init__(self, window: QWidget, gap_ms: int = GAP_MS) -> None:
        super().__init__(window)
        self._window = window
        self._keys: list[str] = []
        self._timer = QTimer(self, singleShot=True, interval=gap_ms)
        self._timer.timeout.connect(self._release_keys)
        window.windowHandle().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or not self._takes(event):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() != QEvent.Type.KeyPress:
            return False
        if event.key() in _ENTER:
            self._finish_code()
        else:
            self._keys.append(event.text())
            self._timer.start()
        return True

    def _takes(self, event: QKeyEvent) -> bool:
        if event.key() in _ENTER:
            return len(self._keys) >= LEAST_CODE
        text = event.text()
        if len(text) != 1 or not text.isprintable() or event.modifiers() & _COMMANDS:
            return False
        if event.isAutoRepeat() or (text == " " and not self._keys):
            return False
        focus = QApplication.focusWidget()
        return focus is None or not focus.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)

    def _finish_code(self) -> None:
        code = "".join(self._keys)
        self._forget()
        self.scanned.emit(code)

    def _forget(self) -> None:
        self._timer.stop()
        self._keys.clear()

    def _release_keys(self) -> None:
        keys = tuple(self._keys)
        self._forget()
        for key in keys:
            self._press(key)

    def _press(self, key: str) -> None:
        wanted = QKeySequence(key.upper())
        for action in self._window.findChildren(QAction):
            if wanted in action.shortcuts() and _within_reach(action):
                action.trigger()
                return
        focus = QApplication.focusWidget()
        if focus is not None:
            none = Qt.KeyboardModifier.NoModifier
            press = QKeyEvent(QEvent.Type.KeyPress, Qt.Key(ord(key.upper())), none, key)
            QApplication.postEvent(focus, press)


def _within_reach(action: QAction) -> bool:
    owners = [owner for owner in action.associatedObjects() if isinstance(owner, QWidget)]
    return action.isEnabled() and any(o.isVisible() and o.isEnabled() for o in owners)
