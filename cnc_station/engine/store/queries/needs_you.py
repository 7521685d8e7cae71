"""The "Needs you" list: what waits for a person, worst first, each with its remedy."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, case, select

from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.queries.context import QueryContext
from cnc_station.engine.store.queries.machine_needs import Surrounded, of_machine, of_stations
from cnc_station.engine.store.schema import counted, job
from cnc_station.engine.views import JobRow, MachineCard, MachineRow, NeedsYou, Remedy

MOST = 40
_WORST_FIRST = (
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
    cards: Sequence[MachineCard], jobs: Iterable[JobRow], context: QueryContext, around: Surrounded
) -> tuple[NeedsYou, ...]:
    """Stations, machines and jobs that wait for a person, in the order to look at them."""
    items = [*of_stations(cards, around)]
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
