"""Add and edit machines, and their transitions without a run."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update

from cnc_station.engine.domain import checks, json_text
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.job import NAMES, PartCount
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.refusals import machine_refusal
from cnc_station.engine.domain.states import LIVE_RUNS, MachineState, RunState
from cnc_station.engine.store.before_after import before_after
from cnc_station.engine.store.readiness import REWIRING, asks_for
from cnc_station.engine.store.schema import event, job, machine, run
from cnc_station.engine.store.transaction import MachineCommand, OneByOne, Tx

MOST_PARTS = 1_000_000
Mask = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Returns the settings of a driver without their passwords."""
# From an alarm, these detach the interrupted run.
_DETACHING = (t.UNLOCKED, t.MAINTENANCE_STARTED, t.MACHINE_REMOVED, t.MACHINE_MOVED)


def no_settings(_driver: str, _settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Hide every setting."""
    return {}


def _stored_fields(spec: MachineSpec) -> dict[str, Any]:
    size = spec.capability.envelope
    return {
        "name": spec.name.strip(),
        "machine_type": spec.machine_type.strip().lower(),
        "model": spec.model,
        "driver": spec.driver,
        "max_complexity": spec.capability.max_complexity,
        "materials": json.dumps(sorted(spec.capability.materials)),
        "axes": spec.capability.axes,
        "size_x": size.x if size else None,
        "size_y": size.y if size else None,
        "size_z": size.z if size else None,
        "operator_clears": spec.operator_clears,
        "operator_starts": spec.operator_starts,
        "settings": json.dumps(dict(spec.settings)),
    }


@dataclass(frozen=True, slots=True)
class AddMachine(OneByOne[int]):
    """Add a machine to this station, offline until its driver connects. Returns its id."""

    spec: MachineSpec
    actor: str

    def write(self, tx: Tx) -> int:
        _check_name(tx, self.spec.name, None)
        machine_id = tx.dialect.reserve(tx.connection, machine, 1)[0]
        row = {
            "id": machine_id,
            "version": 1,
            **_stored_fields(self.spec),
            "station": tx.station,
            "state": MachineState.OFFLINE.value,
            "state_since": tx.now,
            "state_reason": "",
            "maintenance_due": False,
            "removed": False,
            "runs_done": 0,
            "run_seconds": 0.0,
            "last_program": "",
            "last_material": "",
            "not_ready": "",
            "to_clear": False,
        }
        tx.connection.execute(insert(machine).values(row))
        tx.record(
            t.MACHINE_ADDED,
            actor=self.actor,
            machine_id=machine_id,
            machine_state=MachineState.OFFLINE,
        )
        return machine_id


def _check_name(tx: Tx, name: str, own_id: int | None) -> None:
    there = tx.connection.execute(
        select(machine.c.id).where(machine.c.name == name.strip(), ~machine.c.removed)
    ).scalar()
    if there not in (None, own_id):
        raise InvalidInput(FieldError("name", f"there is a {name.strip()} already"))


@dataclass(frozen=True, slots=True)
class MoveMachine(MachineCommand[None]):
    """Make the first of `alternatives` that the machine's state allows.

    `spec` belongs to an edit, `station` to a move; `good`, `scrap` and `rework`, the parts of its
    last run, to a clearing: None keeps the known count. `part_on_it` belongs to an alarm: an
    unfinished part is on the machine. `mask` hides the passwords in what an edit tells.

    A machine at work accepts no edit of its driver. After such an edit, and after a move, the
    machine gets no work until the new driver reports that it is ready. Raises Conflict with the
    state that forbids the transition, InvalidInput.
    """

    alternatives: tuple[t.Transition, ...]
    machine_id: int
    actor: str
    reason: str = ""
    spec: MachineSpec | None = None
    station: str | None = None
    good: int | None = None
    scrap: int | None = None
    rework: int | None = None
    part_on_it: bool = False
    mask: Mask = no_settings

    def write(self, tx: Tx) -> None:
        row = tx.connection.execute(
            select(machine)
            .where(machine.c.id == self.machine_id, ~machine.c.removed)
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise Conflict(f"There is no machine {self.machine_id}.")
        state = MachineState(row.state)
        transition = _allowed(self, row, state)
        if transition in _DETACHING and _has_live_run(tx, row.id):
            raise Conflict(f"The run at {row.name} is not over yet. Wait until it has ended.")
        rewired = self.spec is not None and not asks_for(row, self.spec)
        if rewired and _has_live_run(tx, row.id):
            raise Conflict(f"{row.name} is at work. Change its driver when it is idle.")
        assert transition.machine is not None
        step = transition.machine
        target = _resting(row, step) if step.to_rest else step.target_from(state)
        values = _values(tx, self, transition)
        if rewired:
            values["not_ready"] = REWIRING
            tx.notify(Topic.MACHINE_REWIRED, machine_id=row.id)
        counts = _store_counts(tx, self, transition, row)
        if step.to_rest:
            values["maintenance_due"] = False
        if target is not state:
            values["to_clear"] = _clear_later(row, state, self, target)
            values |= {"state": target.value, "state_since": tx.now, "state_reason": self.reason}
        tx.connection.execute(
            update(machine)
            .where(machine.c.id == row.id, machine.c.version == row.version)
            .values(version=machine.c.version + 1, **values)
        )
        tx.record(
            transition,
            actor=self.actor,
            machine_id=row.id,
            machine_state=target,
            reason=self.reason,
            details=counts or _edited(self, row),
            frees_machine=target is MachineState.IDLE,
        )


def _edited(command: MoveMachine, row: Row[Any]) -> dict[str, Any] | None:
    """Return what an edit tells: the values before and after. A password that was changed is told
    as a change of what hides it."""
    if command.spec is None:
        return None
    stored = _stored_fields(command.spec)
    old, new = {name: getattr(row, name) for name in stored}, dict(stored)
    settings = [json_text.stored_object(fields.pop("settings")) for fields in (old, new)]
    told = before_after(old, new)
    masked = [command.mask(f["driver"], s) for f, s in zip((old, new), settings, strict=True)]
    for name in sorted({**settings[0], **settings[1]}):
        if settings[0].get(name) != settings[1].get(name):
            for when, shown in zip(("before", "after"), masked, strict=True):
                told[when][f"settings.{name}"] = shown.get(name)
    return told


def _allowed(command: MoveMachine, row: Row[Any], state: MachineState) -> t.Transition:
    for transition in command.alternatives:
        if transition.machine is not None and state in transition.machine.sources:
            return transition
    raise Conflict(machine_refusal(command.alternatives[0], row.name, state))


def _has_live_run(tx: Tx, machine_id: int) -> bool:
    """Only a machine in alarm may have one without being busy, until its end is written."""
    live = select(run.c.id).where(
        run.c.machine_id == machine_id, run.c.state.in_(sorted(LIVE_RUNS))
    )
    return tx.connection.execute(live).first() is not None


def _clear_later(
    row: Row[Any], state: MachineState, command: MoveMachine, to: MachineState
) -> bool:
    """Return whether a machine that goes out of service needs clearing when it returns."""
    if to not in {MachineState.ALARM, MachineState.OFFLINE}:
        return False
    unlocked_to_clear = state is MachineState.ALARM and row.operator_clears
    known = row.to_clear or state is MachineState.NEEDS_CLEARING
    return bool(known or command.part_on_it or unlocked_to_clear)


def _store_counts(
    tx: Tx, command: MoveMachine, transition: t.Transition, row: Row[Any]
) -> dict[str, Any] | None:
    """Store the part counts of a clearing; return them for its event."""
    known = PartCount(command.good, command.scrap, command.rework).known
    if not known:
        return None
    if errors := [e for n, c in known.items() for e in checks.whole(n, c, 0, MOST_PARTS)]:
        raise InvalidInput(*errors)
    if transition is not t.CLEARED:
        raise InvalidInput(*(FieldError(n, "is counted when a machine is cleared") for n in known))
    # By the events: run ids of several stations are not in the order of time.
    last_run = (
        select(event.c.run_id)
        .where(event.c.machine_id == row.id, event.c.type == t.ASSIGNED.name)
        .order_by(event.c.id.desc())
        .limit(1)
    )
    last = tx.connection.execute(
        select(run, job.c.quantity, job.c.tenant)
        .join(job, job.c.id == run.c.job_id)
        .where(run.c.id == last_run.scalar_subquery())
    ).one_or_none()
    if last is None or last.started_at is None:
        raise Conflict(f"{row.name} has made nothing since it was cleared, so there is no part.")
    whole = PartCount(**{name: known.get(name, getattr(last, name)) for name in NAMES})
    if why := whole.mismatch(last.quantity, completed=last.state == RunState.SUCCEEDED):
        raise InvalidInput(FieldError(next(iter(known)), why))
    tx.connection.execute(update(run).where(run.c.id == last.id).values(known))
    tx.notify(Topic.PARTS_COUNTED, job_id=last.job_id, tenant=last.tenant)
    return {**known, "run_id": last.id, "job_id": last.job_id}


def _resting(row: Row[Any], step: t.MachineStep) -> MachineState:
    if row.maintenance_due:
        return MachineState.MAINTENANCE
    to_clear = row.to_clear or (row.operator_clears and not step.untouched)
    return MachineState.NEEDS_CLEARING if to_clear else MachineState.IDLE


def _values(tx: Tx, command: MoveMachine, transition: t.Transition) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if command.spec is not None:
        _check_name(tx, command.spec.name, command.machine_id)
        values |= _stored_fields(command.spec)
    if transition is t.MAINTENANCE_ASKED:
        values["maintenance_due"] = True
    elif transition in (t.MAINTENANCE_STARTED, t.MAINTENANCE_ENDED):
        values["maintenance_due"] = False
    elif transition is t.MACHINE_REMOVED:
        values["removed"] = True
    elif transition is t.MACHINE_MOVED:
        values |= {"station": command.station, "not_ready": REWIRING}
        tx.notify(Topic.MACHINE_REWIRED, machine_id=command.machine_id)
    if transition in _DETACHING:
        values |= {"job_id": None, "run_id": None}
    return values
