"""The one live theme of the process, and how it is applied."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QFont, QGuiApplication, QIcon, QPen, QPixmap
from PySide6.QtWidgets import QApplication

from cnc_station.ui.theme.density import Density, Metrics, metrics_for
from cnc_station.ui.theme.fonts import Role, font_of, load_fonts
from cnc_station.ui.theme.qt_style import draw_icon, palette_of, style_sheet
from cnc_station.ui.theme.tokens import Ink, ThemeName, Tokens, Tone, tokens_for


def tone_ink(tone: Tone) -> Ink:
    """The ink of a tone's text and marks."""
    return Ink(tone.value)


def tone_fill(tone: Tone) -> Ink:
    """The background of a chip in this tone."""
    return Ink(f"{tone.value}_fill")


class Theme(QObject):
    """Current colours, sizes, fonts and icons, shared and cached. `changed` comes after the palette
    and the style sheet are in force; `serial` grows with every change."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = ThemeName.LIGHT
        self.density = Density.DENSE
        self.serial = 0
        self.tokens: Tokens = tokens_for(self.name)
        self.metrics: Metrics = metrics_for(self.density)
        self._follows_system = False
        self._clear_caches()

    def _clear_caches(self) -> None:
        self._colours = {ink: QColor(getattr(self.tokens, ink.value)) for ink in Ink}
        self._brushes = {ink: QBrush(colour) for ink, colour in self._colours.items()}
        self._pens: dict[tuple[Ink, float], QPen] = {}
        self._fonts: dict[Role, QFont] = {}
        self._pixmaps: dict[tuple[str, Ink, int, float], QPixmap] = {}
        self._icons: dict[tuple[str, Ink, int], QIcon] = {}

    def colour(self, ink: Ink) -> QColor:
        return self._colours[ink]

    def brush(self, ink: Ink) -> QBrush:
        return self._brushes[ink]

    def pen(self, ink: Ink, width: float = 0) -> QPen:
        """A pen of an ink; width 0 is the theme's line width."""
        width = width or self.tokens.line_width
        if (ink, width) not in self._pens:
            self._pens[ink, width] = QPen(self.colour(ink), width)
        return self._pens[ink, width]

    def font(self, role: Role) -> QFont:
        if role not in self._fonts:
            self._fonts[role] = font_of(role, bold_words=self.tokens.bold_words)
        return self._fonts[role]

    def pixmap(self, name: str, ink: Ink, size: int, ratio: float = 1.0) -> QPixmap:
        """A bundled icon as a square of `size` px, sharp at a device pixel ratio."""
        key = (name, ink, size, ratio)
        if key not in self._pixmaps:
            self._pixmaps[key] = draw_icon(name, self.colour(ink).name(), size, ratio)
        return self._pixmaps[key]

    def icon(self, name: str, ink: Ink = Ink.TEXT, size: int = 20) -> QIcon:
        """A bundled icon for buttons, in the current colours: set it again on `changed`."""
        key = (name, ink, size)
        if key not in self._icons:
            icon = QIcon()
            for ratio in (1.0, 2.0):
                icon.addPixmap(self.pixmap(name, ink, size, ratio))
                icon.addPixmap(self.pixmap(name, Ink.FAINT, size, ratio), QIcon.Mode.Disabled)
            self._icons[key] = icon
        return self._icons[key]

    def put_on(self, app: QApplication, name: ThemeName, density: Density) -> None:
        hints = QGuiApplication.styleHints()
        if not self._follows_system:
            hints.colorSchemeChanged.connect(self._follow_system)
            self._follows_system = True
        dark = hints.colorScheme() is Qt.ColorScheme.Dark
        screen = QGuiApplication.primaryScreen()
        self.name = name
        self.density = density
        self.tokens = tokens_for(name, system_is_dark=dark)
        self.metrics = metrics_for(density, screen.physicalDotsPerInch())
        self.serial += 1
        self._clear_caches()
        load_fonts()
        app.setStyle("Fusion")
        app.setPalette(palette_of(self.tokens))
        app.setFont(self.font(Role.BODY))
        app.setStyleSheet(style_sheet(self.tokens, self.metrics))
        self.changed.emit()

    def _follow_system(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication) and self.name is ThemeName.SYSTEM:
            self.put_on(app, self.name, self.density)


_live = Theme()


def theme() -> Theme:
    """The theme in force; light and dense until `apply_theme` is called."""
    return _live


def apply_theme(app: QApplication, name: ThemeName, density: Density) -> None:
    """Style the whole program; `ThemeName.SYSTEM` also follows changes of the desktop's scheme."""
    _live.put_on(app, name, density)
