import re
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QFontInfo, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication

from cnc_station.ui.theme import Density, Ink, Role, ThemeName, Tone, apply_theme, theme
from cnc_station.ui.theme.density import metrics_for, primary_px
from cnc_station.ui.theme.live import tone_fill, tone_ink
from cnc_station.ui.theme.tokens import DARK, LIGHT, Tokens, tokens_for

THEMES = [name for name in ThemeName if name is not ThemeName.SYSTEM]
GROUNDS = (Ink.BACKGROUND, Ink.SURFACE, Ink.SUNKEN, Ink.SELECTION, Ink.PRESSED)
TONE_GROUNDS = (Ink.SURFACE, Ink.SUNKEN)


@pytest.fixture(autouse=True)
def light_again(qapp: QApplication) -> Iterator[None]:
    yield
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(tokens: Tokens, one: Ink, other: Ink) -> float:
    dark, light = sorted(luminance(getattr(tokens, ink.value)) for ink in (one, other))
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert contrast(tokens_for(ThemeName.HIGH_CONTRAST_LIGHT), Ink.TEXT, Ink.SURFACE) == 21


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_read_on_every_ground(name: ThemeName) -> None:
    tokens = tokens_for(name)
    pairs = [(Ink.TEXT, ground) for ground in GROUNDS]
    pairs += [(Ink.MUTED, ground) for ground in GROUNDS if ground is not Ink.PRESSED]
    pairs += [(Ink.TEXT, tone_fill(tone)) for tone in Tone]
    pairs += [(Ink.MUTED, tone_fill(tone)) for tone in Tone]
    pairs += [(Ink.ON_ACCENT, Ink.ACCENT)]
    pairs += [(Ink.ON_TONE, tone_ink(tone)) for tone in Tone if tone is not Tone.NORMAL]
    poor = {pair: contrast(tokens, *pair) for pair in pairs if contrast(tokens, *pair) < 4.5}
    assert poor == {}


@pytest.mark.parametrize("name", THEMES)
def test_every_tone_can_be_read_on_surfaces_and_on_its_own_fill(name: ThemeName) -> None:
    tokens = tokens_for(name)
    poor = {
        (tone, ground): contrast(tokens, tone_ink(tone), ground)
        for tone in Tone
        for ground in (*TONE_GROUNDS, tone_fill(tone))
        if contrast(tokens, tone_ink(tone), ground) < 4.5
    }
    assert poor == {}


@pytest.mark.parametrize("name", THEMES)
def test_large_figures_and_marks_stand_out_from_what_they_stand_on(name: ThemeName) -> None:
    tokens = tokens_for(name)
    pairs = [(tone_ink(tone), Ink.BACKGROUND) for tone in Tone]
    pairs += [(Ink.FAINT, Ink.SURFACE), (Ink.OPERATOR, Ink.BACKGROUND)]
    poor = {pair: contrast(tokens, *pair) for pair in pairs if contrast(tokens, *pair) < 3.0}
    assert poor == {}


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("density", Density)
def test_a_theme_is_in_force_at_once(qapp: QApplication, name: ThemeName, density: Density) -> None:
    heard: list[int] = []
    theme().changed.connect(lambda: heard.append(theme().serial))
    apply_theme(qapp, name, density)
    tokens = tokens_for(name)
    assert heard[-1] == theme().serial
    assert qapp.palette().color(QPalette.ColorRole.Window).name().upper() == tokens.background
    assert theme().colour(Ink.ALARM).name().upper() == tokens.alarm
    assert theme().pen(Ink.LINE).widthF() == tokens.line_width
    assert theme().metrics.touch is (density is Density.TOUCH)
    assert "$" not in qapp.styleSheet()


def test_the_system_theme_is_light_or_dark_as_the_desktop_says() -> None:
    assert tokens_for(ThemeName.SYSTEM, system_is_dark=True) == DARK
    assert tokens_for(ThemeName.SYSTEM, system_is_dark=False) == LIGHT


def test_the_bundled_face_is_used_and_its_digits_are_equally_wide(qapp: QApplication) -> None:
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    for role in Role:
        font = theme().font(role)
        assert QFontInfo(font).family() == "Inter Tabular"
        metrics = QFontMetrics(font)
        assert len({metrics.horizontalAdvance(digit * 8) for digit in "0123456789"}) == 1


def test_high_contrast_has_bold_words(qapp: QApplication) -> None:
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    plain = theme().font(Role.BODY).weight()
    apply_theme(qapp, ThemeName.HIGH_CONTRAST, Density.DENSE)
    assert theme().font(Role.BODY).weight() > plain


@pytest.mark.parametrize(("dpi", "pixels"), [(20.0, 76), (96.0, 76), (127.0, 100), (900.0, 189)])
def test_a_primary_action_is_20_mm_within_what_a_screen_can_be_believed(
    dpi: float, pixels: int
) -> None:
    assert primary_px(dpi) == pixels


def test_touch_targets_are_48_px_and_more() -> None:
    touch = metrics_for(Density.TOUCH)
    assert min(touch.control, touch.primary, touch.row, touch.chip_filter, touch.rail_item) >= 48
    assert touch.gap >= 8


def test_an_icon_takes_the_colour_of_its_ink(qapp: QApplication) -> None:
    apply_theme(qapp, ThemeName.DARK, Density.DENSE)
    image = theme().pixmap("state/operator", Ink.ALARM, 24).toImage()
    assert image.pixelColor(12, 12).name().upper() == DARK.alarm


@pytest.mark.usefixtures("qapp")
def test_an_unknown_icon_is_named_in_the_error() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-icon"):
        theme().pixmap("no-such-icon", Ink.TEXT, 16)


@pytest.mark.parametrize(
    ("look", "line"),
    [
        (ThemeName.HIGH_CONTRAST, "dashed"),
        (ThemeName.HIGH_CONTRAST_LIGHT, "dashed"),
        (ThemeName.DARK, "solid"),
    ],
)
def test_a_disabled_button_differs_by_its_line_where_the_ink_does_not(
    qapp: QApplication, look: ThemeName, line: str
) -> None:
    apply_theme(qapp, look, Density.DENSE)
    (rule,) = re.findall(r"QPushButton:disabled, [^{]*{([^}]*)}", qapp.styleSheet())
    assert f"border-style: {line};" in rule
