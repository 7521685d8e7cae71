"""The next step of a job, or why it waits, in an operator's words. It is computed from the present
state and is never a state of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from cnc_station.engine.domain.forecast import ForecastSlot, MachineNow, MachinePool, Queued
from cnc_station.engine.domain.machine import Need, no_machine
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.domain.time_text import clock, countdown

_NOT_SERVING = {
    MachineState.MAINTENANCE: "is in maintenance",
    MachineState.ALARM: "has an alarm",
    MachineState.OFFLINE: "is offline",
}
_WAITS_FOR_A_PERSON = {MachineState.NEEDS_CLEARING, MachineState.HELD}
_PREDECESSOR = {
    JobState.NEEDS_ATTENTION: "failed and needs attention",
    JobState.CANCELLED: "was cancelled",
    JobState.INTERRUPTED: "was interrupted: decide about it first",
    JobState.PAUSED: "is paused",
    JobState.DRAFT: "is still a draft",
}


@dataclass(frozen=True, slots=True)
class Predecessor:
    """A job that must complete first and has not yet."""

    title: str
    state: JobState


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What determines the next step of a job.

    `retry_limit` is the limit in force. `machine` is the name of its present or last machine, or of
    the handler of an `automation`; `installed`: this station has that handler;
    `not_allowed`: what it asks for and this station does not allow. `paused_by` is the
    person who paused it; "" if unknown. `set_up`: a person must set it up at the machine and
    confirm.
    """

    id: int
    state: JobState
    since: int
    need: Need
    retry_limit: int = 2
    failures: int = 0
    last_error: str = ""
    not_before: int | None = None
    blocked: bool = False
    pinned_machine_id: int | None = None
    automation: bool = False
    installed: bool = True
    not_allowed: str = ""
    machine: str = ""
    finished_at: int | None = None
    paused_by: str = ""
    set_up: bool = False
    predecessors: Sequence[Predecessor] = ()


@dataclass(frozen=True, slots=True)
class ShopSnapshot:
    """The shop at one moment. `head` holds the first queued jobs of each machine type in queue
    order, `slots` their forecasts."""

    now: int
    fleet: MachinePool
    head: Mapping[str, Sequence[Queued]]
    slots: Mapping[int, ForecastSlot]
    zone: tzinfo | None = None

    def clock(self, at: int) -> str:
        return clock(at, self.now, self.zone)


def next_words(job: QueueStatus, shop: ShopSnapshot) -> str:
    """Return one short line: the next step of this job, or what it waits for. Never empty."""
    return _WORDS[job.state](job, shop)


def _queued(job: QueueStatus, shop: ShopSnapshot) -> str:
    if job.automation:
        return _for_a_slot(job)
    if job.pinned_machine_id is not None:
        return _pinned(job, job.pinned_machine_id, shop)
    fitting = shop.fleet.fitting(job.need)
    if not fitting:
        return no_machine(job.need, shop.fleet.capabilities(job.need.machine_type))
    if not any(machine.serves for machine in fitting):
        return _none_serves(fitting)
    slot = shop.slots.get(job.id)
    if slot is None:
        return _far_back(job, shop)
    return _forecast(slot, shop)


def _for_a_slot(job: QueueStatus) -> str:
    if not job.installed:
        return f"waits for a station with the handler {job.machine}: this one does not have it"
    if job.not_allowed:
        return f"waits for a station that allows {job.not_allowed}: this one does not"
    return "waits for a worker slot"


def _forecast(slot: ForecastSlot, shop: ShopSnapshot) -> str:
    name, state = slot.machine.name, slot.machine.state
    if slot.ahead:
        return f"behind {_jobs(slot.ahead)}, {name} {_when(slot, shop)}"
    if state is MachineState.IDLE:
        return f"starting on {name}"
    if state is MachineState.NEEDS_CLEARING:
        return f"{name} is not cleared"
    if state is MachineState.HELD or slot.machine.set_up:
        return f"next on {name}, which {_when(slot, shop)}"
    return f"next on {name}, {_when(slot, shop)}"


def _when(slot: ForecastSlot, shop: ShopSnapshot) -> str:
    if slot.machine.state is MachineState.NEEDS_CLEARING:
        return "is not cleared"
    if slot.machine.state is MachineState.HELD:
        return "is held"
    if slot.machine.set_up:
        return "is being set up"
    if slot.start_at is None:
        return "at an unknown time"
    if slot.start_at <= shop.now:
        return "any moment"
    return f"about {shop.clock(slot.start_at)}"


