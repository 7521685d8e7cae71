"""Changes of what a person needs at the machine: attachments and set-up sheets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from cnc_station.engine.commands.base import Command
from cnc_station.engine.domain.admission import FILE_NAME, REASON, Text
from cnc_station.engine.views.attachments import AddedAttachment


@dataclass(frozen=True, slots=True)
class AttachFile(Command[tuple[AddedAttachment, ...]]):
    """Attach a PDF, PNG or JPEG to jobs, to all or none, or to the program with this SHA-256, under
    all revisions of its name. The answer is the attachments, in order; what has the same bytes
    attached already keeps that attachment. Raises InvalidInput, Conflict."""

    TEXTS: ClassVar = {"name": FILE_NAME}

    name: str
    content: bytes = field(repr=False)
    job_ids: Sequence[int] = ()
    program: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveAttachment(Command[None]):
    """Raises Conflict if there is none of this number."""

    attachment_id: int


@dataclass(frozen=True, slots=True)
class EditSetUpSheet(Command[None]):
    """Replace what people wrote for the program with this SHA-256, for all revisions of its name.
    `version` is the one that was seen. Raises InvalidInput, Conflict."""

    TEXTS: ClassVar = {"notes": Text(10_000, lines=True)}

    program: str
    notes: str = ""
    tools: Mapping[int, str] = field(default_factory=dict)
    work_offsets: Mapping[str, str] = field(default_factory=dict)
    first_part: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class CheckFirstPart(Command[None]):
    """Record that a person checked the first part of a job at a machine. Raises Conflict."""

    TEXTS: ClassVar = {"reason": REASON}

    job_id: int
    reason: str = ""
