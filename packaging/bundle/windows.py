"""Makes the installer for Windows of a bundle, with NSIS."""

import subprocess
from pathlib import Path

from cnc_station import __version__

_ICON_SIZE = 256


def icon(root: Path) -> Path:
    """Draw the program's icon in the form that Windows reads. Return its file."""
    from PySide6.QtCore import Qt  # noqa: PLC0415 - only Windows needs it to build
    from PySide6.QtGui import QImage, QPainter  # noqa: PLC0415 - as above
    from PySide6.QtSvg import QSvgRenderer  # noqa: PLC0415 - as above

    image = QImage(_ICON_SIZE, _ICON_SIZE, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(root / "resources/icons/app/cnc-station.svg")).render(painter)
    painter.end()
    made = root / "build/cnc-station.ico"
    if not image.save(str(made)):
        raise SystemExit(f"{made} can't be written")
    return made


def package(bundle: Path, root: Path) -> Path:
    """Return the installer."""
    made = root / f"dist/CNC-Station-{__version__}.exe"
    values = {"VERSION": __version__, "PAYLOAD": bundle, "OUTFILE": made, "ICON": icon(root)}
    defined = [f"-D{name}={value}" for name, value in values.items()]
    script = root / "packaging/windows/installer.nsi"
    subprocess.run(["makensis", "-V2", "-WX", *defined, script], check=True)
    return made
