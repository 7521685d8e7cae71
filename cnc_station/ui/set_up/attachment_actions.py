"""What a person does with attachments: add, open, save a copy, remove and bring back."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from cnc_station.engine.commands import AttachFile, RemoveAttachment
from cnc_station.engine.domain.attachments import MOST_BYTES, AttachmentKind
from cnc_station.engine.domain.errors import CncStationError, InvalidInput, Unavailable
from cnc_station.engine.outside_file import FileRefused, read_outside_file
from cnc_station.engine.queries import AttachmentContent
from cnc_station.engine.views.attachments import AttachedFile, AttachmentRow
from cnc_station.ui.file_dialogs import file_dialogs
from cnc_station.ui.file_export import write_file
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.set_up.desktop_viewer import DesktopViewer, desktop_viewer
from cnc_station.ui.set_up.picture_dialog import PictureDialog
from cnc_station.ui.set_up.pictures import Pictures

ENDINGS = tuple(ending for kind in AttachmentKind for ending in kind.endings)


class AttachmentActions(QObject):
    """Carries them out for `widget`; errors are shown by the window."""

    def __init__(
        self, context: PageContext, widget: QWidget, viewer: DesktopViewer = desktop_viewer
    ) -> None:
        super().__init__(widget)
        self._context = context
        self._widget = widget
        self._viewer = viewer
        self.pictures = Pictures(context.door)

    def choose(self, job_id: int | None, program: str | None) -> QFileDialog:
        """Ask for files, and attach them to a job or a program."""
        forms = self.tr("Drawings and pictures (%1)").replace(
            "%1", " ".join(f"*{ending}" for ending in ENDINGS)
        )
        dialog = file_dialogs.make(self._widget, self.tr("Attach files"), forms)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(
            lambda names: self.attach([Path(name) for name in names], job_id, program)
        )
        dialog.open()
        return dialog

    def attach(self, paths: Sequence[Path], job_id: int | None, program: str | None) -> None:
        words = self.tr("Attaching files…")
        self._context.operations.run(self._attach(paths, job_id, program), words)

    async def _attach(self, paths: Sequence[Path], job_id: int | None, program: str | None) -> None:
        """An error stays on view and stops none of the other files."""
        done: list[str] = []
        for path in paths:
            jobs = () if job_id is None else (job_id,)
            try:
                content = await read_outside_file(path, MOST_BYTES)
                file = AttachFile(path.name, content, jobs, None if jobs else program)
                done += [row.name for row in await self._context.door.execute(file)]
            except FileRefused as error:
                self._context.operations.fail(error.sentence)
            except InvalidInput as error:
                why = ", ".join(fault.reason for fault in error.errors)
                self._context.operations.fail(f"{path.name} {why}.")
            except CncStationError as error:
                self._context.operations.fail(f"{path.name}: {error}")
        if done:
            said = self.tr("{names}: attached").format(names=", ".join(done))
            self._context.operations.say(said)

    def open(self, row: AttachmentRow) -> None:
        """Show a picture here, and a PDF in the desktop's viewer."""
        if row.kind is not AttachmentKind.PDF:
            PictureDialog(self._context, row, self.pictures, self._widget).open()
            return
        self._context.operations.run(
            self._open(row), self.tr("Opening {name}…").format(name=row.name)
        )

    async def _open(self, row: AttachmentRow) -> None:
        file = await self._file(row)
        await self._viewer.show(row.name, file.content)

    def save(self, row: AttachmentRow) -> QFileDialog:
        """Ask where a copy goes, and write it."""
        dialog = file_dialogs.make(self._widget, self.tr("Save a copy"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(row.name)
        dialog.fileSelected.connect(
            lambda name: self._context.operations.run(self._save(row, Path(name)))
        )
        dialog.open()
        return dialog

    async def _save(self, row: AttachmentRow, path: Path) -> None:
        file = await self._file(row)
        await write_file(path, file.content)
        self._context.operations.say(self.tr("{name}: saved").format(name=path.name))

    async def _file(self, row: AttachmentRow) -> AttachedFile:
        file = await self._context.door.ask(AttachmentContent(row.id))
        if file is None:
            raise Unavailable(self.tr("{name} was removed meanwhile.").format(name=row.name))
        return file

    def remove(self, row: AttachmentRow, program: str | None) -> None:
        """Remove an attachment; Undo attaches it again. `program` is the SHA-256 of its program."""
        self._context.operations.run(self._remove(row, program))

    async def _remove(self, row: AttachmentRow, program: str | None) -> None:
        file = await self._file(row)
        await self._context.door.execute(RemoveAttachment(row.id))
        jobs = () if row.job_id is None else (row.job_id,)
        again = AttachFile(row.name, file.content, jobs, None if jobs else program)
        undo = partial(self._attach_again, again)
        self._context.operations.say(self.tr("{name}: removed").format(name=row.name), undo)

    def _attach_again(self, file: AttachFile) -> None:
        self._context.operations.run(self._context.door.execute(file))
