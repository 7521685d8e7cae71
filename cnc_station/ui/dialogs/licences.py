"""The bundled components, their versions and their licences."""

from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QWidget

from cnc_station.bundled import bundled
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.theme import Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.code_view import CodeView
from cnc_station.ui.widgets.layout import vbox
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
_TEXTS = {FONT[0]: ("fonts", "LICENSE-Inter.txt"), ICONS[0]: ("icons", "LICENSE-Lucide.txt")}
_SIZE = (640, 560)


def version_of(distribution: str) -> str:
    """The installed version; empty if it is not installed as its own package."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def parts() -> tuple[tuple[str, str], ...]:
    """Each component with its version, and its licence."""
    libraries = [(f"{name} {version_of(where)}".strip(), terms) for name, where, terms in PARTS]
    return (*libraries, FONT, ICONS)


class LicenceTexts(Dialog):
    """The licence texts of the bundled components; open it with `open()`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Licences"), parent)
        self.resize(*_SIZE)
        self.text = CodeView()
        self.text.setAccessibleName(self.tr("Licence"))
        which = QComboBox()
        which.addItems(list(_TEXTS))
        which.setAccessibleName(self.tr("Part"))
        which.currentTextChanged.connect(self._show)
        close = Button(self.tr("Close"), clicked=self.accept)
        title = Text(self.tr("Licences"), Role.PAGE_TITLE)
        last = (close, 0, Qt.AlignmentFlag.AlignRight)
        vbox(title, which, (self.text, 1), last, on=self, gap=12, margins=16)
        self._show(which.currentText())

    def _show(self, name: str) -> None:
        self.text.set_text(bundled(*_TEXTS[name]).read_text("utf-8"))
