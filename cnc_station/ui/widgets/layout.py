"""Rows and columns of widgets, written as they look."""

from enum import Enum, auto
from typing import Final, Literal, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget


class _Stretch(Enum):
    STRETCH = auto()


STRETCH: Final = _Stretch.STRETCH
"""Takes the remaining room."""

B = TypeVar("B", bound=QBoxLayout)
Part = QWidget | QLayout
Placed = tuple[Part, int] | tuple[Part, int, Qt.AlignmentFlag]
Item = Part | Placed | int | Literal[_Stretch.STRETCH]
Margins = int | tuple[int, int, int, int] | None


def hbox(
    *items: Item, on: QWidget | None = None, gap: int | None = None, margins: Margins = 0
) -> QHBoxLayout:
    """Items from left to right: a widget or a layout, optionally with stretch and alignment, a
    number of pixels, or STRETCH. Where `gap` or `margins` is None the style decides."""
    return _made(QHBoxLayout() if on is None else QHBoxLayout(on), items, gap, margins)


def vbox(
    *items: Item, on: QWidget | None = None, gap: int | None = None, margins: Margins = 0
) -> QVBoxLayout:
    """Items from top to bottom; otherwise as `hbox`."""
    return _made(QVBoxLayout() if on is None else QVBoxLayout(on), items, gap, margins)


def fill(box: QBoxLayout, *items: Item) -> None:
    """Add items to an existing row or column."""
    for item in items:
        if isinstance(item, int):
            box.addSpacing(item)
        elif isinstance(item, tuple):
            _place(box, *item)
        elif isinstance(item, _Stretch):
            box.addStretch(1)
        else:
            _place(box, item)


def _made(box: B, items: tuple[Item, ...], gap: int | None, margins: Margins) -> B:
    if margins is not None:
        box.setContentsMargins(*((margins,) * 4 if isinstance(margins, int) else margins))
    if gap is not None:
        box.setSpacing(gap)
    fill(box, *items)
    return box


def _place(
    box: QBoxLayout, part: Part, stretch: int = 0, alignment: Qt.AlignmentFlag | None = None
) -> None:
    if isinstance(part, QLayout):
        box.addLayout(part, stretch)
    elif alignment is None:
        box.addWidget(part, stretch)
    else:
        box.addWidget(part, stretch, alignment)
