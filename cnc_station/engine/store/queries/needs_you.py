"""The "Needs you" list: what waits for a person, worst first, each with its remedy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.forecast import Queued
from cnc_station.engine.domain.states import BUSY_MACHINES, JobState, MachineState
from cnc_station.engine.domain.waiting import ShopSnapshot
from cnc_station.engine.store.queries.context import QueryContext
from cnc_station.engine.store.queries.stations import Attendance
from cnc_station.engine.store.schema import counted, event, job
from cnc_station.engine.views import JobRow, MachineCard, MachineRow, NeedsYou, Presence, Remedy

MOST = 40
_WORST_FIRST = (
    Remedy.ACCEPT_DATABASE,
    Remedy.TRY_LINK,
    Remedy.FIND_STATION,
    Remedy.UNLOCK,
    Remedy.RECONNECT,
    Remedy.CONFIRM_POSITION,
    Remedy.DECIDE,
    Remedy.CLEAR,
    Remedy.CONTINUE,
    Remedy.SET_UP,
    Remedy.MAKE_READY,
    Remedy.RETRY,
    Remedy.FINISH,
)
_IN_NEED = (JobState.INTERRUPTED, JobState.HELD, JobState.NEEDS_ATTENTION)
NOT_READY_MS = 30_000  # shorter: a spindle runs down, a controller homes
LOST_AT_WORK_MS = 5_000
MOST_NAMED = 4
_IN_SERVICE = frozenset(MachineState) - {MachineState.MAINTENANCE}
_CAN_CONFIRM = frozenset({MachineState.IDLE, MachineState.NEEDS_CLEARING})
_AT_ITS_STATION = {
    MachineState.ALARM: "alarm",
    MachineState.NEEDS_CLEARING: "to clear",
    MachineState.HELD: "held",
    MachineState.RUNNING: "was running",
}


@dataclass(frozen=True, slots=True)
class FloorContext:
    """The queue, the stations by name, and since when each machine has not been ready."""

    now: int
    shop: ShopSnapshot
    stations: Mapping[str, Attendance]
    not_ready_since: Mapping[int, int]


def not_ready_since(connection: Connection, machines: Sequence[MachineRow]) -> Mapping[int, int]:
    """Since when machines have been not ready without interruption, by their events."""
    ids = [machine.id for machine in machines if _waits_to_be_ready(machine)]
    if not ids:
        return {}
    earlier = event.alias()
    ready = (
        select(func.max(earlier.c.id))
        .where(earlier.c.machine_id == event.c.machine_id, earlier.c.reason == "")
        .where(earlier.c.type == t.READINESS_CHANGED.name)
        .scalar_subquery()
    )
    query = (
        select(event.c.machine_id, func.min(event.c.at).label("since"))
        .where(event.c.machine_id.in_(ids), event.c.type == t.READINESS_CHANGED.name)
        .where(event.c.id > func.coalesce(ready, 0))
        .group_by(event.c.machine_id)
    )
    return {row.machine_id: row.since for row in connection.execute(query)}


def of_machine(
    card: MachineCard, context: QueryContext, around: FloorContext
) -> Iterator[NeedsYou]:
    """What a machine waits for. A machine whose station is absent has no items: those of the
    station cover it."""
    machine = card.machine
    if not machine.attended:
        return
    unreached = _unreached(card, around.now)
    if unreached is not None:
        yield unreached
    if unreached is None or machine.state is not MachineState.ALARM:
        yield from _in_its_state(card, context)
    if machine.position_lost and machine.state in _CAN_CONFIRM and unreached is None:
        yield _position(machine)
    elif _waits_to_be_ready(machine) and wanted(machine, around.shop.head):
        since = max(around.not_ready_since.get(machine.id, 0), machine.state_since)
        if around.now - since >= NOT_READY_MS:
            title = f"{machine.spec.name}: not ready"
            why = machine.not_ready
            yield NeedsYou(Remedy.MAKE_READY, title, why, since, None, machine.id, at_panel=True)


def _unreached(card: MachineCard, now: int) -> NeedsYou | None:
    """A controller that its station should reach but can't. During a run it is reported after a
    moment: most connections come back at once."""
    machine, since = card.machine, card.machine.missing_since
    if since is None or (machine.at_work and now - since < LOST_AT_WORK_MS):
        return None
    why = machine.state_reason if machine.state is MachineState.OFFLINE else machine.not_ready
    if machine.state is MachineState.ALARM:
        why = f"{why}; it was in alarm"
    if machine.at_work:
        job = card.job.title if card.job else "its job"
        why = f"{job} is in hand, its station tries again by itself"
    title = f"{machine.spec.name}: not reachable"
    return NeedsYou(Remedy.RECONNECT, title, why, since, None, machine.id, at_panel=machine.at_work)


def _position(machine: MachineRow) -> NeedsYou:
    assert machine.position is not None
    title, why = f"{machine.spec.name}: confirm its work zero", machine.position.position.reason
    since = machine.position.since
    return NeedsYou(Remedy.CONFIRM_POSITION, title, why, since, None, machine.id)


def _waits_to_be_ready(machine: MachineRow) -> bool:
    return (
        machine.state is MachineState.IDLE
        and bool(machine.not_ready)
        and not machine.position_lost
        and machine.unreached_since is None
    )


def wanted(machine: MachineRow, head: Mapping[str, Sequence[Queued]]) -> bool:
    """Whether a job at the head of the queue of its type could run on a machine."""
    capability = machine.spec.capability
    return any(
        one.pinned_machine_id in {None, machine.id} and capability.fits(one.need)
        for one in head.get(machine.spec.machine_type, ())
    )


def _in_its_state(card: MachineCard, context: QueryContext) -> Iterator[NeedsYou]:
    machine = card.machine
    name, can = machine.spec.name, context.can(machine.spec.driver)
    at_panel = False
    if machine.state is MachineState.ALARM:
        stopped = f"{card.job.title} stopped" if card.job else "the controller stopped"
        text = machine.state_reason or stopped
        at_panel = not can.unlocks
        text = f"clear it at its own panel: {text}" if at_panel else text
        remedy, title = Remedy.UNLOCK, f"{name}: alarm"
    elif machine.state is MachineState.NEEDS_CLEARING:
        made = f"{card.job.title} lies on it" if card.job else "a part lies on it"
        text = f"{card.next_job.title} can start then" if card.next_job else made
        remedy, title = Remedy.CLEAR, f"{name}: clear it"
    elif (
        card.job
        and machine.state is MachineState.ASSIGNED
        and context.sets_up(machine.spec.driver, operator_starts=machine.spec.operator_starts)
    ):
        text = "set-up to confirm" if can.starts else "start it at the panel"
        remedy, title = Remedy.SET_UP, f"{name}: {card.job.title}"
    elif card.job and machine.state is MachineState.RUNNING and not can.starts:
        text = "runs: say when it is done"
        remedy, title = Remedy.FINISH, f"{name}: {card.job.title}"
    else:
        return
    job_id = card.job.id if card.job else None
    yield NeedsYou(remedy, title, text, machine.state_since, job_id, machine.id, at_panel)


def of_database(cards: Sequence[MachineCard]) -> Iterator[NeedsYou]:
    """The machines that are held until a person agrees to run them from here."""
    held = [card.machine for card in cards if card.machine.from_elsewhere]
    if held:
        title = "Database moved or copied: machines held"
        text = f"{_named(held)}: agree if no other computer runs them"
        since = min(machine.state_since for machine in held)
        yield NeedsYou(Remedy.ACCEPT_DATABASE, title, text, since, None, None, about="database")


def of_stations(cards: Sequence[MachineCard], around: FloorContext) -> Iterator[NeedsYou]:
    """Silent stations, and closed ones whose machines are needed or were left at work."""
    machines = [card.machine for card in cards if card.machine.state in _IN_SERVICE]
    for name in sorted({machine.station for machine in machines if not machine.attended}):
        wired = [machine for machine in machines if machine.station == name]
        station = around.stations[name]
        if station.presence is Presence.SILENT:
            title, left = f"Station {name}: not responding", wired
        else:
            title = f"Station {name}: closed"
            left = [m for m in wired if m.state in BUSY_MACHINES or wanted(m, around.shop.head)]
        if left:
            text = f"{_named(left)}: look at its PC"
            closed = station.presence is Presence.LEFT  # by a person, at its PC
            since, remedy = station.since, Remedy.FIND_STATION
            yield NeedsYou(remedy, title, text, since, None, None, at_panel=closed, about=name)


def _named(machines: Sequence[MachineRow]) -> str:
    """Return "Mill 2 (to clear), Lathe 1 and 3 more"."""
    named = []
    for machine in machines[:MOST_NAMED]:
        state = _AT_ITS_STATION.get(machine.state)
        named.append(f"{machine.spec.name} ({state})" if state else machine.spec.name)
    more = len(machines) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def jobs_in_need(connection: Connection) -> list[int]:
    """The jobs that wait for a person, worst and oldest first."""
    place = case({state.value: n for n, state in enumerate(_IN_NEED)}, value=job.c.state)
    query = (
        select(job.c.id)
        .where(job.c.state.in_([state.value for state in _IN_NEED]), counted)
        .order_by(place, job.c.state_since, job.c.id)
        .limit(MOST)
    )
    return list(connection.execute(query).scalars())


def needs_you(
    cards: Sequence[MachineCard],
    jobs: Iterable[JobRow],
    context: QueryContext,
    around: FloorContext,
) -> tuple[NeedsYou, ...]:
    """Stations, machines and jobs that wait for a person, in the order to look at them."""
    items = [*of_database(cards), *of_stations(cards, around)]
    items += [item for card in cards for item in of_machine(card, context, around)]
    at = {card.machine.job_id: card.machine for card in cards}
    for row in jobs:
        machine = at.get(row.id)
        if machine is None or machine.attended:
            items.append(_of_job(row, machine, context))
    items.sort(key=lambda item: (_WORST_FIRST.index(item.remedy), item.since))
    return tuple(items[:MOST])


def _of_job(row: JobRow, machine: MachineRow | None, context: QueryContext) -> NeedsYou:
    at_panel = False
    if row.state is JobState.HELD:
        watched = machine is not None and not context.can(machine.spec.driver).goes_on
        at_panel = watched or (machine is not None and machine.missing_since is not None)
        because = machine.state_reason if machine is not None else ""
        remedy, title = Remedy.CONTINUE, f"{row.machine or row.title}: held"
        text = f"{row.title}: {because}" if because else row.title
        text = f"go on at its own panel: {text}" if watched else text
    elif row.state is JobState.INTERRUPTED:
        remedy, title = Remedy.DECIDE, f"{row.title}: decide"
        text = row.last_error or f"stopped half-way on {row.machine or 'its machine'}"
    else:
        remedy, title = Remedy.RETRY, f"{row.title}: failed"
        text = row.next
    return NeedsYou(remedy, title, text, row.state_since, row.id, row.machine_id, at_panel)
