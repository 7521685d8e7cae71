"""The states of a job, a run and a machine, and groups of them."""

from enum import StrEnum


class JobState(StrEnum):
    """The state of a job. `QUEUED` means claimable now. Why a job waits is never a state."""

    DRAFT = "draft"
    QUEUED = "queued"
    DELAYED = "delayed"
    PAUSED = "paused"
    ASSIGNED = "assigned"
    RUNNING = "running"
    HELD = "held"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NEEDS_ATTENTION = "needs_attention"


class RunState(StrEnum):
    """The state of one attempt."""

    ASSIGNED = "assigned"
    RUNNING = "running"
    HELD = "held"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class MachineState(StrEnum):
    """The state of a machine, as known to its station."""

    OFFLINE = "offline"
    IDLE = "idle"
    ASSIGNED = "assigned"
    RUNNING = "running"
    HELD = "held"
    ALARM = "alarm"
    NEEDS_CLEARING = "needs_clearing"
    MAINTENANCE = "maintenance"


WAITING_JOBS = frozenset({JobState.QUEUED, JobState.DELAYED, JobState.PAUSED})
LIVE_JOBS = frozenset({JobState.ASSIGNED, JobState.RUNNING, JobState.HELD})
FINISHED_JOBS = frozenset({JobState.COMPLETED, JobState.CANCELLED})
OPEN_JOBS = frozenset(JobState) - FINISHED_JOBS
UNDECIDED_JOBS = frozenset({JobState.NEEDS_ATTENTION, JobState.INTERRUPTED})

LIVE_RUNS = frozenset({RunState.ASSIGNED, RunState.RUNNING, RunState.HELD})
FAILED_RUNS = frozenset({RunState.FAILED, RunState.INTERRUPTED})
BUSY_MACHINES = frozenset({MachineState.ASSIGNED, MachineState.RUNNING, MachineState.HELD})
