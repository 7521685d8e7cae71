"""Tabs as underlined words, and a stack of widgets that they switch."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTabBar, QWidget

from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.literal import caption


class SegmentedTabs(QTabBar):
    """Tabs by key; `chosen` carries the key of the current tab."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(True)
        self._words: dict[str, str] = {}
        self.currentChanged.connect(self._changed)

    def add(self, key: str, words: str) -> None:
        self._words[key] = words
        self.setTabData(self.addTab(caption(words)), key)
        if self.count() == 1:
            self.chosen.emit(key)

    def set_count(self, key: str, count: int | None) -> None:
        """Show a number after a tab's words; KeyError for an unknown key."""
        words = self._words[key]
        shown = words if count is None else f"{words} {count:,}"
        self.setTabText(self._index(key), caption(shown))

    def choose(self, key: str) -> None:
        """Switch to a tab; KeyError for an unknown key."""
        self.setCurrentIndex(self._index(key))

    @property
    def current(self) -> str:
        """The key of the current tab; empty if there is none."""
        return str(self.tabData(self.currentIndex()) or "")

    def _index(self, key: str) -> int:
        index = {self.tabData(i): i for i in range(self.count())}
        return index[key]

    def _changed(self, index: int) -> None:
        key = self.tabData(index)
        if key:
            self.chosen.emit(str(key))


class TabStack(QWidget):
    """`tabs` above the widget of the current one, `indent` pixels from the left."""

    def __init__(self, indent: int = 0) -> None:
        super().__init__()
        self.tabs = SegmentedTabs()
        self._stack = QStackedWidget()
        self.tabs.currentChanged.connect(self._stack.setCurrentIndex)
        bar = hbox(self.tabs, STRETCH, margins=(indent, 0, 0, 0))
        vbox(bar, (self._stack, 1), on=self, gap=8)

    def add(self, key: str, words: str, widget: QWidget) -> None:
        self._stack.addWidget(widget)
        self.tabs.add(key, words)
