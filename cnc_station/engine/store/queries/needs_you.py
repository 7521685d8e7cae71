"""The "Needs you" list: what waits for a person, worst first, each with its remedy."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, case, select

from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.store.queries.house import House
from cnc_station.engine.store.schema import counted, job
from cnc_station.engine.views import JobRow, MachineCard, MachineRow, NeedsYou, Remedy

MOST = 40
_WORST_FIRST = (
    Remedy.UNLOCK,
    Remedy.DECIDE,
    Remedy.CLEAR,
    Remedy.CONTINUE,
    Remedy.SET_UP,
    Remedy.RETRY,
    Remedy.FINISH,
)
_IN_NEED = (JobState.INTERRUPTED, JobState.HELD, JobState.NEEDS_ATTENTION)


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
    cards: Iterable[MachineCard], jobs: Iterable[JobRow], house: House
) -> tuple[NeedsYou, ...]:
    """Machines and jobs that wait for a person, in the order to look at them."""
    items = [item for card in cards for item in _of_machine(card, house)]
    at = {card.machine.job_id: card.machine for card in cards}
    items += [_of_job(row, at.get(row.id), house) for row in jobs]
    items.sort(key=lambda item: (_WORST_FIRST.index(item.remedy), item.since))
    return tuple(items[:MOST])


def _of_machine(card: MachineCard, house: House) -> Sequence[NeedsYou]:
    machine = card.machine
    name, can = machine.spec.name, house.can(machine.spec.driver)
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
        and house.sets_up(machine.spec.driver, operator_starts=machine.spec.operator_starts)
    ):
        text = "set-up to confirm" if can.starts else "start it at the panel"
        remedy, title = Remedy.SET_UP, f"{name}: {card.job.title}"
    elif card.job and machine.state is MachineState.RUNNING and not can.starts:
        text = "runs: say when it is done"
        remedy, title = Remedy.FINISH, f"{name}: {card.job.title}"
    else:
        return ()
    job_id = card.job.id if card.job else None
    return (NeedsYou(remedy, title, text, machine.state_since, job_id, machine.id, at_panel),)


def _of_job(row: JobRow, machine: MachineRow | None, house: House) -> NeedsYou:
    at_panel = False
    if row.state is JobState.HELD:
        at_panel = machine is not None and not house.can(machine.spec.driver).goes_on
        because = machine.state_reason if machine is not None else ""
        remedy, title = Remedy.CONTINUE, f"{row.machine or row.title}: held"
        text = f"{row.title}: {because}" if because else row.title
        text = f"go on at its own panel: {text}" if at_panel else text
    elif row.state is JobState.INTERRUPTED:
        remedy, title = Remedy.DECIDE, f"{row.title}: decide"
        text = row.last_error or f"stopped half-way on {row.machine or 'its machine'}"
    else:
        remedy, title = Remedy.RETRY, f"{row.title}: failed"
        text = row.next
    return NeedsYou(remedy, title, text, row.state_since, row.id, row.machine_id, at_panel)
