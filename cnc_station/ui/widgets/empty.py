"""What stands where nothing is yet: what belongs here, and the first step."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.text import Text

_ICON = 40
_WIDTH = 420


class EmptyState(QWidget):
    """Icon, one sentence, and a button for the first step if there is one; `step` when pressed."""

    step = Signal()

    def __init__(
        self,
        icon: str,
        title: str,
        sentence: str,
        step_label: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon = icon
        self._picture = QLabel()
        words = Text(sentence, Role.BODY, Ink.MUTED)
        words.setWordWrap(True)
        words.setMaximumWidth(_WIDTH)
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        box = QVBoxLayout(self)
        box.setSpacing(8)
        box.addStretch(2)
        centre = Qt.AlignmentFlag.AlignHCenter
        box.addWidget(self._picture, 0, centre)
        box.addSpacing(4)
        box.addWidget(Text(title, Role.CARD_TITLE), 0, centre)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(words, 1000)
        line.addStretch(1)
        box.addLayout(line)
        if step_label:
            button = PrimaryButton(step_label)
            button.clicked.connect(self.step)
            box.addSpacing(8)
            box.addWidget(button, 0, centre)
        self._offers = QHBoxLayout()
        box.addLayout(self._offers)
        box.addStretch(3)
        self._draw()

    def offer(self, label: str, taken: Callable[[], object]) -> None:
        """Adds another way to begin, below the first step."""
        button = Button(label)
        button.clicked.connect(taken)
        self._offers.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)

    def _draw(self) -> None:
        ratio = self.devicePixelRatioF()
        self._picture.setPixmap(theme().pixmap(self._icon, Ink.MUTED, _ICON, ratio))

    def changeEvent(self, event: QEvent) -> None:
        """Draws the icon in the new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()
