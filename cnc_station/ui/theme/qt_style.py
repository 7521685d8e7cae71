"""Tokens in Qt's form: palette, style sheet, coloured icons."""

from dataclasses import asdict
from string import Template

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from cnc_station.bundled import bundled
from cnc_station.ui.theme.density import Metrics
from cnc_station.ui.theme.fonts import FAMILY, SIZE_AND_WEIGHT, weight_of
from cnc_station.ui.theme.tokens import Tokens

_ROLES = {
    QPalette.ColorRole.Window: "background",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "surface",
    QPalette.ColorRole.AlternateBase: "sunken",
    QPalette.ColorRole.ToolTipBase: "surface",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.PlaceholderText: "muted",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.Button: "sunken",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "alarm",
    QPalette.ColorRole.Link: "operator",
    QPalette.ColorRole.LinkVisited: "operator",
    QPalette.ColorRole.Highlight: "selection",
    QPalette.ColorRole.HighlightedText: "text",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Light: "surface",
    QPalette.ColorRole.Midlight: "line",
    QPalette.ColorRole.Mid: "line",
    QPalette.ColorRole.Dark: "faint",
    QPalette.ColorRole.Shadow: "line",
}
_DISABLED = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)


def palette_of(tokens: Tokens) -> QPalette:
    """Every role Fusion draws with, set explicitly: the platform's own scheme has no effect."""
    palette = QPalette()
    for role, field in _ROLES.items():
        palette.setColor(role, QColor(getattr(tokens, field)))
    for role in _DISABLED:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.faint))
    return palette


def style_sheet(tokens: Tokens, metrics: Metrics) -> str:
    """The style sheet template with every `$name` filled in; KeyError for an unknown name."""
    values: dict[str, object] = {**asdict(tokens), **asdict(metrics)}
    values["family"] = FAMILY
    values["icons"] = str(bundled("icons")).replace("\\", "/")
    values["mark"] = "dark" if tokens.dark else "light"
    values["inner"] = metrics.control - 2 * tokens.line_width
    values["inner_primary"] = max(metrics.control, metrics.primary) - 2 * tokens.line_width
    values["pad_primary"] = 24 if metrics.touch else 14
    values["line_disabled"] = "dashed" if tokens.faint == tokens.text else "solid"
    values["tab_line"] = tokens.line_width + 1 + tokens.bold_words
    tick = 28 if metrics.touch else 18
    values["tick"] = tick
    values["tick_radius"] = tick // 2 + tokens.line_width
    values["tick_hole"] = tick + 2 * tokens.line_width - 12
    values["spin"] = 44 if metrics.touch else 26
    values["scroll"] = 20 if metrics.touch else 12
    for role, (size, _) in SIZE_AND_WEIGHT.items():
        values[f"size_{role.value}"] = f"{size}px"
        values[f"weight_{role.value}"] = weight_of(role, bold_words=tokens.bold_words)
    return Template(bundled("themes", "station.qss").read_text("utf-8")).substitute(values)


def draw_icon(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """Icon `name` ("state/running") as a square of `size` px; FileNotFoundError if not bundled."""
    svg = bundled("icons", *f"{name}.svg".split("/")).read_text("utf-8")
    renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", colour).encode()))
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
