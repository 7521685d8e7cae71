"""The field for a password that is never shown again."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit

from cnc_station.engine.views import KEPT
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.literal import set_tip

_SECRET_GAP = 4


class SecretField(QLineEdit):
    """A password. A stored one is never shown: the first edit replaces all of it."""

    def __init__(self, text: str, label: str) -> None:
        super().__init__(text)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self._is_kept = text == KEPT
        self._label = label
        self.show_button = Button("", self, quiet=True)
        self.show_button.setCheckable(True)
        self.show_button.setCursor(Qt.CursorShape.ArrowCursor)
        self.show_button.toggled.connect(self._show)
        self.show_button.setHidden(self._is_kept)
        self._show(on=False)
        if self._is_kept:
            set_tip(self, self.tr("A password is stored. It can be replaced but not shown."))
        self.textEdited.connect(self._replace)

    def _show(self, on: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password)
        self.show_button.setText(self.tr("Hide") if on else self.tr("Show"))
        words = self.tr("Hide {what}") if on else self.tr("Show {what}")
        self.show_button.setAccessibleName(words.format(what=self._label))
        self._place()

    def _replace(self, text: str) -> None:
        if self._is_kept:
            self._is_kept = False
            self.setText("".join(letter for letter in text if letter not in KEPT))
            set_tip(self, "")
            self.show_button.show()
            self._place()

    def _place(self) -> None:
        width = self.show_button.sizeHint().width()
        self.show_button.setGeometry(self.width() - width, 0, width, self.height())
        shown = not self.show_button.isHidden()
        self.setTextMargins(0, 0, width + _SECRET_GAP if shown else 0, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._is_kept:
            self.selectAll()
