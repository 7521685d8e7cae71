"""The parts of the program, with the texts of their licences."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QWidget

from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.licences import Component, components
from cnc_station.ui.theme import Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.code_view import CodeView
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.text import Text

_SIZE = (640, 560)


class LicenceTexts(Dialog):
    """Open it with `open()`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Licences"), parent)
        self.resize(*_SIZE)
        self._parts = components()
        self.text = CodeView()
        self.text.setAccessibleName(self.tr("Licence"))
        self.which = QComboBox()
        self.which.addItems([_title(part) for part in self._parts])
        self.which.setAccessibleName(self.tr("Part"))
        self.which.currentIndexChanged.connect(self._show)
        close = Button(self.tr("Close"), clicked=self.accept)
        title = Text(self.tr("Licences of {0} parts").format(len(self._parts)), Role.PAGE_TITLE)
        last = (close, 0, Qt.AlignmentFlag.AlignRight)
        vbox(title, self.which, (self.text, 1), last, on=self, gap=12, margins=16)
        self._show(0)

    def _show(self, index: int) -> None:
        part = self._parts[index]
        stated = self.tr("It comes under {0}. Its package has no text of it.").format(part.licence)
        self.text.set_text("\n\n".join(part.texts) or stated)


def _title(part: Component) -> str:
    return f"{part.name} {part.version}".strip() + f" · {part.licence}"
