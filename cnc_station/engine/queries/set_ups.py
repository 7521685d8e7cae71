"""Attachments and set-up sheets."""

from dataclasses import dataclass

from cnc_station.engine.queries.base import Query
from cnc_station.engine.views.attachments import AttachedFile, AttachmentRow, SetUpSheet


@dataclass(frozen=True, slots=True)
class ListAttachments(Query[tuple[AttachmentRow, ...]]):
    """What is attached to a job and to its program, the job's own first, or to the program with
    this SHA-256, in the order in which it was added."""

    job_id: int | None = None
    program: str | None = None


@dataclass(frozen=True, slots=True)
class AttachmentContent(Query[AttachedFile | None]):
    """An attachment with its bytes."""

    attachment_id: int


@dataclass(frozen=True, slots=True)
class SetUpSheetOf(Query[SetUpSheet | None]):
    """The set-up sheet of the program with this SHA-256; None if there is no such program."""

    program: str
