"""The traveler of a job: its set-up on paper, with a code that opens the job when it is scanned."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject, QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from cnc_station.ui import formatting
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.reading_text import time_a_part
from cnc_station.ui.set_up.content import SetUpContent
from cnc_station.ui.set_up.desktop_viewer import DesktopViewer, desktop_viewer
from cnc_station.ui.set_up.pictures import Pictures
from cnc_station.ui.set_up.traveler_paper import draw

_MOST_PICTURES = 4
_PICTURE = QSize(1_600, 1_600)
_CODE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on it, top to bottom. `code` is what a scanner reads."""

    title: str
    code: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[tuple[str, str], ...]
    tables: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    pictures: tuple[tuple[str, QImage], ...]
    foot: str


def job_code(job_id: int) -> str:
    """Return the code of a job: digits alone, which a scanner types the same on any keyboard, and
    enough of them to be told from typing."""
    return f"{job_id:0{_CODE_DIGITS}}"


class Traveler(QObject):
    """Makes the traveler and opens it in the desktop's viewer, which prints."""

    def __init__(
        self, context: PageContext, widget: QWidget, viewer: DesktopViewer = desktop_viewer
    ) -> None:
        super().__init__(widget)
        self._context = context
        self._viewer = viewer
        self._pictures = Pictures(context.door)

    def open(self, content: SetUpContent) -> None:
        words = self.tr("Making the traveler…")
        self._context.operations.run(self._open(content), words)

    async def _open(self, content: SetUpContent) -> None:
        assert content.job is not None
        pictures: list[tuple[str, QImage]] = []
        for row in content.attachments:
            if len(pictures) < _MOST_PICTURES:
                image = await self._pictures.load(row, _PICTURE)
                pictures += [(row.name, image)] if image is not None else []
        paper = paper_of(content, pictures, self._context.now(), self._context.door.operator)
        pdf = await asyncio.to_thread(draw, paper)
        await self._viewer.show(f"traveler-{paper.code}.pdf", pdf)


def paper_of(
    content: SetUpContent, pictures: Sequence[tuple[str, QImage]], now: int, operator: str
) -> Paper:
    """Return the traveler of the job of `content`."""
    assert content.job is not None
    row = content.job.row
    program = f"{row.program_name} r{row.program_revision}" if row.program else ""
    facts = (
        (_t("Job"), str(row.id)),
        (_t("Work order"), row.work_order),
        (_t("Customer"), row.customer),
        (_t("Quantity"), f"{row.quantity:,}"),
        (_t("Due"), formatting.moment(row.due_at, now) if row.due_at else ""),
        (_t("Material"), row.material),
        (_t("Machine"), row.machine or row.machine_type),
        (_t("Program"), program),
        (_t("SHA-256"), (row.program or "")[:16]),
        (_t("Cycle time per part"), time_a_part(row.estimated_s, doubtful=row.doubtful)),
    )
    sheet = content.sheet
    sections = [
        (_t("Notes"), content.job_notes),
        (_t("Notes for {program}").format(program=row.program_name), sheet.notes if sheet else ""),
    ]
    if sheet and sheet.first_part:
        asked = _t("To be checked in each run.   Checked by: ____________   Date: ____________")
        sections.append((_t("First part"), asked))
    drawn = {name for name, _ in pictures}
    others = [one.name for one in content.attachments if one.name not in drawn]
    sections.append((_t("Also attached"), "\n".join(others)))
    tables = ((_t("Tools"), content.tools()), (_t("Work offsets"), content.work_offsets()))
    printed = _t("Printed {when} by {who}")
    return Paper(
        title=row.title,
        code=job_code(row.id),
        facts=tuple((name, text) for name, text in facts if text),
        sections=tuple((name, text) for name, text in sections if text),
        tables=tuple((name, tuple(pairs)) for name, pairs in tables if pairs),
        pictures=tuple(pictures),
        foot=printed.format(when=formatting.moment(now, now), who=operator),
    )


def _t(english: str) -> str:
    return QCoreApplication.translate("Traveler", english)
