"""The editors of the job form."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QPlainTextEdit, QWidget

from cnc_station.engine.domain.errors import FieldError
from cnc_station.engine.domain.machine import MAX_COMPLEXITY
from cnc_station.ui.models.job_draft import JobDraft
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.fields import Field, NumberBox
from cnc_station.ui.widgets.job_editors import DueField, PriorityField, ProgramField
from cnc_station.ui.widgets.layout import STRETCH, vbox

_PAYLOAD_PX = 110
_LINES_PX = 62


# The rare fields that are shown at once where one of them has a value.
_OPENING = (
    *("work_order", "customer", "description", "after", "timeout_s", "external_id"),
    *("tenant", "payload"),
)


class JobFields(QWidget):
    """Editors for a `JobDraft`; rarely used ones appear on request or when one has an error.
    `wrong` carries the first field with an error."""

    wrong = Signal(object)

    def __init__(self, now: int, *, new: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.operation, self.work_order = QLineEdit(), QLineEdit(), QLineEdit()
        self.tenant, self.after = QLineEdit(), QLineEdit()
        self.customer, self.external_id = QLineEdit(), QLineEdit()
        self.retry_limit, self.timeout = QLineEdit(), QLineEdit()
        self.machine_type, self.material = _combo(), _combo()
        self.complexity = NumberBox(1, MAX_COMPLEXITY, 1)
        self.axes = NumberBox(1, 9, 3)
        self.quantity = NumberBox(1, 1_000_000, 1)
        self.estimated = QLineEdit()
        self.priority = PriorityField()
        self.due = DueField(now)
        self.program = ProgramField()
        self.description, self.notes = _lines(_LINES_PX), _lines(_LINES_PX)
        self.payload = _lines(_PAYLOAD_PX)
        self.fields: dict[str, Field] = {}
        self.more = Button(self.tr("More fields"))
        self.more.setCheckable(True)
        self.more.toggled.connect(self._show_rare)
        self._rare = QWidget()
        self._place(new=new)
        self._show_rare(False)

    def _place(self, *, new: bool) -> None:
        tr = self.tr
        time_hint = tr("mm:ss, or minutes")
        common, rare = QGridLayout(), QGridLayout(self._rare)
        for grid in (common, rare):
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setHorizontalSpacing(12)
            grid.setVerticalSpacing(10)
            for column in range(4):
                grid.setColumnStretch(column, 1)
        self._add(common, 0, 0, 3, "name", tr("Name"), self.name, wanted=True)
        self._add(common, 0, 3, 1, "operation", tr("Operation"), self.operation)
        self._add(common, 1, 0, 2, "machine_type", tr("Machine type"), self.machine_type)
        self._add(common, 1, 2, 2, "material", tr("Material"), self.material)
        self._add(common, 2, 0, 1, "quantity", tr("Quantity"), self.quantity)
        self._add(
            common,
            2,
            1,
            1,
            "estimated_s",
            tr("Cycle time per part"),
            self.estimated,
            hint=time_hint,
        )
        self._add(common, 2, 2, 1, "complexity", tr("Complexity"), self.complexity)
        self._add(common, 2, 3, 1, "axes", tr("Axes"), self.axes)
        self._add(common, 3, 0, 4, "program", tr("Program"), self.program)
        self._add(common, 4, 0, 4, "priority", tr("Priority"), self.priority)
        self._add(common, 5, 0, 4, "due_at", tr("Due"), self.due)
        for_operator = tr("for the person at the machine; plain words, several lines")
        self._add(common, 6, 0, 4, "notes", tr("Notes"), self.notes, hint=for_operator)
        self._add(rare, 0, 0, 2, "work_order", tr("Work order"), self.work_order)
        self._add(rare, 0, 2, 2, "customer", tr("Customer"), self.customer)
        self._add(rare, 1, 0, 4, "description", tr("Description"), self.description)
        after = tr("numbers of jobs that must be completed first")
        self._add(rare, 2, 0, 4, "after", tr("Runs after"), self.after, hint=after)
        self.fields["after"].setVisible(new)
        retries = tr("default")
        self._add(rare, 3, 0, 2, "retry_limit", tr("Retry limit"), self.retry_limit, hint=retries)
        limit = tr("mm:ss; empty: none")
        self._add(rare, 3, 2, 2, "timeout_s", tr("Time limit"), self.timeout, hint=limit)
        elsewhere = tr("the id of this job in another system")
        identity = self.external_id
        self._add(rare, 4, 0, 2, "external_id", tr("External id"), identity, hint=elsewhere)
        self._add(rare, 4, 2, 2, "tenant", tr("Customer"), self.tenant)
        self._add(rare, 5, 0, 4, "payload", tr("Extra data (JSON)"), self.payload)
        vbox(common, self.more, self._rare, STRETCH, on=self, gap=10, margins=(0, 0, 8, 0))

    def _add(
        self,
        grid: QGridLayout,
        row: int,
        column: int,
        span: int,
        key: str,
        label: str,
        editor: QWidget,
        *,
        hint: str = "",
        wanted: bool = False,
    ) -> None:
        field = Field(label, editor, hint=hint, wanted=wanted)
        self.fields[key] = field
        grid.addWidget(field, row, column, 1, span, Qt.AlignmentFlag.AlignTop)

    def _show_rare(self, shown: bool) -> None:
        self._rare.setVisible(shown)
        self.more.setText(self.tr("Fewer fields") if shown else self.tr("More fields"))

    def show_draft(self, draft: JobDraft) -> None:
        for name, field in self.fields.items():
            field.set_value(getattr(draft, name))
        self.more.setChecked(any(getattr(draft, name) for name in _OPENING))

    def draft(self) -> JobDraft:
        return JobDraft(**{name: field.value for name, field in self.fields.items()})

    def offer(self, types: Sequence[str], materials: Sequence[str]) -> None:
        """Offer the shop's machine types and materials; the text in the editors stays."""
        for combo, values in ((self.machine_type, types), (self.material, materials)):
            text = combo.currentText()
            combo.clear()
            combo.addItems(list(values))
            combo.setEditText(text)

    def show_errors(self, errors: Sequence[FieldError]) -> list[FieldError]:
        """Show each error at its field and focus the first; return errors without a field."""
        told = {error.field: error.reason for error in errors}
        for key, field in self.fields.items():
            field.set_error(told.get(key, ""))
        wrong = [field for key, field in self.fields.items() if key in told]
        if any(self._rare.isAncestorOf(field) for field in wrong):
            self.more.setChecked(True)
        if wrong:
            wrong[0].editor.setFocus()
            QTimer.singleShot(0, wrong[0], lambda: self.wrong.emit(wrong[0]))  # after its layout
        return [error for error in errors if error.field not in self.fields]


def _lines(height: int) -> QPlainTextEdit:
    edit = QPlainTextEdit()
    edit.setFixedHeight(height)
    edit.setTabChangesFocus(True)
    return edit


def _combo() -> QComboBox:
    combo = QComboBox()
    combo.setEditable(True)
    combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    return combo
