"""Changes of schedules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cnc_station.engine.commands.base import Command
from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.domain.admission import REASON, TRACE
from cnc_station.engine.domain.schedule import Schedule
from cnc_station.engine.views import Answer


@dataclass(frozen=True, slots=True)
class CreateSchedule(Command[int]):
    """Store a schedule; the answer is its id. Raises InvalidInput."""

    spec: Schedule


@dataclass(frozen=True, slots=True)
class EditSchedule(Command[None]):
    """Replace a schedule, paused or not as it is. With `version`, refused if somebody changed it
    meanwhile. A change of its times counts from now on. Raises InvalidInput."""

    schedule_id: int
    spec: Schedule
    version: int | None = None


@dataclass(frozen=True, slots=True)
class PauseSchedule(Command[tuple[int, ...]]):
    """Pause a schedule; None: all of them. The answer is the ids of those that changed."""

    TEXTS: ClassVar = {"reason": REASON}

    schedule_id: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResumeSchedule(Command[tuple[int, ...]]):
    """Resume a paused schedule with its first time that is still to come; None: all of them. The
    answer is the ids of those that changed."""

    schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class TriggerSchedule(Command[int]):
    """Make a job of a schedule now; the answer is its id. Raises Conflict if a job of it is open
    and its overlap policy does not allow another one."""

    TEXTS: ClassVar = {"trace_id": TRACE}

    schedule_id: int
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class ActOnSchedules(Command[tuple[Answer, ...]]):
    """Do one thing to many schedules; an answer for each, in order."""

    TEXTS: ClassVar = {"reason": REASON, "trace_id": TRACE}

    action: ScheduleAction
    schedule_ids: Sequence[int]
    reason: str = ""
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class DeleteSchedule(Command[None]):
    """Delete a schedule with its history; its jobs stay."""

    schedule_id: int
