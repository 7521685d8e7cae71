"""Paints a machine card's text; only the lines that a region touches."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QRegion

from cnc_station.ui import formatting as say
from cnc_station.ui.floor.card_places import BAR, GAP, CardPlaces
from cnc_station.ui.floor.card_text import CardText
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.chip import chip_size, paint_chip
from cnc_station.ui.widgets.text import RIGHT, paint_text

_LEAST_MODEL = 24
_LINE = 17


def paint_card_text(
    painter: QPainter, region: QRegion, at: CardPlaces, words: CardText, lasted: str
) -> None:
    """Paint the lines in `region`; `lasted` is the time in state."""
    if region.intersects(at.head):
        _head(painter, at.head, words, lasted)
    if region.intersects(at.title):
        ink = Ink.MUTED if words.idle else Ink.TEXT
        paint_text(painter, at.title, words.title, Role.CARD_TITLE, ink)
    if region.intersects(at.note):
        paint_text(painter, at.note, words.note, Role.NOTE, Ink.MUTED)
    if not words.remedies:
        if region.intersects(at.figures):
            _figures(painter, at.figures, words)
        if region.intersects(at.bar):
            _bar(painter, at.bar, words)
    if at.foot is not None and region.intersects(at.foot):
        _foot(painter, at.foot, words)


def _head(painter: QPainter, line: QRect, words: CardText, lasted: str) -> None:
    extra = f"{words.look.word} {lasted}"
    size = chip_size(extra)
    chip = QRect(line.right() + 1 - size.width(), line.top(), size.width(), size.height())
    paint_chip(painter, QRectF(chip), words.look, extra)
    room = QRect(line.left(), line.top(), chip.left() - GAP - line.left(), line.height())
    used = paint_text(painter, room, words.name, Role.CARD_TITLE, Ink.TEXT)
    room.setLeft(room.left() + used + GAP)
    if room.width() > _LEAST_MODEL:
        paint_text(painter, room, words.model, Role.NOTE, Ink.MUTED)


def _figures(painter: QPainter, place: QRect, words: CardText) -> None:
    shown = words.figure or say.NONE
    ink = Ink.TEXT if words.figure else Ink.FAINT
    used = paint_text(painter, place, shown, Role.FIGURE, ink)
    aside = place.adjusted(used + GAP, 0, 0, 0)
    if words.corner:
        aside.setRight(place.right() - theme().metrics.control - GAP)
    middle = place.center().y() + 1
    for text, top in zip(words.aside, (middle - _LINE, middle), strict=True):
        line = QRect(aside.left(), top, aside.width(), _LINE)
        paint_text(painter, line, text, Role.NOTE, Ink.MUTED, RIGHT)


def _bar(painter: QPainter, place: QRect, words: CardText) -> None:
    live = theme()
    groove = QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setPen(live.pen(Ink.LINE, 1))
    painter.setBrush(live.brush(Ink.SUNKEN))
    painter.drawRoundedRect(groove, BAR / 2, BAR / 2)
    if words.fraction:
        done = QRectF(groove)
        done.setWidth(max(BAR, groove.width() * min(1.0, words.fraction)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(live.brush(tone_ink(words.look.tone)))
        painter.drawRoundedRect(done, BAR / 2, BAR / 2)


def _foot(painter: QPainter, place: QRect, words: CardText) -> None:
    if not words.foot and not words.count:
        return
    live = theme()
    rule = QRect(place.left(), place.top() - 5, place.width(), live.tokens.line_width)
    painter.fillRect(rule, live.colour(Ink.LINE))
    used = paint_text(painter, place, words.count, Role.NOTE, Ink.MUTED, RIGHT)
    room = place.adjusted(0, 0, -(used + GAP) if used else 0, 0)
    paint_text(painter, room, words.foot, Role.NOTE, Ink.HELD if words.late else Ink.MUTED)
