"""Fusion's palette from tokens, so that whatever the style sheet leaves alone still fits."""

from PySide6.QtGui import QColor, QPalette

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
_DISABLED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)


def palette_of(tokens: Tokens) -> QPalette:
    """Every role Fusion draws with, set outright: the platform's own scheme has no say."""
    palette = QPalette()
    for role, field in _ROLES.items():
        palette.setColor(role, QColor(getattr(tokens, field)))
    for role in _DISABLED:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.faint))
    return palette
