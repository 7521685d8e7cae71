"""Progress of what takes longer than a second."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from cnc_station.ui.theme import Ink, Role, Tone
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.progress import ProgressBar
from cnc_station.ui.widgets.text import ElidedLabel

_WIDTH = 360


class BusyBar(QWidget):
    """Words, a bar and Cancel, shown only once the work has taken `patience_s` seconds."""

    cancelled = Signal()

    def __init__(self, patience_s: float = 1.0) -> None:
        super().__init__()
        self._words = ElidedLabel("", Role.NOTE, Ink.MUTED)
        self._bar = ProgressBar()
        self._cancel = Button(self.tr("Cancel"), quiet=True)
        self._cancel.clicked.connect(self.cancelled)
        self._timer = QTimer(self, singleShot=True, interval=round(patience_s * 1000))
        self._timer.timeout.connect(self.show)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(10)
        box.addWidget(self._words)
        box.addWidget(self._bar, 1)
        box.addWidget(self._cancel)
        self.setFixedWidth(_WIDTH)
        self.hide()

    def start(self, words: str, *, can_cancel: bool = False) -> None:
        """A piece of work begins; it is shown when it lasts."""
        self._words.setText(words)
        self._words.setMinimumWidth(min(180, self._words.sizeHint().width()))
        self._bar.set_fraction(None)
        self._cancel.setVisible(can_cancel)
        self._timer.start()

    def set_fraction(self, fraction: float) -> None:
        """How much is done, from 0 to 1."""
        self._bar.set_fraction(fraction, Tone.OPERATOR)

    def finish(self) -> None:
        """The work is over."""
        self._timer.stop()
        self.hide()
