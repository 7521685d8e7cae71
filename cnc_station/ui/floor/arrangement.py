"""How the floor divides its room between the summary, the cards and the charts."""

from dataclasses import dataclass

from PySide6.QtCore import QRect

SUMMARY = 72
LEAST_CARD = 300
MOST_CARD = 520
LEAST_CHARTS = 144
GAP = 10
SECTION = 12
_TALL_CHARTS = 220
_MOST_CHARTS = 420
_CHART_ROW = 12


@dataclass(frozen=True, slots=True)
class Arrangement:
    """From top to bottom in px. When `total` exceeds the height, the floor scrolls."""

    columns: int
    compact: bool
    card_height: int
    cards_top: int
    charts_top: int
    charts_height: int
    total: int


def arrange(
    width: int, height: int, cards: int, *, roomy: int, compact: int, margin: int
) -> Arrangement:
    """Divide `width` by `height` px among `cards` of height `roomy` or `compact`. Everything
    stays in view if it can: cards lose their last line before the charts leave the screen. If that
    is not enough, the floor scrolls, with roomy cards."""
    columns = _columns(width, cards)
    rows = -(-cards // columns)
    top = margin + SUMMARY + SECTION

    def charts_at(card: int) -> int:
        return top + rows * (card + GAP) - GAP + SECTION

    fits = [card for card in (roomy, compact) if charts_at(card) + LEAST_CHARTS <= height]
    card = fits[0] if fits else roomy
    charts_top = charts_at(card)
    room = min(_MOST_CHARTS, height - charts_top)
    charts = room if fits else max(_TALL_CHARTS, 60 + cards * _CHART_ROW)
    return Arrangement(
        columns=columns,
        compact=card == compact,
        card_height=card,
        cards_top=top,
        charts_top=charts_top,
        charts_height=charts,
        total=charts_top + charts,
    )


def _columns(width: int, cards: int) -> int:
    """The fewest columns that need no more rows than the most columns would: no gaps, wide
    cards."""
    fit = max(1, (width + GAP) // (LEAST_CARD + GAP))
    rows = max(1, -(-cards // fit))
    even = -(-cards // rows)
    return min(fit, max(even, -(-(width + GAP) // (MOST_CARD + GAP))))


WIDE = 1240
TALL = 340


def chart_places(width: int, height: int) -> tuple[QRect, list[QRect]]:
    """The place of the machines' states, and of the other charts: all three where there is room
    (side by side or stacked), otherwise the chosen one."""
    if width >= WIDE:
        left = width * 42 // 100
        middle = (width - left - 2 * GAP) * 55 // 100
        right = width - left - middle - 2 * GAP
        half = (height - GAP) // 2
        x = left + GAP + middle + GAP
        return QRect(0, 0, left, height), [
            QRect(left + GAP, 0, middle, height),
            QRect(x, 0, right, half),
            QRect(x, half + GAP, right, height - half - GAP),
        ]
    left = (width - GAP) * 57 // 100
    x, right = left + GAP, width - left - GAP
    states = QRect(0, 0, left, height)
    if height < TALL:
        return states, [QRect(x, 0, right, height)]
    first = (height - 2 * GAP) // 2
    second = (height - 2 * GAP - first) // 2
    third = height - 2 * GAP - first - second
    return states, [
        QRect(x, 0, right, first),
        QRect(x, first + GAP, right, second),
        QRect(x, first + second + 2 * GAP, right, third),
    ]
