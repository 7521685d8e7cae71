"""How the window looks. A widget that paints calls `theme()` in each paint and keeps nothing; other
caches connect `theme().changed` or include `theme().serial` in their key."""

from cnc_station.ui.theme.density import Density
from cnc_station.ui.theme.fonts import Role
from cnc_station.ui.theme.live import apply_theme, theme
from cnc_station.ui.theme.tokens import Ink, ThemeName, Tone

__all__ = ["Density", "Ink", "Role", "ThemeName", "Tone", "apply_theme", "theme"]
