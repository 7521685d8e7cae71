"""What is attached to jobs and programs, and the set-up sheet of a program."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnc_station.engine.domain.attachments import AttachmentKind


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A file attached to a job, or to a program under all revisions of its name: then `job_id` is
    None, and `revision` is the one that was the newest when it was added."""

    id: int
    job_id: int | None
    program: str | None
    revision: int | None
    sha256: str
    name: str
    kind: AttachmentKind
    size: int
    width: int | None
    height: int | None
    added_at: int
    added_by: str

    @property
    def media_type(self) -> str:
        return self.kind.media_type


@dataclass(frozen=True, slots=True)
class AddedAttachment(AttachmentRow):
    """A file that was sent. `created`: the same bytes were not attached there before."""

    created: bool


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """An attachment with its bytes."""

    row: AttachmentRow
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetUpSheet:
    """What people wrote for a program: about its tools by number, and its work offsets by name
    ("G54"). `first_part`: the first part of a run is to be checked. `version` is 0 before anybody
    wrote anything."""

    program: str
    version: int = 0
    notes: str = ""
    tools: Mapping[int, str] = field(default_factory=dict)
    work_offsets: Mapping[str, str] = field(default_factory=dict)
    first_part: bool = False
    edited_at: int | None = None
    edited_by: str = ""
