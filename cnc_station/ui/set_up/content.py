"""Everything about the set-up of a job or a program, as the panel shows it and paper has it."""

from dataclasses import dataclass

from cnc_station.engine.domain.event import Event
from cnc_station.engine.door import Door
from cnc_station.engine.queries import (
    JobById,
    ListAttachments,
    ListEvents,
    ProgramByHash,
    SetUpSheetOf,
)
from cnc_station.engine.views import JobDetail, ProgramDetail
from cnc_station.engine.views.attachments import AttachmentRow, SetUpSheet
from cnc_station.ui.set_up.notes import notes

_CHECKED, _ASSIGNED = "first_part_checked", "assigned"


@dataclass(frozen=True, slots=True)
class SetUpContent:
    """`checked`: that the first part of the present run was checked."""

    job: JobDetail | None
    program: ProgramDetail | None
    sheet: SetUpSheet | None
    attachments: tuple[AttachmentRow, ...]
    checked: Event | None = None

    @property
    def job_notes(self) -> str:
        """What the job itself says to the person at the machine."""
        if self.job is None:
            return ""
        return notes(self.job.row.notes, self.job.row.description, self.job.payload)

    def tools(self) -> list[tuple[str, str]]:
        """Each tool of the program with its name there and what a person added."""
        sheet = self.sheet.tools if self.sheet else {}
        named = dict(self.program.tools) if self.program else {}
        numbers = dict.fromkeys((*named, *sorted(sheet)))
        return [
            (f"T{number}", _joined(named.get(number, ""), sheet.get(number, "")))
            for number in numbers
        ]

    def work_offsets(self) -> list[tuple[str, str]]:
        """Each work offset of the program with what a person added."""
        sheet = self.sheet.work_offsets if self.sheet else {}
        used = self.program.work_offsets if self.program else ()
        return [(name, sheet.get(name, "")) for name in dict.fromkeys((*used, *sheet))]


async def of_job(door: Door, job_id: int) -> SetUpContent | None:
    """Return what concerns a job; None if there is no such job."""
    detail = await door.ask(JobById(job_id))
    if detail is None:
        return None
    sha256 = detail.row.program
    types = frozenset((_CHECKED, _ASSIGNED))
    told = await door.ask(ListEvents(job_id=job_id, types=types, newest=True, limit=20))
    last = told[-1] if told else None
    return SetUpContent(
        detail,
        await door.ask(ProgramByHash(sha256)) if sha256 else None,
        await door.ask(SetUpSheetOf(sha256)) if sha256 else None,
        await door.ask(ListAttachments(job_id=job_id)),
        last if last is not None and last.type == _CHECKED else None,
    )


async def of_program(door: Door, sha256: str) -> SetUpContent | None:
    """Return what concerns a program; None if it is not stored."""
    program = await door.ask(ProgramByHash(sha256))
    if program is None:
        return None
    sheet = await door.ask(SetUpSheetOf(sha256))
    return SetUpContent(None, program, sheet, await door.ask(ListAttachments(program=sha256)))


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
