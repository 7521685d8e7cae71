"""From millimetres to pixels: the views of a path, fitting it into a window, zoom and pan."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import compress, product
from math import sqrt

from cnc_station.engine.views import Toolpath

Point = tuple[float, float, float]
Row = tuple[float, float, float]

_MARGIN = 24.0
_NO_SIZE_MM = 1.0
_LEAST_SCALE, _MOST_SCALE = 0.01, 20_000.0


class View(StrEnum):
    """The direction of view. LATHE has Z to the right and X (the radius) up."""

    TOP = "top"
    FRONT = "front"
    ISOMETRIC = "isometric"
    LATHE = "lathe"


_R2, _R6 = sqrt(2.0), sqrt(6.0)
_AXES: dict[View, tuple[Row, Row]] = {  # the right and up directions in X, Y, Z
    View.TOP: ((1, 0, 0), (0, 1, 0)),
    View.FRONT: ((1, 0, 0), (0, 0, 1)),
    View.ISOMETRIC: ((1 / _R2, 1 / _R2, 0), (-1 / _R6, 1 / _R6, 2 / _R6)),
    View.LATHE: ((0, 0, 1), (1, 0, 0)),
}


@dataclass(frozen=True, slots=True)
class Box:
    """The bounding box of points, in mm."""

    low: Point
    high: Point

    def corners(self) -> Iterator[Point]:
        yield from product(*zip(self.low, self.high, strict=True))

    @property
    def size(self) -> Point:
        low, high = self.low, self.high
        return (high[0] - low[0], high[1] - low[1], high[2] - low[2])


def box_of(path: Toolpath) -> Box | None:
    """The box around all cuts (on a lathe with their starts and the spindle axis: passes end where
    the part gets thicker), or all moves without a cut."""
    if not path.x:
        return None
    cuts = path.kind if any(path.kind) else (1,) * len(path.kind)
    if path.lathe:
        cuts = tuple(
            max(cut, following) for cut, following in zip(cuts, (*cuts[1:], 0), strict=True)
        )
    x, y, z = (
        (min(compress(column, cuts)), max(compress(column, cuts)))
        for column in (path.x, path.y, path.z)
    )
    axis = min(0.0, x[0]) if path.lathe else x[0]
    return Box((axis, y[0], z[0]), (x[1], y[1], z[1]))


@dataclass(frozen=True, slots=True)
class Camera:
    """`scale` in px/mm; (`left`, `top`) is the pixel of the program's zero point."""

    view: View
    scale: float
    left: float
    top: float

    @property
    def right_row(self) -> Row:
        """What 1 mm along X, Y and Z adds to the pixels from the left."""
        x, y, z = _AXES[self.view][0]
        return (x * self.scale, y * self.scale, z * self.scale)

    @property
    def down_row(self) -> Row:
        """What 1 mm along X, Y and Z adds to the pixels from the top."""
        x, y, z = _AXES[self.view][1]
        return (-x * self.scale, -y * self.scale, -z * self.scale)

    def at(self, point: Point) -> tuple[float, float]:
        (rx, ry, rz), (dx, dy, dz) = self.right_row, self.down_row
        x, y, z = point
        return (rx * x + ry * y + rz * z + self.left, dx * x + dy * y + dz * z + self.top)

    def moved(self, right: float, down: float) -> "Camera":
        return replace(self, left=self.left + right, top=self.top + down)

    def zoomed(self, factor: float, x: float, y: float) -> "Camera":
        """Scale by `factor` around pixel (x, y)."""
        scale = min(_MOST_SCALE, max(_LEAST_SCALE, self.scale * factor))
        by = scale / self.scale
        return Camera(self.view, scale, x + (self.left - x) * by, y + (self.top - y) * by)


def fitted(view: View, box: Box, width: float, height: float) -> Camera:
    """The camera that shows all of `box` in the middle of a window, with a margin."""
    unit = Camera(view, 1.0, 0.0, 0.0)
    xs, ys = zip(*(unit.at(corner) for corner in box.corners()), strict=True)
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    room_x, room_y = max(1.0, width - 2 * _MARGIN), max(1.0, height - 2 * _MARGIN)
    scale = min(room_x / max(wide, _NO_SIZE_MM), room_y / max(high, _NO_SIZE_MM))
    return Camera(
        view,
        scale,
        width / 2 - scale * (min(xs) + max(xs)) / 2,
        height / 2 - scale * (min(ys) + max(ys)) / 2,
    )
