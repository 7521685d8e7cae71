"""What the program is made of, whose it is, and on what terms."""

from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QVBoxLayout, QWidget

from cnc_station.bundled import bundled
from cnc_station.ui.theme import Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.code_view import CodeView
from cnc_station.ui.widgets.text import Text

# Name, distribution, and the licence we take it under.
PARTS = (
    ("Qt for Python", "PySide6_Essentials", "LGPL-3.0"),
    ("qasync", "qasync", "BSD-2-Clause"),
    ("SQLAlchemy", "SQLAlchemy", "MIT"),
    ("Alembic", "alembic", "MIT"),
    ("psycopg", "psycopg", "LGPL-3.0"),
    ("redis-py", "redis", "MIT"),
    ("pyqtgraph", "pyqtgraph", "MIT"),
    ("NumPy", "numpy", "BSD-3-Clause"),
    ("openpyxl", "openpyxl", "MIT"),
    ("filelock", "filelock", "MIT"),
    ("platformdirs", "platformdirs", "MIT"),
    ("aiohttp", "aiohttp", "Apache-2.0"),
    ("pydantic", "pydantic", "MIT"),
    ("asyncua", "asyncua", "LGPL-3.0"),
)
FONT = ("Inter", "OFL-1.1")
ICONS = ("Lucide icons", "ISC")
_TEXTS = {
    FONT[0]: ("fonts", "LICENSE-Inter.txt"),
    ICONS[0]: ("icons", "LICENSE-Lucide.txt"),
}
_SIZE = (640, 560)


def version_of(distribution: str) -> str:
    """The version at work; empty if it is not installed as a package of its own."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def parts() -> tuple[tuple[str, str], ...]:
    """Each part, with its version, and its licence."""
    libraries = [(f"{name} {version_of(where)}".strip(), terms) for name, where, terms in PARTS]
    return (*libraries, FONT, ICONS)


class LicenceTexts(QDialog):
    """The licences of what is bundled with the program; open it with `open()`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Licences"))
        self.resize(*_SIZE)
        self.text = CodeView()
        self.text.setAccessibleName(self.tr("Licence"))
        which = QComboBox()
        which.addItems(list(_TEXTS))
        which.setAccessibleName(self.tr("Part"))
        which.currentTextChanged.connect(self._show)
        close = Button(self.tr("Close"))
        close.clicked.connect(self.accept)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 16, 16, 16)
        box.setSpacing(12)
        box.addWidget(Text(self.tr("Licences"), Role.PAGE_TITLE))
        box.addWidget(which)
        box.addWidget(self.text, 1)
        box.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self._show(which.currentText())

    def _show(self, name: str) -> None:
        self.text.set_text(bundled(*_TEXTS[name]).read_text("utf-8"))
