"""How the window looks: tokens, density, fonts, icons, and the one live `Theme`.

`apply_theme(app, ThemeName.DARK, Density.TOUCH)` dresses the whole program, at run time too. A
widget that paints asks `theme()` each time it paints and keeps nothing: after a change every widget
gets a StyleChange event and is painted anew. What caches elsewhere (a chart, a delegate)
connects `theme().changed` or keys its cache with `theme().serial`.
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
