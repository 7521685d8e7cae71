"""The layout of a machine card."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect

from cnc_station.ui.theme import theme

PAD = 15
BAR = 8
GAP = 8
_FIGURE = 36


@dataclass(frozen=True, slots=True)
class CardPlaces:
    """The lines of a card from top to bottom. `block` holds the figures above the bar, or the
    buttons instead; `foot` is None on a compact card."""

    head: QRect
    title: QRect
    note: QRect
    block: QRect
    bar: QRect
    foot: QRect | None

    @property
    def figures(self) -> QRect:
        return self.block.adjusted(0, 0, 0, -BAR - 4)


def block_height() -> int:
    """The height of a primary action, and of the figures."""
    return max(_FIGURE + 4 + BAR, theme().metrics.primary + 4)


def card_height(*, compact: bool) -> int:
    """The height of every card; compact cards have no last line."""
    return (81 if compact else 134) + block_height()


def places(width: int, height: int, *, compact: bool) -> CardPlaces:
    """The layout of a card of this size."""

    def line(top: int, high: int) -> QRect:
        return QRect(PAD, top, width - 2 * PAD, high)

    block = line(73 if compact else 90, block_height())
    return CardPlaces(
        head=line(8 if compact else 12, 24),
        title=line(33 if compact else 44, 22),
        note=line(54 if compact else 66, 18),
        block=block,
        bar=QRect(block.left(), block.bottom() + 1 - BAR, block.width(), BAR),
        foot=None if compact else line(height - 29, 20),
    )


def pause_place(at: CardPlaces) -> QRect:
    """The Hold button, right of the figures."""
    side = theme().metrics.control
    figures = at.figures
    top = figures.center().y() - side // 2 + 1
    return QRect(figures.right() + 1 - side, top, side, side)


def remedy_places(at: CardPlaces, needs: Sequence[int]) -> list[QRect]:
    """Side by side in the block; of two, each gets at least the width it needs."""
    metrics = theme().metrics
    block = at.block
    height = max(metrics.control, min(block.height() - 4, metrics.primary))
    top = block.top() + (block.height() - height) // 2
    if len(needs) < 2:
        return [QRect(block.left(), top, block.width(), height)]
    room = block.width() - metrics.gap
    first = max(needs[0], min(room // 2, room - needs[1]))
    second = block.left() + first + metrics.gap
    return [
        QRect(block.left(), top, first, height),
        QRect(second, top, block.right() + 1 - second, height),
    ]
