"""Sentences that refuse an action: the state that forbids it, then what to do instead."""

from collections.abc import Mapping

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.states import (
    LIVE_JOBS,
    WAITING_JOBS,
    JobState,
    MachineState,
    RunState,
)
from cnc_station.engine.domain.transitions import Transition

J, R, M = JobState, RunState, MachineState

JOB_IS: Mapping[JobState, str] = {
    J.DRAFT: "{name} is a draft.",
    J.QUEUED: "{name} is queued.",
    J.DELAYED: "{name} is delayed.",
    J.PAUSED: "{name} is paused.",
    J.ASSIGNED: "{name} is assigned to a machine.",
    J.RUNNING: "{name} is running.",
    J.HELD: "{name} is on hold.",
    J.INTERRUPTED: "{name} was interrupted.",
    J.COMPLETED: "{name} is completed.",
    J.CANCELLED: "{name} is cancelled.",
    J.NEEDS_ATTENTION: "{name} needs attention.",
}
RUN_IS: Mapping[RunState, str] = {
    R.ASSIGNED: "Run {id} has not started.",
    R.RUNNING: "Run {id} is running.",
    R.HELD: "Run {id} is on hold.",
    R.SUCCEEDED: "Run {id} has succeeded.",
    R.FAILED: "Run {id} has failed.",
    R.CANCELLED: "Run {id} was cancelled.",
    R.INTERRUPTED: "Run {id} was interrupted.",
}
MACHINE_IS: Mapping[MachineState, str] = {
    M.OFFLINE: "{name} is offline.",
    M.IDLE: "{name} is idle.",
    M.ASSIGNED: "{name} has a job assigned.",
    M.RUNNING: "{name} is running.",
    M.HELD: "{name} is on hold.",
    M.ALARM: "{name} is in alarm.",
    M.NEEDS_CLEARING: "{name} needs clearing.",
    M.MAINTENANCE: "{name} is in maintenance.",
}

_AT_MACHINE = dict.fromkeys(LIVE_JOBS, "It is at its machine already.")
_OUT_OF_QUEUE = {
    J.DRAFT: "Submit it first.",
    **_AT_MACHINE,
    J.INTERRUPTED: "Retry it first.",
    J.COMPLETED: "Duplicate it to make it again.",
    J.CANCELLED: "Retry it first.",
    J.NEEDS_ATTENTION: "Retry it first.",
}
_NOTHING_TO_RESTORE = dict.fromkeys(J, "Only a cancelled job can be restored.")
_OVERRIDDEN = {
    **dict.fromkeys(J, "It has that state already."),
    **dict.fromkeys(LIVE_JOBS, "Abort it first, then set its state."),
}
_JOB_INSTEAD: Mapping[str, Mapping[JobState, str]] = {
    t.SUBMITTED.name: dict.fromkeys(J, "Only a draft can be submitted."),
    t.DELETED.name: {
        **dict.fromkeys(LIVE_JOBS, "Abort it instead; its history is kept."),
        J.COMPLETED: "Its history is kept.",
        J.INTERRUPTED: "Cancel it instead; its history is kept.",
        J.NEEDS_ATTENTION: "Discard it instead; its history is kept.",
    },
    t.POSTPONED.name: _OUT_OF_QUEUE,
    t.EXPEDITED.name: _OUT_OF_QUEUE,
    t.REORDERED.name: _OUT_OF_QUEUE,
    t.PINNED.name: _OUT_OF_QUEUE,
    t.PAUSED.name: {
        J.DRAFT: "It does not start before it is submitted.",
        J.PAUSED: "Resume it when it may start.",
        J.ASSIGNED: "Defer it instead.",
        J.RUNNING: "Hold it instead.",
        J.HELD: "Abort it to take it off its machine.",
        J.INTERRUPTED: "It does not start before somebody decides about it.",
        J.COMPLETED: "There is nothing left to pause.",
        J.CANCELLED: "There is nothing left to pause.",
        J.NEEDS_ATTENTION: "It does not start before somebody decides about it.",
    },
    t.RESUMED.name: {
        **dict.fromkeys(J, "Only a paused job can be resumed."),
        J.HELD: "Continue it instead.",
    },
    t.EDITED.name: {
        **dict.fromkeys(LIVE_JOBS, "Abort and retry it first, or edit a duplicate."),
        J.COMPLETED: "Edit a duplicate instead.",
        J.CANCELLED: "Retry it first, or edit a duplicate.",
    },
    t.CANCELLED.name: {
        **dict.fromkeys(LIVE_JOBS, "Abort it instead."),
        J.COMPLETED: "There is nothing left to cancel.",
        J.CANCELLED: "There is nothing left to cancel.",
    },
    t.RESTORED.name: _NOTHING_TO_RESTORE,
    t.RESTORED_PAUSED.name: _NOTHING_TO_RESTORE,
    t.RETRIED.name: {
        **dict.fromkeys(WAITING_JOBS, "It starts without a retry when a machine is free."),
        **dict.fromkeys(LIVE_JOBS, "Abort it first, then retry."),
        J.DRAFT: "Submit it instead.",
        J.PAUSED: "Resume it instead.",
        J.COMPLETED: "Duplicate it to make it again.",
    },
    t.SCRAPPED.name: {
        **dict.fromkeys(J, "It has no part to decide about."),
        **dict.fromkeys(LIVE_JOBS, "Count the scrap when you clear its machine."),
        J.COMPLETED: "Duplicate it to make its part again.",
    },
    t.DISCARDED.name: {
        **dict.fromkeys(WAITING_JOBS, "Cancel it instead."),
        **dict.fromkeys(LIVE_JOBS, "Abort it instead."),
        J.DRAFT: "Delete it instead.",
        J.INTERRUPTED: "Cancel it instead.",
        J.COMPLETED: "There is nothing left to discard.",
        J.CANCELLED: "There is nothing left to discard.",
    },
    t.ACCEPTED.name: dict.fromkeys(J, "Only an interrupted job has a part to accept."),
    t.FIRST_PART_CHECKED.name: dict.fromkeys(J, "Its first part can be checked while it runs."),
    **{row.name: _OVERRIDDEN for row in t.OVERRIDES.values()},
}

