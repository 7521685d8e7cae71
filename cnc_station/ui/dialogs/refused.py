"""The jobs that an action was refused for, each with its reason."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from cnc_station.engine.views import Answer
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.page_context import Navigator
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.table import table_card
from cnc_station.ui.widgets.text import Text

_SIZE, _SIZE_TOUCH = (680, 480), (860, 560)
_MARGINS = (20, 16, 20, 16)


class RefusedDialog(Dialog):
    """Lists the `answers` of refused jobs, of `count` in all; Enter opens a job."""

    def __init__(
        self,
        navigator: Navigator,
        answers: Sequence[Answer],
        count: int,
        parent: QWidget | None,
    ) -> None:
        title = self.tr("{count} jobs were refused").format(count=f"{count:,}")
        super().__init__(title, parent)
        columns: tuple[Column[Answer], ...] = (
            Column(self.tr("Job"), lambda one: str(one.id), 84, right=True),
            Column(self.tr("Why"), lambda one: one.error),
        )
        self.rows = RowList(columns, lambda one: one.id, self)
        self.table = ListTable(self.rows, title)
        self.table.opened.connect(lambda one: navigator.to_job(one.id))
        self.rows.take(answers)
        words = self.tr("Nothing about these jobs was changed.")
        if count > len(answers):
            words += " " + self.tr("These are the first {n}.").format(n=f"{len(answers):,}")
        about = Text(words, Role.NOTE, Ink.MUTED, wrap=True)
        foot = hbox(STRETCH, Button(self.tr("Close"), clicked=self.accept))
        head = Text(title, Role.PAGE_TITLE)
        vbox(head, about, (table_card(self.table), 1), foot, on=self, gap=12, margins=_MARGINS)
        self.fit(_SIZE, _SIZE_TOUCH)
