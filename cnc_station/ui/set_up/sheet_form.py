"""The form for what people add to the set-up of a program."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtWidgets import QCheckBox, QLineEdit, QPlainTextEdit, QWidget

from cnc_station.engine.commands import EditSetUpSheet
from cnc_station.engine.views import ProgramDetail
from cnc_station.engine.views.attachments import SetUpSheet
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.fields import Field

_SIZE = (640, 660)
_NOTES_PX = 120


class SheetForm(FormDialog):
    """Notes, a line for each tool and work offset of the program, and the check of a first part."""

    def __init__(
        self, context: PageContext, program: ProgramDetail, sheet: SetUpSheet, parent: QWidget
    ) -> None:
        title = self.tr("Set-up sheet of {name}").format(name=program.row.name)
        super().__init__(context.operations, title, self.tr("Save"), parent)
        self._context = context
        self._sha256 = program.row.sha256
        self._sheet = sheet
        notes = QPlainTextEdit(sheet.notes)
        notes.setFixedHeight(_NOTES_PX)
        notes.setTabChangesFocus(True)
        hint = self.tr("for every job with this program, in all its revisions")
        self.add("notes", Field(self.tr("Notes"), notes, hint=hint), 0, 0, 2)
        self.tools = self._lines(
            {number: f"T{number}  {name}".strip() for number, name in program.tools}
            | {number: f"T{number}" for number in sheet.tools if number not in dict(program.tools)},
            sheet.tools,
            self.tr("length, holder, insert…"),
        )
        self.offsets = self._lines(
            {name: name for name in (*program.work_offsets, *sheet.work_offsets)},
            sheet.work_offsets,
            self.tr("where its zero is: top of the fixed jaw, left…"),
        )
        self.first_part = QCheckBox(self.tr("Ask for the check of the first part of each run"))
        self.first_part.setChecked(sheet.first_part)
        self.place(self.first_part, len(self.tools) + len(self.offsets) + 1)
        self.fill_below()
        self.fit(_SIZE, _SIZE)

    def _lines(self, names: dict[Any, str], texts: Any, hint: str) -> dict[Any, QLineEdit]:
        found = {}
        for key, name in names.items():
            edit = QLineEdit(texts.get(key, ""))
            edit.setPlaceholderText(hint)
            found[key] = edit
            self.add(f"{key}", Field(name, edit), len(self.fields), 0, 2)
        return found

    def storing(self) -> Coroutine[Any, Any, Any]:
        return self._context.door.execute(
            EditSetUpSheet(
                self._sha256,
                self.fields["notes"].value,
                {number: edit.text() for number, edit in self.tools.items()},
                {name: edit.text() for name, edit in self.offsets.items()},
                first_part=self.first_part.isChecked(),
                version=self._sheet.version,
            )
        )