def _pinned(job: QueueStatus, machine_id: int, shop: ShopSnapshot) -> str:
    machine = shop.fleet.by_id.get(machine_id)
    if machine is None:
        return "pinned to a machine that is gone"
    if obstacle := _obstacle(job.need, machine):
        return f"pinned to {machine.name}, which {obstacle}"
    slot = shop.slots.get(job.id)
    if slot is None:
        return f"pinned to {machine.name}, {_far_back(job, shop)}"
    return f"pinned to {machine.name}, {_pinned_turn(slot, shop)}"


def _obstacle(need: Need, machine: MachineNow) -> str:
    if machine.capability.machine_type != need.machine_type:
        return f"is not a {need.machine_type}"
    if refusal := machine.capability.refusal(need):
        return refusal
    return "" if machine.serves else _absence(machine)


def _pinned_turn(slot: ForecastSlot, shop: ShopSnapshot) -> str:
    if slot.ahead:
        return f"behind {_jobs(slot.ahead)}"
    if slot.machine.state is MachineState.IDLE:
        return "starting"
    if slot.machine.set_up or slot.machine.state in _WAITS_FOR_A_PERSON:
        return f"which {_when(slot, shop)}"
    return f"which is running: next, {_when(slot, shop)}"


def _far_back(job: QueueStatus, shop: ShopSnapshot) -> str:
    head = shop.head.get(job.need.machine_type, ())
    return f"{len(head)}+ jobs ahead" if head else "waits its turn"


def _none_serves(fitting: Sequence[MachineNow]) -> str:
    if len(fitting) == 1:
        return f"only {fitting[0].name} fits, and it {_absence(fitting[0])}"
    named = " and ".join(f"{machine.name} {_absence(machine)}" for machine in fitting[:2])
    more = len(fitting) - 2
    if more <= 0:
        return named
    return f"{named}, and {more} more {'is' if more == 1 else 'are'} unavailable"


def _absence(machine: MachineNow) -> str:
    if machine.state in _NOT_SERVING:
        return _NOT_SERVING[machine.state]
    return "goes into maintenance" if machine.leaving else f"is not ready ({machine.not_ready})"


def _delayed(job: QueueStatus, shop: ShopSnapshot) -> str:
    if job.predecessors or job.blocked:
        return _after(job.predecessors)
    if job.not_before is None or job.not_before <= shop.now:
        return "due now"
    if not job.failures:
        return f"waits until {shop.clock(job.not_before)}"
    left = job.not_before - shop.now
    when = f"in {countdown(left)}" if left < 86_400_000 else shop.clock(job.not_before)
    return f"retry {when}, attempt {job.failures + 1} of {max(job.retry_limit, job.failures) + 1}"


def _after(predecessors: Sequence[Predecessor]) -> str:
    if not predecessors:
        return "waits for another job"
    worst = min(predecessors, key=lambda one: _WORST_FIRST.get(one.state, len(_WORST_FIRST)))
    others = len(predecessors) - 1
    more = f", and for {others} more" if others else ""
    why = f", which {_PREDECESSOR[worst.state]}" if worst.state in _PREDECESSOR else ""
    return f"waits for {worst.title}{why}{more}"


def _paused(job: QueueStatus, shop: ShopSnapshot) -> str:
    by = f" by {job.paused_by}" if job.paused_by else ""
    return f"paused{by} at {shop.clock(job.since)}"


def _assigned(job: QueueStatus, _shop: ShopSnapshot) -> str:
    machine = job.machine or "its machine"
    return f"set-up on {machine} to be confirmed" if job.set_up else f"starting on {machine}"


def _running(job: QueueStatus, _shop: ShopSnapshot) -> str:
    return "running" if job.automation else f"running on {job.machine or 'its machine'}"


def _jobs(count: int) -> str:
    return f"{count:,} job" if count == 1 else f"{count:,} jobs"


_WORST_FIRST = {state: place for place, state in enumerate(_PREDECESSOR)}
_WORDS: Mapping[JobState, Callable[[QueueStatus, ShopSnapshot], str]] = {
    JobState.DRAFT: lambda _job, _shop: "draft, not submitted",
    JobState.QUEUED: _queued,
    JobState.DELAYED: _delayed,
    JobState.PAUSED: _paused,
    JobState.ASSIGNED: _assigned,
    JobState.RUNNING: _running,
    JobState.HELD: lambda job, shop: f"held since {shop.clock(job.since)}",
    JobState.INTERRUPTED: lambda job, _shop: f"decide: {job.last_error or 'stopped half-way'}",
    JobState.COMPLETED: lambda job, shop: f"{shop.clock(job.finished_at or job.since)} done",
    JobState.CANCELLED: lambda job, shop: f"cancelled {shop.clock(job.finished_at or job.since)}",
    JobState.NEEDS_ATTENTION: lambda job, _shop: job.last_error or "failed for an unknown reason",
}
