"""Draw a traveler as PDF, on A4."""

from typing import TYPE_CHECKING

import segno
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPageSize, QPainter, QPdfWriter, QTextOption

from cnc_station.ui.theme import Role
from cnc_station.ui.theme.fonts import font_of
from cnc_station.ui.widgets.literal import one_line, plain

if TYPE_CHECKING:
    from cnc_station.ui.set_up.traveler import Paper

_DPI = 96  # the theme's sizes are of this
_MARGIN_MM = 15.0
_GAP = 14
_NAME = 130
_CODE = 120
_FOOT = 30
_PICTURE = 330
_MUTED = QColor("#5A6572")
_WRAP = int(Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere)


def draw(paper: "Paper") -> bytes:
    """Return the PDF. Takes some 0.1 s: call it on a thread."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(*(_MARGIN_MM,) * 4))
    writer.setResolution(_DPI)
    painter = QPainter(writer)
    try:
        _Page(writer, painter, paper).fill()
    finally:
        painter.end()
    return bytes(QByteArray(buffer.data()).data())


class _Page:
    """Fills pages from top to bottom; what does not fit goes on on the next one."""

    def __init__(self, writer: QPdfWriter, painter: QPainter, paper: "Paper") -> None:
        self._writer = writer
        self._painter = painter
        self._paper = paper
        self._wide, self._high = writer.width(), writer.height()
        self._y = 0
        self._number = 1

    def fill(self) -> None:
        self._head()
        for name, text in self._paper.sections:
            self._caption(name)
            for line in plain(text).split("\n"):
                self._text(line, 0, self._wide)
        for name, pairs in self._paper.tables:
            self._caption(name)
            for left, right in pairs:
                self._pair(left, right, self._wide)
        for name, image in self._paper.pictures:
            self._picture(name, image)
        self._foot()

    def _head(self) -> None:
        beside = self._wide - _CODE - _GAP
        self._code(QRect(self._wide - _CODE, 0, _CODE, _CODE))
        self._text(self._paper.title, 0, beside, Role.PAGE_TITLE)
        self._y += 6
        for name, text in self._paper.facts:
            self._pair(name, text, beside if self._y < _CODE + _GAP else self._wide)
        self._y = max(self._y, _CODE + _GAP)

    def _code(self, room: QRect) -> None:
        code = segno.make_qr(self._paper.code, error="m")
        modules = list(code.matrix_iter(border=4))
        side = room.width() / len(modules)
        for row, line in enumerate(modules):
            for column, dark in enumerate(line):
                if dark:
                    x, y = room.left() + column * side, room.top() + row * side
                    square = QRectF(x, y, side + 0.1, side + 0.1)  # without a hairline between two
                    self._painter.fillRect(square, Qt.GlobalColor.black)
        under = QRect(room.left(), room.bottom() - 8, room.width(), 16)
        self._write(self._paper.code, under, Role.CAPTION, Qt.AlignmentFlag.AlignHCenter)

    def _caption(self, text: str) -> None:
        self._y += _GAP
        self._need(60)
        self._painter.setPen(_MUTED)
        self._painter.drawLine(0, self._y, self._wide, self._y)
        self._y += 4
        self._text(text, 0, self._wide, Role.CAPTION, _MUTED)

    def _pair(self, name: str, text: str, right: int) -> None:
        top, page = self._y, self._number
        high = self._height(text or " ", right - _NAME)
        self._need(high)
        if page != self._number:
            top = self._y
        self._text(name, 0, _NAME - 8, Role.BODY, _MUTED)
        below, self._y = self._y, top
        self._text(text or " ", _NAME, right - _NAME)
        self._y = max(self._y, below)

    def _picture(self, name: str, image: QImage) -> None:
        size = image.size().scaled(self._wide, _PICTURE, Qt.AspectRatioMode.KeepAspectRatio)
        self._y += _GAP
        self._need(size.height() + 24)
        self._text(name, 0, self._wide, Role.CAPTION, _MUTED)
        room = QRect(0, self._y, size.width(), size.height())
        self._painter.drawImage(room, image)
        self._y += size.height()

    def _text(
        self,
        text: str,
        left: int,
        wide: int,
        role: Role = Role.BODY,
        colour: QColor | Qt.GlobalColor = Qt.GlobalColor.black,
    ) -> None:
        high = self._height(text, wide, role)
        self._need(high)
        self._painter.setPen(colour)
        self._write(text, QRect(left, self._y, wide, high), role, Qt.AlignmentFlag.AlignLeft)
        self._y += high + 2

    def _write(self, text: str, room: QRect, role: Role, align: Qt.AlignmentFlag) -> None:
        self._painter.setFont(font_of(role))
        option = QTextOption(align)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._painter.drawText(QRectF(room), plain(text), option)

    def _height(self, text: str, wide: int, role: Role = Role.BODY) -> int:
        self._painter.setFont(font_of(role))
        room = QRect(0, 0, wide, 1_000_000)
        return max(16, self._painter.boundingRect(room, _WRAP, plain(text)).height())

    def _need(self, high: int) -> None:
        """Begin another page if this one has no room of that height left."""
        if self._y + high > self._high - _FOOT and self._y > 0:
            self._foot()
            self._writer.newPage()
            self._y = 0
            self._number += 1

    def _foot(self) -> None:
        self._painter.setPen(_MUTED)
        room = QRect(0, self._high - 16, self._wide, 16)
        said = f"{self._paper.title} · {self._paper.foot}"
        self._write(one_line(said, 100), room, Role.CAPTION, Qt.AlignmentFlag.AlignLeft)
        self._write(str(self._number), room, Role.CAPTION, Qt.AlignmentFlag.AlignRight)
