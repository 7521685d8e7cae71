"""Draws a path onto a pixmap in slices, so that 100,000 points never block the window."""

from collections.abc import Iterator
from time import perf_counter

from PySide6.QtCore import QLineF, QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap

from cnc_station.engine.views import Toolpath
from cnc_station.ui.widgets.toolpath_camera import Camera

_CHUNK = 512
_MIN_STEP_PX = 0.5


class PathInk:
    """The first part of a path on a transparent pixmap. `draw_to` continues where it stopped and
    never redraws a part until `restart`."""

    def __init__(self) -> None:
        self.picture = QPixmap()
        self.drawn = 1  # point 0 is the start of the path: no line leads to it

    def restart(self, size: QSize, ratio: float) -> None:
        """Start with an empty pixmap of `size` px at a device pixel ratio."""
        self.picture = QPixmap(size * ratio)
        self.picture.setDevicePixelRatio(ratio)
        self.picture.fill(Qt.GlobalColor.transparent)
        self.drawn = 1

    def draw_to(
        self, path: Toolpath, camera: Camera, stop: int, pens: tuple[QPen, QPen], seconds: float
    ) -> bool:
        """Draw up to point `stop` for about `seconds`, pens for rapids and feeds; True if
        finished."""
        stop = min(stop, len(path.x))
        if self.drawn >= stop or self.picture.isNull():
            return True
        end = perf_counter() + seconds
        painter = QPainter(self.picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        while self.drawn < stop and perf_counter() < end:
            upto = min(stop, self.drawn + _CHUNK)
            rapids, feeds = _lines(path, camera, self.drawn, upto)
            for pen, lines in zip(pens, (rapids, feeds), strict=True):
                if lines:
                    painter.setPen(pen)
                    painter.drawLines(lines)
            self.drawn = upto
        painter.end()
        return self.drawn >= stop


def _lines(
    path: Toolpath, camera: Camera, begin: int, end: int
) -> tuple[list[QLineF], list[QLineF]]:
    """The lines to the points from `begin` to `end`, separate for rapids and feeds. Steps shorter
    than half a pixel are merged."""
    lines: tuple[list[QLineF], list[QLineF]] = ([], [])
    points = _pixels(path, camera, begin - 1, end)
    from_x, from_y = next(points)
    last = end - 1
    for index, (x, y) in enumerate(points, start=begin):
        kind = path.kind[index]
        if (
            abs(x - from_x) + abs(y - from_y) < _MIN_STEP_PX
            and index != last
            and path.kind[index + 1] == kind
        ):
            continue
        lines[kind].append(QLineF(from_x, from_y, x, y))
        from_x, from_y = x, y
    return lines


def _pixels(path: Toolpath, camera: Camera, begin: int, end: int) -> Iterator[tuple[float, float]]:
    (rx, ry, rz), (dx, dy, dz) = camera.right_row, camera.down_row
    left, top = camera.left, camera.top
    columns = zip(path.x[begin:end], path.y[begin:end], path.z[begin:end], strict=True)
    return (
        (rx * x + ry * y + rz * z + left, dx * x + dy * y + dz * z + top) for x, y, z in columns
    )


def pixel(camera: Camera, path: Toolpath, index: int) -> QPointF:
    """The window position of a point of the path."""
    return QPointF(*camera.at((path.x[index], path.y[index], path.z[index])))
