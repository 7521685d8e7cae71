"""What one station asks of another: something only the station at the machine can do."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.states import LIVE_RUNS, MachineState
from cnc_station.engine.store.schema import errand, machine, run
from cnc_station.engine.store.transaction import Change, Tx

KEPT_MS = 3_600_000
# What may set a machine going counts for so long, which is less than who asks waits for the answer.
PROMPT_MS = 5_000
PROMPT = frozenset(
    {JobAction.START, JobAction.CONTINUE, MachineAction.UNLOCK, MachineAction.CONFIRM_POSITION}
)


@dataclass(frozen=True, slots=True)
class Errand:
    """One question on its way, about a job or (then `job_id` is 0) about a machine. `answer`
    None: not answered yet; "": done; else why not."""

    id: int
    station: str
    action: str
    job_id: int
    actor: str
    reason: str
    answer: str | None
    in_time: bool = True  # it was asked about the run, or the alarm, that is there now
    late: bool = False  # it may set a machine going, and was asked too long ago for that
    machine_id: int | None = None


@dataclass(frozen=True, slots=True)
class Ask(Change[Errand]):
    """Leave word for the station that drives a job's run, or with `machine_id` for the one that
    the machine is wired to. Raises Conflict if there is none."""

    action: str
    job_id: int
    actor: str
    reason: str
    machine_id: int | None = None

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["Ask"]) -> list[Errand | Exception]:
        """Addressed by the live run, or the machine: it reaches whoever is there now."""
        tx.connection.execute(delete(errand).where(errand.c.asked_at < tx.now - KEPT_MS))
        return [_ask(tx, change) for change in changes]


def _ask(tx: Tx, change: Ask) -> Errand | Exception:
    if change.machine_id is None:
        at = select(run.c.station).where(
            run.c.job_id == change.job_id, run.c.state.in_(sorted(LIVE_RUNS))
        )
        nowhere = f"Job {change.job_id} is not at a machine."
    else:
        at = select(machine.c.station).where(machine.c.id == change.machine_id, ~machine.c.removed)
        nowhere = f"There is no machine {change.machine_id}."
    station: str | None = tx.connection.execute(at).scalar()
    if station is None:
        return Conflict(nowhere)
    (errand_id,) = tx.dialect.reserve(tx.connection, errand, 1)
    asked = Errand(
        errand_id,
        station,
        change.action,
        change.job_id,
        change.actor,
        change.reason,
        None,
        machine_id=change.machine_id,
    )
    tx.connection.execute(
        insert(errand).values(
            id=asked.id,
            station=station,
            action=asked.action,
            job_id=asked.job_id,
            machine_id=asked.machine_id,
            actor=asked.actor,
            reason=asked.reason,
            asked_at=tx.now,
        )
    )
    tx.stations = True
    return asked


@dataclass(frozen=True, slots=True)
class AnswerErrand(Change[None]):
    """Say what became of an errand; "" if it was done."""

    errand_id: int
    answer: str

    @property
    def touches(self) -> Sequence[Hashable]:
        """Its errand."""
        return (("errand", self.errand_id),)

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["AnswerErrand"]) -> list[Exception | None]:
        """Once: the first answer stays."""
        for change in changes:
            tx.connection.execute(
                update(errand)
                .where(errand.c.id == change.errand_id, errand.c.answer.is_(None))
                .values(answer=change.answer)
            )
        tx.stations = True
        return [None for _ in changes]


def open_errands(connection: Connection, now: int, station: str) -> tuple[Errand, ...]:
    """What this station was asked and has not answered by `now`, oldest first.

    A station that was away finds errands about runs and alarms that are over; a new run of the same
    job must not be ended by them, nor a machine unlocked that somebody has looked at since. And who
    has asked it to start one was told that it does not answer, and may stand in the machine.
    """
    same_run = (
        select(run.c.id)
        .where(run.c.job_id == errand.c.job_id, run.c.station == station)
        .where(run.c.state.in_(sorted(LIVE_RUNS)), run.c.assigned_at <= errand.c.asked_at)
    )
    same_machine = (
        select(machine.c.id)
        .where(machine.c.id == errand.c.machine_id, machine.c.station == station)
        .where(
            (errand.c.action != MachineAction.UNLOCK.value)
            | (
                (machine.c.state == MachineState.ALARM.value)
                & (machine.c.state_since <= errand.c.asked_at)
            )
        )
    )
    found = connection.execute(
        select(errand, (same_run.exists() | same_machine.exists()).label("in_time"))
        .where(errand.c.station == station, errand.c.answer.is_(None))
        .order_by(errand.c.id)
    )
    return tuple(
        Errand(
            row.id,
            row.station,
            row.action,
            row.job_id,
            row.actor,
            row.reason,
            None,
            row.in_time,
            row.action in PROMPT and row.asked_at < now - PROMPT_MS,
            row.machine_id,
        )
        for row in found
    )


def answer_of(connection: Connection, errand_id: int) -> str | None:
    """The answer, if there is one."""
    answer: str | None = connection.execute(
        select(errand.c.answer).where(errand.c.id == errand_id)
    ).scalar()
    return answer
