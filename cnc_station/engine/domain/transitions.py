"""The table of named transitions of jobs, runs and machines.

Every change of state is a row of this table. The writer turns each row into guarded updates,
`replay` folds a job's events over the same rows, and the property tests walk them. The name of a
transition is also the type of its event.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from cnc_station.engine.domain.states import (
    BUSY_MACHINES,
    LIVE_JOBS,
    LIVE_RUNS,
    UNDECIDED_JOBS,
    WAITING_JOBS,
    JobState,
    MachineState,
    RunState,
)

S = TypeVar("S", JobState, RunState, MachineState)
J, R, M = JobState, RunState, MachineState


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """The change of one subject: from any of `sources` (empty: it is created) to `target`.

    A `target` of None keeps the state. `if_waiting` is the target of a job that must wait for a
    time or a predecessor; a job without one is refused while it waits for a predecessor.
    """

    sources: frozenset[S]
    target: S | None
    if_waiting: S | None = None

    def allows(self, state: S | None) -> bool:
        """Whether a subject in `state` (None: not created yet) may take this step."""
        return state in self.sources if self.sources else state is None

    def leads_to(self, state: S | None) -> frozenset[S | None]:
        """The states that a subject in `state` may be in after this step."""
        reached = frozenset({self.target or state})
        return reached | {self.if_waiting} if self.if_waiting else reached


@dataclass(frozen=True, slots=True)
class MachineStep:
    """The change of the machine in a run's transition.

    `to_rest` moves it to its resting state: maintenance if requested, otherwise needs_clearing if
    its operator clears it, otherwise idle. A machine in a state that the step `keeps` stays there.

    An `untouched` machine, on which nothing was started, needs no clearing. A machine that goes
    offline stores whether it needs clearing for its return.

    With `required` the run cannot change without its machine. Otherwise a machine in another state
    (in alarm, for example) stays there.
    """

    sources: frozenset[MachineState]
    target: MachineState | None = None
    to_rest: bool = False
    untouched: bool = False
    required: bool = True
    keeps: frozenset[MachineState] = frozenset()

    def target_from(self, state: MachineState) -> MachineState:
        """The target of a machine in `state` that does not go to rest."""
        return state if self.target is None or state in self.keeps else self.target


@dataclass(frozen=True, slots=True)
class Transition:
    """One named change of a job, and of its run and machine if it has them."""

    name: str
    job: Step[JobState] | None = None
    run: Step[RunState] | None = None
    machine: MachineStep | None = None


_table: dict[str, Transition] = {}


def _row(
    name: str,
    job: Step[JobState] | None = None,
    run: Step[RunState] | None = None,
    machine: MachineStep | None = None,
) -> Transition:
    row = _table[name] = Transition(name, job, run, machine)
    return row


def _job(sources: set[JobState] | frozenset[JobState], target: JobState | None) -> Step[JobState]:
    return Step(frozenset(sources), target)


def _queue(sources: set[JobState] | frozenset[JobState]) -> Step[JobState]:
    return Step(frozenset(sources), J.QUEUED, if_waiting=J.DELAYED)


def _run(sources: set[RunState] | frozenset[RunState], target: RunState) -> Step[RunState]:
    return Step(frozenset(sources), target)


def _at(state: MachineState, target: MachineState) -> MachineStep:
    return MachineStep(frozenset({state}), target)


_REST = MachineStep(BUSY_MACHINES, to_rest=True, required=False)
_LEFT_UNTOUCHED = MachineStep(frozenset({M.ASSIGNED}), to_rest=True, untouched=True, required=False)
_GONE = MachineStep(BUSY_MACHINES, M.OFFLINE, required=False)
_GONE_UNTOUCHED = MachineStep(BUSY_MACHINES, M.OFFLINE, untouched=True, required=False)
_NOT_STARTED = WAITING_JOBS | {J.DRAFT}
_SETTLED = _NOT_STARTED | UNDECIDED_JOBS | {J.CANCELLED, J.COMPLETED}

# Creation and deletion
DRAFTED = _row("drafted", _job(set(), J.DRAFT))
CREATED = _row("created", _queue(set()))
SUBMITTED = _row("submitted", _queue({J.DRAFT}))
DELETED = _row("deleted", _job(_NOT_STARTED | {J.CANCELLED}, None))

# Waiting
RELEASED = _row("released", _job({J.DELAYED}, J.QUEUED))
POSTPONED = _row("postponed", _job(WAITING_JOBS, J.DELAYED))
PAUSED = _row("paused", _job({J.QUEUED, J.DELAYED}, J.PAUSED))
RESUMED = _row("resumed", _queue({J.PAUSED}))
EXPEDITED = _row("expedited", _job(WAITING_JOBS, J.QUEUED))
REORDERED = _row("reordered", _job(WAITING_JOBS, None))
PINNED = _row("pinned", _job(WAITING_JOBS, None))
EDITED = _row("edited", _job(_NOT_STARTED | UNDECIDED_JOBS, None))

# In any state
FILE_ATTACHED = _row("file_attached", _job(set(JobState), None))
FILE_REMOVED = _row("file_removed", _job(set(JobState), None))

# One attempt
ASSIGNED = _row(
    "assigned", _job({J.QUEUED}, J.ASSIGNED), _run(set(), R.ASSIGNED), _at(M.IDLE, M.ASSIGNED)
)
RETURNED = _row(
    "returned", _job({J.ASSIGNED}, J.QUEUED), _run({R.ASSIGNED}, R.CANCELLED), _LEFT_UNTOUCHED
)
DEFERRED = _row(
    "deferred", _job({J.ASSIGNED}, J.PAUSED), _run({R.ASSIGNED}, R.CANCELLED), _LEFT_UNTOUCHED
)
STARTED = _row(
    "started",
    _job({J.ASSIGNED}, J.RUNNING),
    _run({R.ASSIGNED}, R.RUNNING),
    _at(M.ASSIGNED, M.RUNNING),
)
HELD = _row("held", _job({J.RUNNING}, J.HELD), _run({R.RUNNING}, R.HELD), _at(M.RUNNING, M.HELD))
CONTINUED = _row(
    "continued", _job({J.HELD}, J.RUNNING), _run({R.HELD}, R.RUNNING), _at(M.HELD, M.RUNNING)
)
PART_DONE = _row("part_done", _job({J.RUNNING, J.HELD}, None))  # one of several, not the last
MODES_SET = _row("modes_set", _job({J.RUNNING, J.HELD}, None))
FIRST_PART_CHECKED = _row("first_part_checked", _job({J.RUNNING, J.HELD}, None))  # by a person
COMPLETED = _row(
    "completed",
    _job({J.RUNNING, J.HELD}, J.COMPLETED),
    _run({R.RUNNING, R.HELD}, R.SUCCEEDED),
    _REST,
)
REQUEUED = _row(
    "requeued",
    _job({J.RUNNING, J.HELD}, J.QUEUED),
    _run({R.RUNNING, R.HELD}, R.CANCELLED),
    MachineStep(BUSY_MACHINES, to_rest=True, untouched=True, required=False),
)
FAILED_RETRY = _row("failed_retry", _job(LIVE_JOBS, J.DELAYED), _run(LIVE_RUNS, R.FAILED), _REST)
FAILED_FINAL = _row(
    "failed_final", _job(LIVE_JOBS, J.NEEDS_ATTENTION), _run(LIVE_RUNS, R.FAILED), _REST
)
ABORTED = _row("aborted", _job(LIVE_JOBS, J.CANCELLED), _run(LIVE_RUNS, R.CANCELLED), _REST)
INTERRUPTED = _row(
    "interrupted", _job(LIVE_JOBS, J.INTERRUPTED), _run(LIVE_RUNS, R.INTERRUPTED), _REST
)

# Its station is gone: no contact with the run until its lease ended
LOST_RETURNED = _row(
    "lost_returned", _job({J.ASSIGNED}, J.QUEUED), _run({R.ASSIGNED}, R.CANCELLED), _GONE_UNTOUCHED
)
LOST_RETRY = _row("lost_retry", _job(LIVE_JOBS, J.DELAYED), _run(LIVE_RUNS, R.FAILED), _GONE)
LOST_FINAL = _row(
    "lost_final", _job(LIVE_JOBS, J.NEEDS_ATTENTION), _run(LIVE_RUNS, R.FAILED), _GONE
)
LOST_INTERRUPTED = _row(
    "lost_interrupted", _job(LIVE_JOBS, J.INTERRUPTED), _run(LIVE_RUNS, R.INTERRUPTED), _GONE
)

# A station found a run that it had lost, still under way at the machine. If the run was given up in
# between, its machine was released too.
REATTACHED = _row(
    "reattached",
    _job({J.RUNNING, J.HELD, J.INTERRUPTED}, J.RUNNING),
    _run({R.RUNNING, R.HELD, R.INTERRUPTED}, R.RUNNING),
    MachineStep(frozenset({M.RUNNING, M.HELD, M.IDLE, M.OFFLINE, M.NEEDS_CLEARING}), M.RUNNING),
)
INSPECTED = _row("inspected", _job({J.INTERRUPTED}, None))

# Decided by a person
CANCELLED = _row("cancelled", _job(_NOT_STARTED | UNDECIDED_JOBS, J.CANCELLED))
RESTORED = _row("restored", _queue({J.CANCELLED}))
RESTORED_PAUSED = _row("restored_paused", _job({J.CANCELLED}, J.PAUSED))
RETRIED = _row("retried", _queue(UNDECIDED_JOBS | {J.CANCELLED}))
SCRAPPED = _row("scrapped", _queue(UNDECIDED_JOBS))
DISCARDED = _row("discarded", _job({J.NEEDS_ATTENTION}, J.CANCELLED))
ACCEPTED = _row("accepted", _job({J.INTERRUPTED}, J.COMPLETED))

OVERRIDES: dict[JobState, Transition] = {
    state: _row(f"overridden_to_{state}", _job(_SETTLED - {state}, state))
    for state in (J.QUEUED, J.PAUSED, J.COMPLETED, J.CANCELLED, J.NEEDS_ATTENTION)
}

# Machine only
MACHINE_ADDED = _row("machine_added", machine=MachineStep(frozenset(), M.OFFLINE))
MACHINE_EDITED = _row("machine_edited", machine=MachineStep(frozenset(M)))
MACHINE_MOVED = _row(  # a state that only a person or the controller can end stays
    "machine_moved",
    machine=MachineStep(
        frozenset(M) - BUSY_MACHINES,
        M.OFFLINE,
        keeps=frozenset({M.NEEDS_CLEARING, M.ALARM, M.MAINTENANCE}),
    ),
)
MACHINE_REMOVED = _row("machine_removed", machine=MachineStep(frozenset(M) - BUSY_MACHINES))
CONNECTED = _row(
    "connected", machine=MachineStep(frozenset({M.OFFLINE}), to_rest=True, untouched=True)
)
DISCONNECTED = _row("disconnected", machine=_at(M.IDLE, M.OFFLINE))
CLEARED = _row("cleared", machine=_at(M.NEEDS_CLEARING, M.IDLE))
READINESS_CHANGED = _row("readiness_changed", machine=MachineStep(frozenset(M)))
POSITION_CHANGED = _row("position_changed", machine=MachineStep(frozenset(M)))
ALARMED = _row("alarmed", machine=MachineStep(frozenset(M) - {M.ALARM}, M.ALARM))
UNLOCKED = _row("unlocked", machine=MachineStep(frozenset({M.ALARM}), to_rest=True))
MAINTENANCE_STARTED = _row(
    "maintenance_started",
    machine=MachineStep(frozenset({M.IDLE, M.NEEDS_CLEARING, M.ALARM, M.OFFLINE}), M.MAINTENANCE),
)
MAINTENANCE_ASKED = _row("maintenance_asked", machine=MachineStep(BUSY_MACHINES))
MAINTENANCE_ENDED = _row(
    "maintenance_ended",
    machine=MachineStep(frozenset({M.MAINTENANCE}), to_rest=True, untouched=True),
)

# The shop
STATION_JOINED = _row("station_joined")
STATION_LEFT = _row("station_left")
LEADER_CHANGED = _row("leader_changed")
SETTINGS_CHANGED = _row("settings_changed")
PROGRAM_ADDED = _row("program_added")
SET_UP_SHEET_CHANGED = _row("set_up_sheet_changed")  # of a program, or its attachments
WEBHOOKS_CHANGED = _row("webhooks_changed")
ALERT_RULES_CHANGED = _row("alert_rules_changed")
ACCOUNTS_CHANGED = _row("accounts_changed")
SIGNED_ON = _row("signed_on")
SIGNED_OFF = _row("signed_off")
SIGN_ON_REFUSED = _row("sign_on_refused")
ALERT_ACKNOWLEDGED = _row("alert_acknowledged")
ALERT_ESCALATED = _row("alert_escalated")
ALERTS_TOLD = _row("alerts_told")  # to a window, a desktop or a speaker, which present it now

# Schedules
SCHEDULE_CREATED = _row("schedule_created")
SCHEDULE_EDITED = _row("schedule_edited")
SCHEDULE_PAUSED = _row("schedule_paused")
SCHEDULE_RESUMED = _row("schedule_resumed")
SCHEDULE_DELETED = _row("schedule_deleted")
SCHEDULE_TRIGGERED = _row("schedule_triggered")  # by a person
SCHEDULE_FIRED = _row("schedule_fired")
SCHEDULE_WAITED = _row("schedule_waited")  # for its open job
SCHEDULE_SKIPPED = _row("schedule_skipped")  # its job was open
SCHEDULE_MISSED = _row("schedule_missed")
SCHEDULE_FAILED = _row("schedule_failed")  # its job could not be made

TRANSITIONS: dict[str, Transition] = _table
JOB_TRANSITIONS = {name: row for name, row in _table.items() if row.job is not None}
