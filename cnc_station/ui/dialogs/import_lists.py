"""What an import shows beside its columns: the first rows, problems, changes of jobs, and notes."""

from PySide6.QtCore import QItemSelectionModel
from PySide6.QtWidgets import QAbstractItemView, QTableView

from cnc_station.engine.views import ImportChange, ImportIssue, ImportPreview
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.import_preview import PreviewModel
from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.theme import Ink, theme
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.table import table_card
from cnc_station.ui.widgets.tabs import TabStack

_FIRST_WIDTH = 170
_NUMBER_WIDTH = 64
_NAME_WIDTH = 150
_ROWS, _PROBLEMS, _CHANGES, _NOTES = "rows", "problems", "changes", "notes"


class ImportLists(TabStack):
    """Shows one preview at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = QTableView()
        self.rows.setProperty("part", "bare")
        self.rows.setAccessibleName(self.tr("The first rows of the table"))
        self.rows.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.rows.setShowGrid(False)
        self.rows.setWordWrap(False)
        self.rows.setTabKeyNavigation(False)
        self.rows.verticalHeader().setDefaultSectionSize(theme().metrics.row)
        self.problems = RowList(self._issue_columns(Ink.ALARM), lambda issue: issue, self)
        self.notes = RowList(self._issue_columns(Ink.TEXT), lambda issue: issue, self)
        self.changes = RowList(self._change_columns(), lambda change: change.row, self)
        self.problem_table = ListTable(self.problems, self.tr("What is wrong, row by row"))
        self.problem_table.opened.connect(self._to_row)
        self.note_table = ListTable(self.notes, self.tr("Notes, row by row"))
        self.note_table.opened.connect(self._to_row)
        self.change_table = ListTable(self.changes, self.tr("Changes of jobs, row by row"))
        self.add(_ROWS, self.tr("First rows"), table_card(self.rows))
        self.add(_PROBLEMS, self.tr("Problems"), table_card(self.problem_table))
        self.add(_CHANGES, self.tr("Changes"), table_card(self.change_table))
        self.add(_NOTES, self.tr("Notes"), table_card(self.note_table))

    def _issue_columns(self, ink: Ink) -> tuple[Column[ImportIssue], ...]:
        what = self.tr("What is wrong") if ink is Ink.ALARM else self.tr("Note")
        return (
            Column(self.tr("Row"), _row_text, _NUMBER_WIDTH, right=True),
            Column(
                self.tr("Column"), lambda i: i.column or formatting.NONE, _NAME_WIDTH, strong=True
            ),
            Column(what, lambda i: i.message, ink=lambda _: ink),
        )

    def _change_columns(self) -> tuple[Column[ImportChange], ...]:
        return (
            Column(self.tr("Row"), lambda c: f"{c.row:,}", _NUMBER_WIDTH, right=True),
            Column(self.tr("Job"), lambda c: c.name, _NAME_WIDTH, strong=True),
            Column(self.tr("Change"), self._change_text),
        )

    def _change_text(self, change: ImportChange) -> str:
        text = "; ".join(f"{label} {old} → {new}" for label, old, new in change.fields)
        if not change.kept:
            return text
        return self.tr("Not changed: the job {why} ({changes})").format(
            why=change.kept, changes=text
        )

    def show_preview(self, preview: ImportPreview) -> None:
        """Show a preview, its problems first."""
        before = self.rows.model()
        self.rows.setModel(PreviewModel(preview, self))
        if preview.columns:
            self.rows.setColumnWidth(0, _FIRST_WIDTH)
        if before is not None:
            before.deleteLater()
        self.problems.take(preview.issues)
        self.changes.take(preview.changes)
        self.notes.take(preview.notes)
        self.tabs.set_count(_PROBLEMS, len(preview.issues) or None)
        self.tabs.set_count(_CHANGES, preview.changed + preview.kept or None)
        self.tabs.set_count(_NOTES, len(preview.notes) or None)
        self.tabs.choose(_PROBLEMS if preview.issues else _ROWS)

    def _to_row(self, issue: ImportIssue) -> None:
        """Scroll to a problem's row if the preview has it."""
        model = self.rows.model()
        if not isinstance(model, PreviewModel) or (place := model.place_of(issue.row)) is None:
            return
        self.tabs.choose(_ROWS)
        index = model.index(place, 0)
        flags = QItemSelectionModel.SelectionFlag
        self.rows.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.rows.scrollTo(index)


def _row_text(issue: ImportIssue) -> str:
    return f"{issue.row:,}" if issue.row else formatting.NONE
