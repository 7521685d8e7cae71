"""The bundled font and the text sizes."""

from enum import StrEnum

from PySide6.QtGui import QFont, QFontDatabase

from cnc_station.bundled import bundled

FAMILY = "Inter Tabular"
_FACES = ("Regular", "Medium", "SemiBold", "Bold")


class Role(StrEnum):
    """What a piece of text is for. NOTE is the second line under a name."""

    CAPTION = "caption"
    NOTE = "note"
    BODY = "body"
    STRONG = "strong"
    CARD_TITLE = "card_title"
    PAGE_TITLE = "page_title"
    FIGURE = "figure"


SIZE_AND_WEIGHT = {
    Role.CAPTION: (12, 400),
    Role.NOTE: (13, 400),
    Role.BODY: (14, 400),
    Role.STRONG: (14, 600),
    Role.CARD_TITLE: (16, 600),
    Role.PAGE_TITLE: (18, 700),
    Role.FIGURE: (27, 700),
}


def load_fonts() -> None:
    """Register the bundled font with Qt, once; needs a QGuiApplication."""
    if FAMILY in QFontDatabase.families():
        return
    for face in _FACES:
        data = bundled("fonts", f"InterTabular-{face}.ttf").read_bytes()
        QFontDatabase.addApplicationFontFromData(data)


def weight_of(role: Role, *, bold_words: bool) -> int:
    """The weight of a role from 100 to 900; heavier in themes with bold words."""
    _, weight = SIZE_AND_WEIGHT[role]
    return min(700, weight + 200) if bold_words else weight


def font_of(role: Role, *, bold_words: bool = False) -> QFont:
    """A new font for a role. The bundled font's digits are tabular."""
    font = QFont(FAMILY)
    font.setPixelSize(SIZE_AND_WEIGHT[role][0])
    font.setWeight(QFont.Weight(weight_of(role, bold_words=bold_words)))
    return font
