"""How the charts share their room."""

from PySide6.QtCore import QRect

from cnc_station.ui.floor.arrangement import GAP

WIDE = 1240
TALL = 340


def chart_places(width: int, height: int) -> tuple[QRect, list[QRect]]:
    """The place of the machines' states, and of the other charts: of all three where there is room
    for them (side by side or one below the other), else of the one that is chosen."""
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
