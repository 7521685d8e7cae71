"""The attachments of a job or a program: a row each, with a small picture."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from cnc_station.engine.domain.attachments import AttachmentKind
from cnc_station.engine.views.attachments import AttachmentRow
from cnc_station.ui import formatting
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import MenuButton, PaintedButton, paint_face
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.text import paint_text

SMALL = QSize(96, 64)
LARGE = QSize(250, 170)
_PAD = 8
_ICON = 28
_LINE = 20


class AttachmentButton(PaintedButton):
    """One attachment: its picture or an icon, its name, and where it comes from. A picture in a
    `LARGE` room stands above them."""

    def __init__(self, row: AttachmentRow, about: str, tip: str, room: QSize) -> None:
        super().__init__()
        self.row = row
        self._about = about
        self._above = row.kind is not AttachmentKind.PDF and room == LARGE
        self._room = room
        self._picture: QPixmap | None = None
        self.setText(row.name)
        self.setAccessibleName(f"{row.name}: {about}")
        set_tip(self, f"{row.name}\n{tip}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(self._height())

    def _height(self) -> int:
        if self._above:
            return self._room.height() + 2 * _LINE + 3 * _PAD
        return max(SMALL.height() + 2 * _PAD, theme().metrics.control)

    def set_picture(self, image: QImage) -> None:
        self._picture = QPixmap.fromImage(image)
        self._picture.setDevicePixelRatio(self.devicePixelRatioF())
        self.update()

    @property
    def has_picture(self) -> bool:
        return self._picture is not None

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        paint_face(painter, self, live.metrics.radius_control)
        inside = self.rect().adjusted(_PAD, _PAD, -_PAD, -_PAD)
        place, line = QRect(inside), QRect(inside)
        if self._above:
            place.setHeight(self._room.height())
            line.setTop(place.bottom() + _PAD)
        else:
            place.setWidth(min(SMALL.width(), inside.width() // 2))
            line.setLeft(place.right() + 12)
            line.setTop(self.height() // 2 - _LINE)
        line.setHeight(_LINE)
        if self._picture is not None:
            size = self._picture.deviceIndependentSize().toSize()
            size = size.scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
            shown = QRect(place.topLeft(), size)
            shown.moveCenter(place.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(shown, self._picture)
        else:
            icon = live.pixmap("file", Ink.MUTED, _ICON, self.devicePixelRatioF())
            middle = place.center()
            painter.drawPixmap(middle.x() - _ICON // 2, middle.y() - _ICON // 2, icon)
        paint_text(painter, line, self.row.name, Role.STRONG, Ink.TEXT)
        paint_text(painter, line.translated(0, _LINE), self._about, Role.NOTE, Ink.MUTED)


class AttachmentList(QWidget):
    """`opened`, `saved` and `removed` carry the attachment; without `editable` they can only be
    opened."""

    opened = Signal(object)
    saved = Signal(object)
    removed = Signal(object)

    def __init__(self, now: Callable[[], int], *, room: QSize = SMALL, editable: bool) -> None:
        super().__init__()
        self._now = now
        self._room = room
        self._editable = editable
        self._lines: dict[int, QWidget] = {}
        self.buttons: dict[int, AttachmentButton] = {}
        self._box = vbox(on=self, gap=6)
        self.hide()

    def show_rows(self, rows: Sequence[AttachmentRow]) -> list[AttachmentRow]:
        """Show these; return those whose pictures have to be loaded."""
        if [row.id for row in rows] != list(self.buttons):
            for line in self._lines.values():
                line.hide()
                line.deleteLater()
            self._lines, self.buttons = {}, {}
            for row in rows:
                self._add(row)
        self.setVisible(bool(rows))
        return [
            row
            for row in rows
            if row.kind is not AttachmentKind.PDF and not self.buttons[row.id].has_picture
        ]

    def set_picture(self, attachment_id: int, image: QImage) -> None:
        """Show the picture of an attachment, if that is still there."""
        if attachment_id in self.buttons:
            self.buttons[attachment_id].set_picture(image)

    @property
    def picture_size(self) -> QSize:
        """The size for which pictures are decoded, in device pixels."""
        return self._room * self.devicePixelRatioF()

    def _add(self, row: AttachmentRow) -> None:
        button = AttachmentButton(row, self._about(row), self._tip(row), self._room)
        button.clicked.connect(partial(self.opened.emit, row))
        line = QWidget()
        box = hbox((button, 1), on=line, gap=6)
        if self._editable:
            name = self.tr("More for {name}").format(name=row.name)
            box.addWidget(MenuButton("…", name, partial(self._fill, row)))
        self._box.addWidget(line)
        self.buttons[row.id], self._lines[row.id] = button, line

    def _fill(self, row: AttachmentRow, menu: QMenu) -> None:
        menu.clear()
        menu.addAction(self.tr("Open"), partial(self.opened.emit, row))
        menu.addAction(self.tr("Save a copy…"), partial(self.saved.emit, row))
        menu.addAction(self.tr("Remove"), partial(self.removed.emit, row))

    def _about(self, row: AttachmentRow) -> str:
        if row.program:
            return self.tr("{program}, since r{revision}").format(
                program=row.program, revision=row.revision
            )
        return f"{row.added_by} · {formatting.moment(row.added_at, self._now())}"

    def _tip(self, row: AttachmentRow) -> str:
        when = formatting.moment(row.added_at, self._now())
        return f"{row.added_by} · {when} · {size_words(row.size)}"


def size_words(size: int) -> str:
    """`820 KB`, `2.1 MB`."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3)):,} KB"
