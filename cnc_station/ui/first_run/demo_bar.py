"""The strip that tells a demo day from the shop, and leaves it."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame

from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import hbox
from cnc_station.ui.widgets.text import ElidedLabel


class DemoBar(QFrame):
    """Stands above every page of a demo day."""

    def __init__(self, open_shop: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("part", "sunken")
        words = self.tr("Demo day: the machines are simulated, and nothing of it is kept.")
        self.leave = Button(self.tr("Start my own shop"), clicked=open_shop)
        text = ElidedLabel(words, Role.STRONG, Ink.OPERATOR)
        hbox((text, 1), self.leave, on=self, gap=12, margins=(16, 6, 16, 6))
