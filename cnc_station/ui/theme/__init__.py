"""How the window looks: tokens, density, fonts, icons, and the one live `Theme`.

`apply_theme` restyles the whole program at run time. A widget that paints calls `theme()` in each
paint and keeps nothing. Other caches connect `theme().changed` or include `theme().serial` in their
key.
"""

from cnc_station.ui.theme.density import Density, Metrics
from cnc_station.ui.theme.fonts import Role
from cnc_station.ui.theme.live import Theme, apply_theme, theme
from cnc_station.ui.theme.tokens import Ink, ThemeName, Tokens, Tone

__all__ = [
    "Density",
    "Ink",
    "Metrics",
    "Role",
    "Theme",
    "ThemeName",
    "Tokens",
    "Tone",
    "apply_theme",
    "theme",
]
