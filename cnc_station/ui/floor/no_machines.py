"""The floor of a shop without machines: the first step, and a day to look at."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.empty import EmptyState


class NoMachines(QWidget):
    """Two ways to begin."""

    add_wanted = Signal()
    demo_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        words = EmptyState(
            "factory",
            self.tr("No machines yet"),
            self.tr(
                "The floor shows every machine of the shop with its job, its time left and what it "
                "needs. Add your first machine, or look around with a day of an example shop."
            ),
        )
        add = PrimaryButton(self.tr("Add your first machine"))
        add.clicked.connect(self.add_wanted)
        demo = Button(self.tr("Load the demo day"))
        demo.clicked.connect(self.demo_wanted)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme().metrics.gap)
        buttons.addStretch(1)
        buttons.addWidget(add, 0, Qt.AlignmentFlag.AlignVCenter)
        buttons.addWidget(demo, 0, Qt.AlignmentFlag.AlignVCenter)
        buttons.addStretch(1)
        box = QVBoxLayout(self)
        box.setSpacing(0)
        box.addWidget(words, 3)
        box.addLayout(buttons)
        box.addStretch(2)
