"""Confirm what can't be undone, for all that a filter selects."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from cnc_station.engine.bulk import counted
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.text import Text

_HOLD_S = 1.0
_WIDTH = 480
_MARGINS = (20, 16, 20, 16)


class BulkConfirm(Dialog):
    """Says what `action` (a word) would do to how many jobs, or whatever `noun` is; held, it calls
    `confirmed`. Those on view are all, and known one by one, if `listed`."""

    def __init__(
        self,
        action: str,
        count: int,
        confirmed: Callable[[], None],
        parent: QWidget | None,
        *,
        noun: str = "job",
        listed: bool = False,
    ) -> None:
        what = {"action": action, "things": counted(count, noun), "noun": f"{noun}s"}
        title = self.tr("{action} {things}?").format(**what)
        super().__init__(title, parent)
        self._confirmed = confirmed
        about = self.tr(
            "These are the {noun} that match the filter now. One that comes in later is left "
            "alone. This can't be undone."
        )
        if not listed:
            about = self.tr(
                "These are all {noun} that match the filter, whether you see them or not. This "
                "can't be undone. If their number changes before you confirm, nothing is done."
            )
        about = about.format(**what)
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
