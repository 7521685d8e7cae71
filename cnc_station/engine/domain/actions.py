"""What people can ask of jobs and machines, and which transitions may answer."""

from collections.abc import Mapping
from enum import StrEnum

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.states import JobState


class JobAction(StrEnum):
    """What can be asked of jobs; the words in brackets are its arguments in `Commands.act`."""

    SUBMIT = "submit"
    PAUSE = "pause"
    RESUME = "resume"
    HOLD = "hold"
    CONTINUE = "continue"
    CANCEL = "cancel"  # a job that is not at a machine; for one that is, see ABORT
    ABORT = "abort"  # stops the controller and waits until it says so
    START = "start"  # its set-up is right; where nobody can start it from here: it was started
    FINISH = "finish"  # where the controller can't say so: it is done
    DEFER = "defer"  # not now: it leaves the machine, unstarted, and waits paused
    RUN_NOW = "run_now"
    REORDER = "reorder"  # [before: job id | None = to the end]
    PIN = "pin"  # [machine_id: int | None]
    DELAY = "delay"  # [until: ms]
    RETRY = "retry"
    DISCARD = "discard"
    ACCEPT = "accept"  # an interrupted job whose part is good
    SCRAP = "scrap"  # its part is scrap: count that, and make another
    OVERRIDE = "override"  # [state: JobState], and a reason
    DELETE = "delete"


class MachineAction(StrEnum):
    """What can be asked of a machine."""

    CLEAR = "clear"
    UNLOCK = "unlock"
    CONFIRM_POSITION = "confirm_position"  # a person vouches for the work zero
    RECONNECT = "reconnect"  # try now to reach its controller
    MAINTENANCE_ON = "maintenance_on"  # while it runs: after this run
    MAINTENANCE_OFF = "maintenance_off"
    REMOVE = "remove"


# The transitions an action may take, in the order they are tried: where a job can't be claimable
# yet (a time or a predecessor to wait for), the second, waiting one applies.
JOB_ACTIONS: Mapping[JobAction, tuple[t.Transition, ...]] = {
    JobAction.SUBMIT: (t.SUBMITTED, t.SUBMITTED_WAITING),
    JobAction.PAUSE: (t.PAUSED,),
    JobAction.RESUME: (t.RESUMED, t.RESUMED_WAITING),
    JobAction.HOLD: (t.HELD,),
    JobAction.CONTINUE: (t.CONTINUED,),
    JobAction.CANCEL: (t.CANCELLED,),
    JobAction.ABORT: (t.ABORTED,),
    JobAction.START: (t.STARTED,),
    JobAction.FINISH: (t.COMPLETED,),
    JobAction.DEFER: (t.DEFERRED,),
    JobAction.RUN_NOW: (t.EXPEDITED,),
    JobAction.REORDER: (t.REORDERED,),
    JobAction.PIN: (t.PINNED,),
    JobAction.DELAY: (t.POSTPONED,),
    JobAction.RETRY: (t.RETRIED, t.RETRIED_WAITING),
    JobAction.DISCARD: (t.DISCARDED,),
    JobAction.ACCEPT: (t.ACCEPTED,),
    JobAction.SCRAP: (t.SCRAPPED, t.SCRAPPED_WAITING),
    JobAction.OVERRIDE: tuple(t.OVERRIDES.values()),
    JobAction.DELETE: (t.DELETED,),
}

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
    """What may be asked of a job in this state."""
    return frozenset(
        action
        for action, rows in JOB_ACTIONS.items()
        if any(row.job is not None and state in row.job.sources for row in rows)
    )
