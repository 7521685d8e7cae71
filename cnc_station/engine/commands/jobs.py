"""Changes of jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnc_station.engine.commands.base import MOST_IN_BATCH, Command
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.admission import FILE_NAME, REASON, TRACE
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import Answer, BulkCursor, BulkStep, JobFilter, Undo


@dataclass(frozen=True, slots=True)
class SubmitJobs(Command[tuple[int, ...]]):
    """Store new jobs, all or none; the answer is their ids in order. Raises InvalidInput.

    `trace_id`, here and in the other commands that create jobs, is the trace that they keep for
    life; "": each job gets a new one.
    """

    TEXTS: ClassVar = {"trace_id": TRACE}

    specs: Sequence[JobSpec]
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class EditJob(Command[None]):
    """Change fields of a job that is not at a machine (names: `domain.job.EDITABLE`). With
    `version`, refused if somebody changed the job meanwhile. With `retry`, the job is retried in
    the same transaction: if one of the two is refused, nothing is changed."""

    job_id: int
    changes: Mapping[str, Any]
    version: int | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True)
class DuplicateJob(Command[int]):
    """Store a copy of a job, waiting as if it came in now; the answer is its id."""

    TEXTS: ClassVar = {"trace_id": TRACE}

    job_id: int
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class ActOnJobs(Command[tuple[Answer, ...]]):
    """Do one thing to many jobs; an answer for each, in order. `JobAction` says which action takes
    which of the fields after `reason`."""

    TEXTS: ClassVar = {"reason": REASON}

    action: JobAction
    job_ids: Sequence[int]
    reason: str = ""
    before: int | None = None
    machine_id: int | None = None
    until: int | None = None
    state: JobState | None = None


@dataclass(frozen=True, slots=True)
class ActOnMatchingJobs(Command[BulkStep]):
    """Do one of `domain.actions.BULK_ACTIONS` to the jobs that `chosen` selects, one batch of at
    most `limit` jobs in a transaction; `engine.bulk` does them all. The first batch has no
    `cursor`: if `chosen` selects another number of jobs than `expected_count`, it raises Conflict
    and changes nothing. Each later one takes the cursor of the step before. Raises InvalidInput
    for a filter that selects every job, or another action."""

    TEXTS: ClassVar = {"reason": REASON}

    action: JobAction
    chosen: JobFilter
    expected_count: int
    reason: str = ""
    machine_id: int | None = None
    until: int | None = None
    state: JobState | None = None
    cursor: BulkCursor | None = None
    limit: int = MOST_IN_BATCH


@dataclass(frozen=True, slots=True)
class UndoJobActions(Command[tuple[Answer, ...]]):
    """Take back what `ActOnJobs` did, where the job has not changed since; an answer for each."""

    steps: Sequence[Undo]


@dataclass(frozen=True, slots=True)
class ImportJobs(Command[tuple[int, ...]]):
    """Import every row of a CSV or XLSX table or none; `mapping` and `reading` as in
    `PreviewImport`. A row whose external id a job has edits that job if it has not started. The
    answer is the ids of the jobs of all rows. Raises InvalidInput."""

    TEXTS: ClassVar = {"name": FILE_NAME, "trace_id": TRACE}

    name: str
    content: bytes = field(repr=False)
    mapping: Mapping[str, str] | None = None
    reading: str = ""
    trace_id: str = ""
