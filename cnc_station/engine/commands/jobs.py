"""What can be asked of jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnc_station.engine.commands.base import Command
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import Answer, Undo


@dataclass(frozen=True, slots=True)
class SubmitJobs(Command[tuple[int, ...]]):
    """Store new jobs, all or none; the answer is their ids in order. Raises InvalidInput."""

    specs: Sequence[JobSpec]


@dataclass(frozen=True, slots=True)
class EditJob(Command[None]):
    """Change fields of a job that is not at a machine (names: `domain.job.EDITABLE`). With
    `version`, refused if somebody changed the job meanwhile."""

    job_id: int
    changes: Mapping[str, Any]
    version: int | None = None


@dataclass(frozen=True, slots=True)
class DuplicateJob(Command[int]):
    """Store a copy of a job, waiting as if it came in now; the answer is its id."""

    job_id: int


@dataclass(frozen=True, slots=True)
class ActOnJobs(Command[tuple[Answer, ...]]):
    """Do one thing to many jobs; an answer for each, in order. `JobAction` says which action takes
    which of the fields after `reason`."""

    action: JobAction
    job_ids: Sequence[int]
    reason: str = ""
    before: int | None = None
    machine_id: int | None = None
    until: int | None = None
    state: JobState | None = None


@dataclass(frozen=True, slots=True)
class UndoJobActions(Command[tuple[Answer, ...]]):
    """Take back what `ActOnJobs` did, where the job has not changed since; an answer for each."""

    steps: Sequence[Undo]
