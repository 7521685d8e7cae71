"""The colours of every theme, as values without Qt. A test checks the contrast of text: `text` and
`muted` on every ground, tone inks on `surface`, `sunken` and their own fill; `faint` never carries
text."""

from dataclasses import dataclass, replace
from enum import StrEnum


class ThemeName(StrEnum):
    """The themes a user can choose; `SYSTEM` is light or dark as the desktop is."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"
    HIGH_CONTRAST = "high_contrast"
    HIGH_CONTRAST_LIGHT = "high_contrast_light"
    LAVENDER = "lavender"


class Tone(StrEnum):
    """What kind of attention a thing deserves. Grey is normal."""

    NORMAL = "normal"
    RUNNING = "running"
    HELD = "held"
    ALARM = "alarm"
    OPERATOR = "operator"


class Ink(StrEnum):
    """A colour by its purpose; the values are the field names of `Tokens`."""

    BACKGROUND = "background"
    SURFACE = "surface"
    SUNKEN = "sunken"
    LINE = "line"
    TEXT = "text"
    MUTED = "muted"
    FAINT = "faint"
    ACCENT = "accent"
    ON_ACCENT = "on_accent"
    ON_TONE = "on_tone"
    SELECTION = "selection"
    PRESSED = "pressed"
    NORMAL = "normal"
    NORMAL_FILL = "normal_fill"
    RUNNING = "running"
    RUNNING_FILL = "running_fill"
    HELD = "held"
    HELD_FILL = "held_fill"
    ALARM = "alarm"
    ALARM_FILL = "alarm_fill"
    OPERATOR = "operator"
    OPERATOR_FILL = "operator_fill"


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme, as #RRGGBB. `on_tone` is text on a tone's ink, `pressed` a pressed control."""

    dark: bool
    background: str
    surface: str
    sunken: str
    line: str
    text: str
    muted: str
    faint: str
    accent: str
    on_accent: str
    on_tone: str
    selection: str
    pressed: str
    normal: str
    normal_fill: str
    running: str
    running_fill: str
    held: str
    held_fill: str
    alarm: str
    alarm_fill: str
    operator: str
    operator_fill: str
    line_width: int = 1
    bold_words: bool = False


LIGHT = Tokens(
    dark=False,
    background="#E9ECEF",
    surface="#FFFFFF",
    sunken="#F3F5F7",
    line="#D5DAE0",
    text="#161B22",
    muted="#5A6572",
    faint="#8B95A1",
    accent="#161B22",
    on_accent="#FFFFFF",
    on_tone="#FFFFFF",
    selection="#E0EDFB",
    pressed="#C3CAD2",
    normal="#65707C",  # darker than the design's #6B7682, for text on `sunken`
    normal_fill="#F3F5F7",
    running="#2F6F57",
    running_fill="#E3EFEA",
    held="#A65900",  # darker than the design's #A85B00, which has 4.49:1 on its fill
    held_fill="#FFF0D6",
    alarm="#B3261E",
    alarm_fill="#FCE4E2",
    operator="#0B57A4",
    operator_fill="#E0EDFB",
)

DARK = Tokens(
    dark=True,
    background="#12161B",
    surface="#1B2127",
    sunken="#151A20",
    line="#303842",
    text="#E8ECF0",
    muted="#A3AEBA",
    faint="#76818D",
    accent="#E8ECF0",
    on_accent="#12161B",
    on_tone="#12161B",
    selection="#172D45",
    pressed="#3C4651",
    normal="#8995A2",
    normal_fill="#151A20",
    running="#6FBF9E",
    running_fill="#1D332B",
    held="#F2B45A",
    held_fill="#3A2C14",
    alarm="#FF8A80",
    alarm_fill="#43201E",
    operator="#86BDF7",
    operator_fill="#172D45",
)

LAVENDER = replace(
    LIGHT,
    background="#E7E2F2",
    surface="#FDFCFF",
    sunken="#F4F1FB",
    line="#D5CEE6",
    text="#1A1626",
    muted="#5C5870",
    faint="#8A849E",
    accent="#5B4B9A",
    selection="#E4DEF5",
    pressed="#C9C0E2",
    normal="#686578",
    normal_fill="#F4F1FB",
)


def _without_fills(tokens: Tokens, ground: str, ink: str, pressed: str) -> Tokens:
    """High contrast: one ground, one ink, no fills, 2 px lines, bold words."""
    return replace(
        tokens,
        background=ground,
        surface=ground,
        sunken=ground,
        line=ink,
        text=ink,
        muted=ink,
        faint=ink,
        accent=ink,
        on_accent=ground,
        on_tone=ground,
        selection=pressed,
        pressed=pressed,
        normal=ink,
        normal_fill=ground,
        running_fill=ground,
        held_fill=ground,
        alarm_fill=ground,
        operator_fill=ground,
        line_width=2,
        bold_words=True,
    )


HIGH_CONTRAST = _without_fills(DARK, "#000000", "#FFFFFF", "#3A3A3A")
HIGH_CONTRAST_LIGHT = _without_fills(
    replace(LIGHT, running="#1F5540", held="#7F4400", alarm="#9A1710", operator="#06468A"),
    "#FFFFFF",
    "#000000",
    "#D8D8D8",
)


def tokens_for(name: ThemeName, *, system_is_dark: bool = False) -> Tokens:
    """The colours of a theme; only `SYSTEM` depends on `system_is_dark`."""
    if name is ThemeName.SYSTEM:
        return DARK if system_is_dark else LIGHT
    return {
        ThemeName.LIGHT: LIGHT,
        ThemeName.DARK: DARK,
        ThemeName.HIGH_CONTRAST: HIGH_CONTRAST,
        ThemeName.HIGH_CONTRAST_LIGHT: HIGH_CONTRAST_LIGHT,
        ThemeName.LAVENDER: LAVENDER,
    }[name]
