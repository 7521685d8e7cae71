"""A path drawn onto a picture a little at a time, so that 100,000 points never stop the window."""

from collections.abc import Iterator
from time import perf_counter

from PySide6.QtCore import QLineF, QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap

from cnc_station.engine.views import Toolpath
from cnc_station.ui.widgets.toolpath_camera import Camera

_CHUNK = 512
_TOO_NEAR = 0.5


class PathInk:
    """The first part of a path on a transparent picture. `draw_to` goes on where it stopped; a
    part already drawn is never drawn again until `restart`."""

    def __init__(self) -> None:
        self.picture = QPixmap()
        self._next = 1  # point 0 is where the path begins: nothing leads to it

    def restart(self, size: QSize, ratio: float) -> None:
        """An empty picture of `size` px at a device pixel ratio."""
        self.picture = QPixmap(size * ratio)
        self.picture.setDevicePixelRatio(ratio)
        self.picture.fill(Qt.GlobalColor.transparent)
        self._next = 1

    @property
    def drawn(self) -> int:
        """How many points the picture shows."""
        return self._next

    def draw_to(
        self, path: Toolpath, camera: Camera, stop: int, pens: tuple[QPen, QPen], seconds: float
    ) -> bool:
        """Draw up to point `stop` (not included) for at most about `seconds`; whether it got there.

        `pens` are for rapids and for feeds.
        """
        stop = min(stop, len(path.x))
        if self._next >= stop or self.picture.isNull():
            return True
        end = perf_counter() + seconds
        painter = QPainter(self.picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        while self._next < stop and perf_counter() < end:
            upto = min(stop, self._next + _CHUNK)
            rapids, feeds = _lines(path, camera, self._next, upto)
            for pen, lines in zip(pens, (rapids, feeds), strict=True):
                if lines:
                    painter.setPen(pen)
                    painter.drawLines(lines)
            self._next = upto
        painter.end()
        return self._next >= stop


def _lines(
    path: Toolpath, camera: Camera, begin: int, end: int
) -> tuple[list[QLineF], list[QLineF]]:
    """What leads to the points from `begin` to `end`, apart for rapids and feeds. Steps of less
    than half a pixel become one line."""
    lines: tuple[list[QLineF], list[QLineF]] = ([], [])
    points = _pixels(path, camera, begin - 1, end)
    from_x, from_y = next(points)
    last = end - 1
    for index, (x, y) in enumerate(points, start=begin):
        kind = path.kind[index]
        if (
            abs(x - from_x) + abs(y - from_y) < _TOO_NEAR
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
    """Where a point of the path lies in the window."""
    return QPointF(*camera.at((path.x[index], path.y[index], path.z[index])))
