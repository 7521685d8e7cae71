"""One picture: of what, in which look and size."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from cnc_station.ui.shell import Shell
from cnc_station.ui.theme import Density, ThemeName, apply_theme

SIZES = (QSize(1366, 768), QSize(1920, 1080))
LOOKS = {
    "light": (ThemeName.LIGHT, Density.DENSE),
    "dark": (ThemeName.DARK, Density.DENSE),
    "high-contrast": (ThemeName.HIGH_CONTRAST, Density.DENSE),
    "lavender": (ThemeName.LAVENDER, Density.DENSE),
    "touch": (ThemeName.LIGHT, Density.TOUCH),
}
_VEIL = QColor(0, 0, 0, 90)
SETTLE_S = 1.2  # pages load, charts are drawn one after the other


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to take."""

    subject: str
    look: str
    size: QSize

    @property
    def name(self) -> str:
        return f"{self.subject}-{self.look}-{self.size.width()}x{self.size.height()}.png"

    def dress(self, app: QApplication, shell: Shell, last: "Shot | None") -> None:
        """The window in this look and size; `last` is the shot before it."""
        if last is None or last.look != self.look:
            apply_theme(app, *LOOKS[self.look])
        shell.window.resize(self.size)

    async def take(self, shell: Shell, folder: Path, dialog: QWidget | None = None) -> None:
        """Once all that was asked for is on view; a dialog in the middle of the window."""
        await asyncio.sleep(SETTLE_S)
        picture = shell.window.grab()
        if dialog is not None:
            painter = QPainter(picture)
            painter.fillRect(picture.rect(), _VEIL)
            middle = dialog.rect()
            middle.moveCenter(shell.window.rect().center())
            painter.drawPixmap(middle.topLeft(), dialog.grab())
            painter.end()
        picture.save(str(folder / self.name))
        print(folder / self.name, flush=True)
