"""One field of a form: its name above, what is wrong with it below."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.properties import restyle
from cnc_station.ui.widgets.text import Text


class Field(QWidget):
    """`editor` under its label. `hint` stands below it until there is an error to tell.

    The label gives the editor its accessible name; an error is read out with it. Without a label
    the editor names itself.
    """

    def __init__(
        self,
        label: str,
        editor: QWidget,
        *,
        hint: str = "",
        wanted: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.editor = editor
        self._hint = hint
        name = Text(
            self.tr("{label} · required").format(label=label) if wanted else label, Role.NOTE
        )
        name.setBuddy(editor)
        name.setVisible(bool(label))
        if label:
            editor.setAccessibleName(label)
        self._below = Text(hint, Role.CAPTION, Ink.MUTED)
        self._below.setWordWrap(True)
        self._below.setVisible(bool(hint))
        editor.setAccessibleDescription(hint)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(name)
        box.addWidget(editor)
        box.addWidget(self._below)

    @property
    def error(self) -> str:
        """What is said to be wrong; empty if nothing is."""
        return self._below.text() if self._below.property("ink") == Ink.ALARM.value else ""

    def set_hint(self, words: str) -> None:
        """Says something else below it; takes back an error."""
        self._hint = words
        self.set_error("")

    def set_error(self, words: str) -> None:
        """Says what is wrong with the value; an empty text takes it back."""
        self._below.set_ink(Ink.ALARM if words else Ink.MUTED)
        self._below.setText(words or self._hint)
        self._below.setVisible(bool(words or self._hint))
        self.editor.setAccessibleDescription(words or self._hint)
        restyle(self.editor, wrong=bool(words))
