"""A filter that offers several values: a chip that opens a menu."""

from collections.abc import Callable, Sequence

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from cnc_station.ui.widgets.filter_chip import FilterChip


class MenuChip(FilterChip):
    """`Machine ▾`, or `Machine: Mill 1 ▾` while a value is chosen, which switches it on."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._name = name
        self.menu = QMenu(name, self)
        self.offers = False  # whether there is anything to choose
        self.clicked.connect(self._open)
        self.show_value("")

    def show_value(self, words: str) -> None:
        """Shows the value chosen; empty for any."""
        self.setText(f"{self._name}: {words} ▾" if words else f"{self._name} ▾")
        self.setAccessibleName(f"{self._name}: {words or self.tr('any')}")
        self.setChecked(bool(words))
        self.updateGeometry()

    def offer(
        self, values: Sequence[tuple[str, object]], current: object, chosen: Callable[..., None]
    ) -> None:
        """Offers these values by their words, None for any; `chosen(value)` when one is picked."""
        self.offers = bool(values)
        fill(self.menu, ((self.tr("any"), None), *values), current, chosen)

    def nextCheckState(self) -> None:
        """A press opens the menu; only a value switches the chip on."""

    def _open(self) -> None:
        self.menu.popup(self.mapToGlobal(self.rect().bottomLeft()))


def fill(
    menu: QMenu,
    values: Sequence[tuple[str, object]],
    current: object,
    chosen: Callable[..., None],
) -> None:
    """Makes a menu of values of which one is current."""
    menu.clear()
    group = QActionGroup(menu)
    for words, value in values:
        action = QAction(words, menu, checkable=True, checked=value == current)
        action.triggered.connect(lambda _=False, value=value: chosen(value))
        group.addAction(action)
        menu.addAction(action)
