"""Buttons by weight: plain, the one primary action, and what destroys."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QPushButton, QWidget

from cnc_station.ui.theme import Ink, Tone, theme

_CROSS = 16


class Button(QPushButton):
    """An ordinary action. `quiet` has no frame until it is touched."""

    def __init__(self, text: str, parent: QWidget | None = None, *, quiet: bool = False) -> None:
        super().__init__(text, parent)
        if quiet:
            self.setProperty("kind", "quiet")
        self.setAutoDefault(False)


class CloseButton(Button):
    """A cross that closes what it stands on, in the ink of the theme that is in force."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent, quiet=True)
        self.setAccessibleName(name)
        self._draw()

    def _draw(self) -> None:
        self.setIcon(theme().icon("x", Ink.MUTED, _CROSS))

    def changeEvent(self, event: QEvent) -> None:
        """Takes the new ink."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()


class PrimaryButton(QPushButton):
    """The one thing to do next here; 20 mm high in touch mode.

    Tone OPERATOR marks a remedy a person owes a machine ("Cleared").
    """

    def __init__(
        self,
        text: str,
        parent: QWidget | None = None,
        *,
        tone: Tone = Tone.NORMAL,
    ) -> None:
        super().__init__(text, parent)
        self.setProperty("kind", "primary")
        self.setProperty("tone", tone.value)
        self.setAutoDefault(False)


class DangerButton(QPushButton):
    """An action that loses something and can be undone; for what cannot, use HoldButton."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("kind", "danger")
        self.setAutoDefault(False)
