"""Confirm what can't be undone, for all jobs of a filter."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.text import Text

_HOLD_S = 1.0
_WIDTH = 480
_MARGINS = (20, 16, 20, 16)


class BulkConfirm(Dialog):
    """Says what `action` (a word) would do to how many jobs; held, it calls `confirmed`."""

    def __init__(
        self, action: str, count: int, confirmed: Callable[[], None], parent: QWidget | None
    ) -> None:
        title = self.tr("{action} {count} jobs?").format(action=action, count=f"{count:,}")
        super().__init__(title, parent)
        self._confirmed = confirmed
        about = self.tr(
            "These are all jobs that match the filter, whether you see them or not. This can't be "
            "undone. If their number changes before you confirm, nothing is done."
        )
        hold = self.tr("{action} {count}: hold 1 s").format(action=action, count=f"{count:,}")
        self.hold = HoldButton(hold, seconds=_HOLD_S, held=self._held)
        foot = hbox(STRETCH, self.cancel_button(), self.hold)
        words = Text(about, Role.BODY, Ink.MUTED, wrap=True)
        parts = (Text(title, Role.PAGE_TITLE), words, STRETCH, foot)
        vbox(*parts, on=self, gap=16, margins=_MARGINS)
        self.setMinimumWidth(_WIDTH)

    def _held(self) -> None:
        self._confirmed()
        self.accept()
