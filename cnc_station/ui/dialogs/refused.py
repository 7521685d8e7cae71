"""The jobs or schedules that an action was refused for, each with its reason."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from cnc_station.engine.bulk import counted
from cnc_station.engine.views import Answer
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.table import table_card
from cnc_station.ui.widgets.text import Text

_SIZE, _SIZE_TOUCH = (680, 480), (860, 560)
_MARGINS = (20, 16, 20, 16)


class RefusedDialog(Dialog):
    """Lists the `answers` about what was refused, `count` in all, each a `noun`; Enter calls
    `open_item` with its id."""

    def __init__(
        self,
        answers: Sequence[Answer],
        count: int,
        noun: str,
        open_item: Callable[[int], object] | None,
        parent: QWidget | None,
    ) -> None:
        title = self.tr("{count} were refused").format(count=counted(count, noun))
        super().__init__(title, parent)
        columns: tuple[Column[Answer], ...] = (
            Column(noun.capitalize(), lambda one: str(one.id), 84, right=True),
            Column(self.tr("Why"), lambda one: one.error),
        )
        self.rows = RowList(columns, lambda one: one.id, self)
        self.table = ListTable(self.rows, title)
        if open_item is not None:
            self.table.opened.connect(lambda one: open_item(one.id))
        self.rows.take(answers)
        words = self.tr("Nothing about them was changed.")
        if count > len(answers):
            words += " " + self.tr("These are the first {n}.").format(n=f"{len(answers):,}")
        about = Text(words, Role.NOTE, Ink.MUTED, wrap=True)
        foot = hbox(STRETCH, Button(self.tr("Close"), clicked=self.accept))
        head = Text(title, Role.PAGE_TITLE)
        vbox(head, about, (table_card(self.table), 1), foot, on=self, gap=12, margins=_MARGINS)
        self.fit(_SIZE, _SIZE_TOUCH)
