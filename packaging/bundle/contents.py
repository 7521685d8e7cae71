"""What goes into the bundle, what stays out of it, and why.

An entry is a tuple of PyInstaller: its place in the bundle, its file here, its kind.
"""

import re
from collections.abc import Iterable
from importlib.metadata import distribution, distributions

Entry = tuple[str, str, str]

NEVER_IMPORTED = (
    # The standard library's readline brings in libreadline, which is under the GPL.
    *("readline", "tkinter", "idlelib", "lib2to3", "turtledemo", "ensurepip", "test"),
    *("pytest", "setuptools", "IPython", "matplotlib", "pyqtgraph.opengl", "pyqtgraph.examples"),
    *("numpy.f2py", "numpy.testing", "numpy.random", "redis.cluster", "uvloop"),
    # Servers that SQLAlchemy could speak to, and their drivers.
    *(f"sqlalchemy.dialects.{name}" for name in ("mysql", "oracle", "mssql")),
    *("MySQLdb", "pysqlite2", "asyncpg", "psycopg2"),
)

# Parts of Qt that no page uses: other screens than X11, other desktops' looks, rare pictures.
_UNUSED_QT = re.compile(
    r"PySide6/Qt/(translations/|qml/|lib/libQt6(Wayland|WlShell|EglFS|EglFs|Quick|Qml|Pdf)"
    r"|plugins/(platformthemes/libqgtk3|wayland|egldeviceintegrations|generic/"
    r"|platforms/libq(wayland|eglfs|linuxfb|vkkhr|minimal|vnc)"
    r"|imageformats/libq(tiff|webp|tga|wbmp|icns|pdf|gif)|networkinformation|tls/libqcertonly))"
)
_UNUSED_DATA = re.compile(
    r"pytz/zoneinfo/|cnc_station/resources/screenshots/|numpy/random/|numpy/.*/tests/"
    r"|.*\.pyi$|.*/__pycache__/"
)
# What a Debian system brings itself: its own security updates reach these libraries.
_OF_DEBIAN = re.compile(r"(/usr)?/lib/x86_64-linux-gnu/")
_OF_PYTHON = re.compile(
    r"lib(python3|ssl|crypto|sqlite3|ffi|lzma|bz2|z|expat|uuid|mpdec)[.\d-]*(\.so|$)"
)


def kept(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that the program uses and that its package does not ask of Debian."""
    return [entry for entry in entries if not _is_dropped(*entry[:2])]


def _is_dropped(place: str, source: str) -> bool:
    if _UNUSED_QT.match(place) or _UNUSED_DATA.match(place):
        return True
    return bool(_OF_DEBIAN.match(source)) and not _OF_PYTHON.match(place.rpartition("/")[2])


def metadata() -> list[tuple[str, str]]:
    """The metadata of all distributions here, with their licences, for `cnc_station.ui.licences`
    and for entry points."""
    building = {"pyinstaller", "pyinstaller-hooks-contrib", "altgraph", "pip", "setuptools"}
    names = {found.metadata["Name"].lower() for found in distributions()} - building
    folders = [(name, str(distribution(name).locate_file(""))) for name in sorted(names)]
    return [
        (f"{folder}/{path}", str(path.parent))
        for name, folder in folders
        for path in distribution(name).files or ()
        if ".dist-info" in path.parts[0] and path.name not in {"RECORD", "INSTALLER", "REQUESTED"}
    ]
