"""The drawn path: three layers (whole path, finished part, tool), with zoom and pan."""

from bisect import bisect_right

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QSizePolicy, QWidget

from cnc_station.engine.views import Telemetry, Toolpath
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import FOCUS_WIDTH, focus_pen
from cnc_station.ui.widgets.toolpath_camera import Box, Camera, View, box_of, fitted
from cnc_station.ui.widgets.toolpath_ink import PathInk, pixel

_SLICE_S = 0.006
"""Seconds of drawing before control returns to the event loop."""

_DOT = 5.0
_WHEEL_NOTCH = 120.0


class ToolpathCanvas(QWidget):
    """Paints from two pixmaps that are drawn in slices; see `ToolpathView` for what it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.path: Toolpath | None = None
        self.box: Box | None = None
        self.view = View.ISOMETRIC
        self.camera = Camera(self.view, 1.0, 0.0, 0.0)
        self._fits = True
        self._seconds = 0.0
        self._tool: tuple[float, float, float] | None = None
        self.whole, self.done = PathInk(), PathInk()
        self._stand_in: tuple[tuple[QPixmap, ...], Camera] | None = None
        self._drawn_serial = -1
        self._dragged_from: QPointF | None = None
        self._slices = QTimer(self, interval=0)
        self._slices.timeout.connect(self._draw_some)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.grabGesture(Qt.GestureType.PinchGesture)

    @property
    def drawing(self) -> bool:
        return self._slices.isActive()

    @property
    def done_points(self) -> int:
        """How many points of the path the tool has passed."""
        return 0 if self.path is None else bisect_right(self.path.seconds, self._seconds)

    def show_path(self, path: Toolpath | None, view: View) -> None:
        self.path, self.view = path, view
        self.box = None if path is None else box_of(path)
        self._seconds, self._tool, self._stand_in = 0.0, None, None
        self.fit()

    def show_tool(self, telemetry: Telemetry | None) -> None:
        """Move the tool; draw only what it has passed since."""
        if self.path is None:
            return
        self._tool = None
        passed = self.done_points
        self._seconds = 0.0
        if telemetry is not None:
            self._seconds = telemetry.part_fraction * self.path.duration_s
            x, y, z = telemetry.x, telemetry.y, telemetry.z
            if x is not None and y is not None and z is not None:
                self._tool = (x, y, z)
        if self.done_points < passed:
            self.done.restart(self.size(), self.devicePixelRatioF())
        self._draw_some()
        self.update()

    def look_from(self, view: View) -> None:
        self.view, self._stand_in = view, None
        self.fit()

    def fit(self) -> None:
        """Show all of the path, and refit it when the size changes."""
        self._fits = True
        if self.box is not None:
            self._move(fitted(self.view, self.box, self.width(), self.height()))
        else:
            self._slices.stop()
            self.update()

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Scale by a factor around a point of the window, by default its middle."""
        middle = around or QPointF(self.width() / 2, self.height() / 2)
        self._fits = False
        self._move(self.camera.zoomed(factor, middle.x(), middle.y()))

    def _move(self, camera: Camera) -> None:
        """Redraw everything; show the old pixmap, scaled, until the new one is finished."""
        same_side = camera.view is self.camera.view
        if same_side and not self.drawing and not self.whole.picture.isNull():
            self._stand_in = ((self.whole.picture, self.done.picture), self.camera)
        self.camera = camera
        for layer in (self.whole, self.done):
            layer.restart(self.size(), self.devicePixelRatioF())
        self._drawn_serial = theme().serial
        self._slices.start()
        self.update()

    def _draw_some(self) -> None:
        if self.path is None or not self.isVisible():
            self._slices.stop()
            return
        whole = self.whole.draw_to(
            self.path, self.camera, len(self.path.x), _pens(Ink.LINE, Ink.FAINT), _SLICE_S
        )
        finished = whole and self.done.draw_to(
            self.path, self.camera, self.done_points, _pens(Ink.FAINT, Ink.RUNNING), _SLICE_S
        )
        if finished:
            self._stand_in = None
            self._slices.stop()
        elif not self.drawing:
            self._slices.start()
        self.update()

    def _where(self) -> QPointF | None:
        """The tool in the window: as the controller reports it, otherwise interpolated by time."""
        if self._tool is not None:
            return QPointF(*self.camera.at(self._tool))
        path, passed = self.path, self.done_points
        if path is None or passed == 0 or self._seconds <= 0:
            return None
        start = pixel(self.camera, path, passed - 1)
        if passed >= len(path.x):
            return start
        end = pixel(self.camera, path, passed)
        begins, ends = path.seconds[passed - 1], path.seconds[passed]
        share = (self._seconds - begins) / (ends - begins) if ends > begins else 1.0
        return start + (end - start) * share

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        if self._drawn_serial != live.serial and self.box is not None:
            self._move(self.camera)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(focus_pen() if self.hasFocus() else live.pen(Ink.LINE))
        painter.setBrush(live.brush(Ink.SUNKEN))
        edge = FOCUS_WIDTH / 2
        ground = QRectF(self.rect()).adjusted(edge, edge, -edge, -edge)
        painter.drawRoundedRect(ground, live.metrics.radius_control, live.metrics.radius_control)
        if self.path is None or self.box is None:
            painter.setFont(live.font(Role.NOTE))
            painter.setPen(live.pen(Ink.MUTED))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("No toolpath"))
            return
        painter.setClipRect(ground)
        if self.view is View.LATHE:
            self._paint_axis(painter)
        if self._stand_in is not None:
            self._paint_stand_in(painter, *self._stand_in)
        painter.drawPixmap(0, 0, self.whole.picture)
        painter.drawPixmap(0, 0, self.done.picture)
        tool = self._where()
        if tool is not None:
            self._paint_tool(painter, tool)

    def _paint_stand_in(
        self, painter: QPainter, pictures: tuple[QPixmap, ...], camera: Camera
    ) -> None:
        by = self.camera.scale / camera.scale
        left, top = self.camera.left - camera.left * by, self.camera.top - camera.top * by
        for picture in pictures:
            target = QRectF(QPointF(left, top), picture.deviceIndependentSize() * by)
            painter.drawPixmap(target, picture, QRectF(picture.rect()))

    def _paint_axis(self, painter: QPainter) -> None:
        pen = QPen(theme().pen(Ink.FAINT, 1))
        pen.setStyle(Qt.PenStyle.DashDotLine)
        painter.setPen(pen)
        painter.drawLine(QLineF(0, self.camera.top, self.width(), self.camera.top))

    def _paint_tool(self, painter: QPainter, tool: QPointF) -> None:
        live, path, passed = theme(), self.path, self.done_points
        if path is not None and self._tool is None and 0 < passed < len(path.x):
            painter.setPen(_pens(Ink.FAINT, Ink.RUNNING)[path.kind[passed]])
            painter.drawLine(pixel(self.camera, path, passed - 1), tool)
        painter.setPen(live.pen(Ink.SURFACE, 2))
        painter.setBrush(live.brush(Ink.OPERATOR))
        painter.drawEllipse(tool, _DOT, _DOT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fits or self.box is None:
            self.fit()
        else:
            self._move(self.camera)

    def showEvent(self, event: QEvent) -> None:
        """Continue drawing, which stops while hidden."""
        self._slices.start()

    def sizeHint(self) -> QSize:
        return QSize(420, 300)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(1.2 ** (event.angleDelta().y() / _WHEEL_NOTCH), event.position())
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self.zoom(pinch.scaleFactor(), QPointF(pinch.centerPoint()))
                event.accept(pinch)
                return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._dragged_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged_from is not None and self.box is not None:
            by = event.position() - self._dragged_from
            self._dragged_from = event.position()
            self._fits = False
            self._move(self.camera.moved(by.x(), by.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()


def _pens(rapid: Ink, feed: Ink) -> tuple[QPen, QPen]:
    dashed = QPen(theme().pen(rapid, 1))
    dashed.setStyle(Qt.PenStyle.DashLine)
    return dashed, theme().pen(feed, 1)
