"""What tells a demo day from the shop, and leaves it."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame

from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import hbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.text import Text


class DemoBar(QFrame):
    """Stands in the top bar on a demo day, so that the pages keep their room."""

    def __init__(self, open_shop: Callable[[], object]) -> None:
        super().__init__()
        text = Text(self.tr("Demo day"), Role.STRONG, Ink.OPERATOR)
        set_tip(text, self.tr("The machines are simulated, and nothing of it is kept."))
        self.leave = Button(self.tr("Start my own shop"), clicked=open_shop)
        hbox(text, self.leave, on=self, gap=12)
