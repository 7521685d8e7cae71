"""The actions on jobs and machines, and the transitions that each may take."""

from collections.abc import Mapping
from enum import StrEnum

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.states import JobState


class JobAction(StrEnum):
    """An action on jobs. The words in brackets are its arguments in `Commands.act`."""

    SUBMIT = "submit"
    PAUSE = "pause"
    RESUME = "resume"
    HOLD = "hold"
    CONTINUE = "continue"
    CANCEL = "cancel"  # a job that is not at a machine; see ABORT for one that is
    ABORT = "abort"  # stops the controller and waits for its confirmation
    START = "start"  # confirms the set-up; on a machine without remote start: it was started
    FINISH = "finish"  # the operator states that it is done, if the controller cannot
    DEFER = "defer"  # takes an unstarted job off its machine and pauses it
    RUN_NOW = "run_now"
    REORDER = "reorder"  # [before: job id | None = to the end]
    PIN = "pin"  # [machine_id: int | None]
    DELAY = "delay"  # [until: ms]
    RETRY = "retry"
    DISCARD = "discard"
    ACCEPT = "accept"  # an interrupted job whose part is good
    SCRAP = "scrap"  # counts its part as scrap and makes another
    OVERRIDE = "override"  # [state: JobState], and a reason
    DELETE = "delete"


class MachineAction(StrEnum):
    """An action on a machine."""

    CLEAR = "clear"
    UNLOCK = "unlock"
    CONFIRM_POSITION = "confirm_position"  # a person confirms the work zero
    RECONNECT = "reconnect"  # connects to its controller now
    MAINTENANCE_ON = "maintenance_on"  # while it runs: takes effect after this run
    MAINTENANCE_OFF = "maintenance_off"
    REMOVE = "remove"


class ScheduleAction(StrEnum):
    """An action on schedules."""

    PAUSE = "pause"
    RESUME = "resume"
    TRIGGER = "trigger"  # makes a job now
    DELETE = "delete"  # with its history; its jobs stay


# OVERRIDE is not among these: its transition depends on the state that is asked for.
JOB_ACTIONS: Mapping[JobAction, t.Transition] = {
    JobAction.SUBMIT: t.SUBMITTED,
    JobAction.PAUSE: t.PAUSED,
    JobAction.RESUME: t.RESUMED,
    JobAction.HOLD: t.HELD,
    JobAction.CONTINUE: t.CONTINUED,
    JobAction.CANCEL: t.CANCELLED,
    JobAction.ABORT: t.ABORTED,
    JobAction.START: t.STARTED,
    JobAction.FINISH: t.COMPLETED,
    JobAction.DEFER: t.DEFERRED,
    JobAction.RUN_NOW: t.EXPEDITED,
    JobAction.REORDER: t.REORDERED,
    JobAction.PIN: t.PINNED,
    JobAction.DELAY: t.POSTPONED,
    JobAction.RETRY: t.RETRIED,
    JobAction.DISCARD: t.DISCARDED,
    JobAction.ACCEPT: t.ACCEPTED,
    JobAction.SCRAP: t.SCRAPPED,
    JobAction.DELETE: t.DELETED,
}

# What may be done to all jobs that match a filter. A machine, and the part at it, is decided about
# alone; and all of them can't be moved in front of one.
BULK_ACTIONS = frozenset(
    {
        JobAction.SUBMIT,
        JobAction.PAUSE,
        JobAction.RESUME,
        JobAction.CANCEL,
        JobAction.RUN_NOW,
        JobAction.PIN,
        JobAction.DELAY,
        JobAction.RETRY,
        JobAction.DISCARD,
        JobAction.OVERRIDE,
        JobAction.DELETE,
    }
)

# Of several transitions the first that the machine's state allows is made.
MACHINE_ACTIONS: Mapping[MachineAction, tuple[t.Transition, ...]] = {
    MachineAction.CLEAR: (t.CLEARED,),
    MachineAction.UNLOCK: (t.UNLOCKED,),
    MachineAction.CONFIRM_POSITION: (t.POSITION_CHANGED,),
    MachineAction.RECONNECT: (t.CONNECTED,),
    MachineAction.MAINTENANCE_ON: (t.MAINTENANCE_STARTED, t.MAINTENANCE_ASKED),
    MachineAction.MAINTENANCE_OFF: (t.MAINTENANCE_ENDED,),
    MachineAction.REMOVE: (t.MACHINE_REMOVED,),
}


def allowed(state: JobState) -> frozenset[JobAction]:
    """The actions allowed on a job in this state."""
    asked = [*JOB_ACTIONS.items(), *((JobAction.OVERRIDE, row) for row in t.OVERRIDES.values())]
    return frozenset(a for a, row in asked if row.job is not None and state in row.job.sources)
