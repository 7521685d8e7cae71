"""Bundled SVG drawings, in the colour asked for."""

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from cnc_station.bundled import bundled


def draw_icon(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """Icon `name` ("settings", "state/running") as a square of `size` px at a device pixel ratio.

    Raises FileNotFoundError for an icon that does not ship.
    """
    svg = bundled("icons", *f"{name}.svg".split("/")).read_text("utf-8")
    renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", colour).encode()))
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