_NOT_STARTED_ONLY = "Only a run that has not started can be taken off its machine."
_AT_WORK_ONLY = "Only a run that has started can end so."
_FAILURE_NOT_RECORDED = "Its failure was not recorded."
_LOSS_NOT_RECORDED = "The loss of its station was not recorded."
_RUN_INSTEAD: Mapping[str, str] = {
    t.RETURNED.name: _NOT_STARTED_ONLY,
    t.DEFERRED.name: _NOT_STARTED_ONLY,
    t.STARTED.name: "Only a run that has not started can be started.",
    t.HELD.name: "Only a running program can be held.",
    t.CONTINUED.name: "Only a run on hold can be continued.",
    t.COMPLETED.name: _AT_WORK_ONLY,
    t.REQUEUED.name: _AT_WORK_ONLY,
    t.FAILED_RETRY.name: _FAILURE_NOT_RECORDED,
    t.FAILED_FINAL.name: _FAILURE_NOT_RECORDED,
    t.ABORTED.name: "There is nothing left to abort.",
    t.INTERRUPTED.name: "Its interruption was not recorded.",
    t.LOST_RETURNED.name: _LOSS_NOT_RECORDED,
    t.LOST_RETRY.name: _LOSS_NOT_RECORDED,
    t.LOST_FINAL.name: _LOSS_NOT_RECORDED,
    t.LOST_INTERRUPTED.name: _LOSS_NOT_RECORDED,
    t.REATTACHED.name: "Its station can't take it up again.",
}

_MACHINE_INSTEAD: Mapping[str, Mapping[MachineState, str]] = {
    t.MACHINE_MOVED.name: dict.fromkeys(M, "Move it to another station when its run is over."),
    t.MACHINE_REMOVED.name: dict.fromkeys(M, "Remove it when its run is over."),
    t.CONNECTED.name: dict.fromkeys(M, "It is connected already."),
    t.DISCONNECTED.name: dict.fromkeys(M, "It was not taken offline."),
    t.CLEARED.name: {
        **dict.fromkeys(M, "Clear it when its run is over."),
        M.OFFLINE: "Clear it when it is connected again.",
        M.IDLE: "There is nothing to clear.",
        M.ALARM: "Unlock it first, then clear it.",
        M.MAINTENANCE: "End the maintenance instead.",
    },
    t.ALARMED.name: dict.fromkeys(M, "Its alarm is recorded already."),
    t.UNLOCKED.name: dict.fromkeys(M, "There is no alarm to unlock."),
    t.MAINTENANCE_STARTED.name: {
        **dict.fromkeys(M, "Its maintenance can start when its run is over."),
        M.MAINTENANCE: "End the maintenance when it is done.",
    },
    t.MAINTENANCE_ASKED.name: dict.fromkeys(M, "Its maintenance can start now."),
    t.MAINTENANCE_ENDED.name: dict.fromkeys(M, "There is no maintenance to end."),
}


def job_refusal(transition: Transition, name: str, state: JobState) -> str:
    """Why job `name` may not make a transition without its machine."""
    return f"{JOB_IS[state].format(name=name)} {_JOB_INSTEAD[transition.name][state]}"


def run_refusal(transition: Transition, run_id: int, state: RunState) -> str:
    """Why run `run_id` may not make a transition."""
    return f"{RUN_IS[state].format(id=run_id)} {_RUN_INSTEAD[transition.name]}"


def machine_refusal(transition: Transition, name: str, state: MachineState) -> str:
    """Why machine `name` may not make a transition without a run."""
    return f"{MACHINE_IS[state].format(name=name)} {_MACHINE_INSTEAD[transition.name][state]}"


def interrupted_refusal(name: str) -> str:
    """Why job `name` is left out of what is done to many jobs."""
    is_so = JOB_IS[J.INTERRUPTED].format(name=name)
    return f"{is_so} Look at its part, then decide about this job alone."


def unfit_refusal(name: str, machine: str, why: str) -> str:
    """Why job `name` can't be pinned to a machine."""
    return f"{name} can't go to {machine}: it {why}."


def replay_refusal(delivery_id: int) -> str:
    """Why a delivery is not sent again."""
    why = "it is being sent, or its endpoint is disabled or deleted"
    return f"Delivery {delivery_id} can't be sent again: {why}."
