"""Every machine's states over time, one row each, painted onto one cached picture."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.views import StateInterval
from cnc_station.ui import formatting
from cnc_station.ui.floor.spans import Span, ticks
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import focus_pen
from cnc_station.ui.widgets.literal import one_line, show_tip
from cnc_station.ui.widgets.state_look import look_of

_LABELS = 60
_AXIS = 18
_LARGEST_ROW = 26
_LEAST_MARK = 3.0
_SHARE_OF_RUNNING = 0.55
_INKS = {
    MachineState.HELD: Ink.HELD,
    MachineState.ALARM: Ink.ALARM,
    MachineState.NEEDS_CLEARING: Ink.OPERATOR,
    MachineState.MAINTENANCE: Ink.FAINT,
}


@dataclass(frozen=True, slots=True)
class History:
    """What the strip shows: machines (id to name) in order, and their intervals in a window of time
    (ms)."""

    machines: Mapping[int, str]
    intervals: Sequence[StateInterval]
    since: int
    until: int
    span: Span


class StateStrip(QWidget):
    """Shows a `History`; `chosen` carries the machine whose row was tapped. Up and Down move
    between rows, Enter opens. An interval that needs a person is at least 3 px wide, so that a
    short failure is seen too."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.history: History | None = None
        self._picture = QPixmap()
        self._painted = -1
        self._row = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_history(self, history: History) -> None:
        if history == self.history:
            return
        self.history = history
        self._painted = -1
        self._row = min(self._row, max(0, len(history.machines) - 1))
        self.setAccessibleName(history.span.machines_title)
        self.setAccessibleDescription(_in_words(history))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, 100)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 60)

    def row_rect(self, machine: int) -> QRect:
        assert self.history is not None
        place = list(self.history.machines).index(machine)
        height = self._row_height()
        return QRect(0, round(place * height), self.width(), round(height))

    def _row_height(self) -> float:
        rows = len(self.history.machines) if self.history else 1
        return min(_LARGEST_ROW, (self.height() - _AXIS) / max(1, rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.history is None:
            return
        ratio = self.devicePixelRatioF()
        if self._painted != theme().serial or self._picture.size() != self.size() * ratio:
            self._picture = self._drawn(self.history, ratio)
            self._painted = theme().serial
        painter.drawPixmap(0, 0, self._picture)
        if self.hasFocus() and self.history.machines:
            height = self._row_height()
            painter.setPen(focus_pen())
            row = QRectF(1, self._row * height + 1, self.width() - 2, height - 2)
            painter.drawRoundedRect(row, 3, 3)

    def _drawn(self, history: History, ratio: float) -> QPixmap:
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_labels(painter, history)
        self._draw_axis(painter, history)
        painter.setPen(Qt.PenStyle.NoPen)
        by_machine: dict[int, list[StateInterval]] = defaultdict(list)
        for interval in history.intervals:
            by_machine[interval.machine_id].append(interval)
        height = self._row_height()
        gap = 1.0 if height < 14 else 2.0
        for place, machine in enumerate(history.machines):
            top = place * height + gap
            for abnormal in (False, True):
                for interval in by_machine[machine]:
                    if (interval.state in _INKS) is abnormal:
                        self._draw(painter, history, interval, top, height - 2 * gap)
        painter.end()
        return picture

    def _x(self, history: History, at: int) -> float:
        share = (at - history.since) / max(1, history.until - history.since)
        return _LABELS + share * (self.width() - _LABELS - 1)

    def _draw(
        self,
        painter: QPainter,
        history: History,
        interval: StateInterval,
        top: float,
        height: float,
    ) -> None:
        if interval.state is MachineState.OFFLINE:
            return
        left, right = self._x(history, interval.start), self._x(history, interval.end)
        if interval.state in _INKS:
            right = max(right, left + _LEAST_MARK)
        elif right - left < 0.5:
            return
        gap = 1.0 if right - left > 4 else 0.0
        painter.setBrush(_colour(interval.state))
        if interval.state in {MachineState.IDLE, MachineState.ASSIGNED} and _outlined():
            painter.drawRect(QRectF(left, top + height / 2, right - left - gap, 1))
        else:
            painter.drawRoundedRect(QRectF(left, top, right - left - gap, height), 2, 2)

    def _draw_labels(self, painter: QPainter, history: History) -> None:
        height = self._row_height()
        font = QFont(theme().font(Role.CAPTION))
        font.setPixelSize(max(9, min(12, round(height))))
        painter.setFont(font)
        painter.setPen(theme().pen(Ink.MUTED))
        for place, name in enumerate(history.machines.values()):
            room = QRectF(0, place * height - 2, _LABELS - 8, height + 4)
            shown = painter.fontMetrics().elidedText(
                one_line(name), Qt.TextElideMode.ElideRight, round(room.width())
            )
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)

    def _draw_axis(self, painter: QPainter, history: History) -> None:
        painter.setFont(theme().font(Role.CAPTION))
        painter.setPen(theme().pen(Ink.MUTED))
        top = min(self.height() - _AXIS, self._row_height() * len(history.machines)) + 2
        for at in ticks(history.span, history.since, history.until):
            label = formatting.time_of_day(at, seconds=False)
            wide = painter.fontMetrics().horizontalAdvance(label)
            left = self._x(history, at) - wide / 2
            left = min(max(left, _LABELS), self.width() - wide)
            painter.drawText(QPointF(left, top + 12), label)

    def _machine_at(self, point: QPoint) -> int | None:
        if self.history is None:
            return None
        place = int(point.y() / self._row_height())
        machines = list(self.history.machines)
        return machines[place] if 0 <= place < len(machines) else None

    def _interval_at(self, point: QPoint) -> StateInterval | None:
        machine = self._machine_at(point)
        if self.history is None or machine is None:
            return None
        for interval in self.history.intervals:
            if interval.machine_id == machine:
                left = self._x(self.history, interval.start)
                right = max(self._x(self.history, interval.end), left + _LEAST_MARK)
                if left <= point.x() < right:
                    return interval
        return None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        machine = self._machine_at(event.position().toPoint())
        if machine is not None and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(machine)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        machines = list(self.history.machines) if self.history else []
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is not None and 0 <= self._row + step < len(machines):
            self._row += step
            self.update()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and machines:
            self.chosen.emit(machines[self._row])
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            interval = self._interval_at(event.pos())
            if interval is None or self.history is None:
                show_tip(event.globalPos(), "", self)
            else:
                name = self.history.machines[interval.machine_id]
                show_tip(event.globalPos(), f"{name}: {_told(interval)}", self)
            return True
        return super().event(event)


def _outlined() -> bool:
    """Whether the theme is pure ink, where a filled "idle" would dominate."""
    return theme().tokens.line_width > 1


def _colour(state: MachineState) -> QColor:
    if state in _INKS:
        return theme().colour(_INKS[state])
    if state is MachineState.RUNNING:
        return mixed(Ink.RUNNING, 1.0 if _outlined() else _SHARE_OF_RUNNING)
    return mixed(Ink.LINE, 1.0 if _outlined() else 0.7)


def mixed(ink: Ink, share: float) -> QColor:
    """An ink blended with the surface colour."""
    strong, ground = theme().colour(ink), theme().colour(Ink.SURFACE)
    return QColor.fromRgbF(
        strong.redF() * share + ground.redF() * (1 - share),
        strong.greenF() * share + ground.greenF() * (1 - share),
        strong.blueF() * share + ground.blueF() * (1 - share),
    )


def _told(interval: StateInterval) -> str:
    begun = formatting.time_of_day(interval.start)
    ended = formatting.time_of_day(interval.end)
    told = f"{look_of(interval.state).word} {begun} - {ended}"
    return f"{told} · {interval.reason}" if interval.reason else told


def _in_words(history: History) -> str:
    """The picture for a screen reader: how much of the time each machine ran."""
    ran: dict[int, int] = defaultdict(int)
    for interval in history.intervals:
        if interval.state is MachineState.RUNNING:
            ran[interval.machine_id] += interval.end - interval.start
    whole = max(1, history.until - history.since)
    running = look_of(MachineState.RUNNING).word.lower()
    return ", ".join(
        f"{name} {running} {formatting.percent(ran[machine] / whole)}"
        for machine, name in history.machines.items()
    )
