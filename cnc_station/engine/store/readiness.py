"""What the driver of a machine reports: readiness, reachability and position; and whether that
driver is still the one the machine is set up for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.machine import MachineSpec, PositionMemory
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.store.schema import machine
from cnc_station.engine.store.transaction import MachineCommand, Tx

# Set by an edit and by a move: no job is claimed before the new driver has reported.
REWIRING = "its driver is being changed"


def asks_for(row: Row[Any], spec: MachineSpec) -> bool:
    """Whether a stored machine is set up for a driver with the settings of `spec`."""
    settings = json.loads(json.dumps(dict(spec.settings)))  # as they are stored
    return bool(row.driver == spec.driver and json_text.stored_object(row.settings) == settings)


@dataclass(frozen=True, slots=True)
class SetReadiness(MachineCommand[None]):
    """Store why a machine's controller can start nothing now; "" if it can. The same text changes
    nothing. For an offline machine it is also the reason for that state.

    `made_of` is the spec of the reporting driver; None for a refused run. Raises Conflict if the
    machine is set up for another driver by now, or belongs to another station.
    """

    machine_id: int
    why: str
    actor: str
    made_of: MachineSpec | None = None

    def write(self, tx: Tx) -> None:
        row = _lock_machine(tx, self.machine_id, self.made_of)
        if row.not_ready == self.why:
            return
        values: dict[str, object] = {"not_ready": self.why}
        if row.state == MachineState.OFFLINE and self.why:
            values["state_reason"] = self.why
        _update(tx, self.machine_id, values)
        tx.record(
            t.READINESS_CHANGED,
            actor=self.actor,
            machine_id=self.machine_id,
            machine_state=row.state,
            reason=self.why,
            frees_machine=not self.why,
        )


@dataclass(frozen=True, slots=True)
class RecordReach(MachineCommand[None]):
    """Store why a machine's controller does not answer; None if it does. For an offline machine it
    is also the reason for that state. The time of the first failure is kept.

    It has no event: its effect on the machine is recorded already. See `SetReadiness` for `made_of`
    and Conflict.
    """

    machine_id: int
    why: str | None
    made_of: MachineSpec

    def write(self, tx: Tx) -> None:
        row = _lock_machine(tx, self.machine_id, self.made_of)
        since = None if self.why is None else row.unreached_since or tx.now
        values: dict[str, object] = {"unreached_since": since}
        if self.why is not None and row.state == MachineState.OFFLINE:
            values["state_reason"] = self.why
        if any(getattr(row, name) != value for name, value in values.items()):
            _update(tx, row.id, values)
            tx.notify(Topic.REACH_CHANGED, machine_id=row.id)


def _lock_machine(tx: Tx, machine_id: int, made_of: MachineSpec | None) -> Row[Any]:
    """Return the machine if it is this station's and set up for the driver of `made_of`."""
    row = tx.connection.execute(
        select(machine)
        .where(machine.c.id == machine_id, ~machine.c.removed)
        .where(machine.c.station == tx.station)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise Conflict(f"There is no machine {machine_id} at this station.")
    if made_of is not None and not asks_for(row, made_of):
        raise Conflict(f"{row.name} has another driver now.")
    return row


def _update(tx: Tx, machine_id: int, values: Mapping[str, object]) -> None:
    tx.connection.execute(
        update(machine)
        .where(machine.c.id == machine_id)
        .values(version=machine.c.version + 1, **values)
    )


@dataclass(frozen=True, slots=True)
class RecordPosition(MachineCommand[None]):
    """Store what a machine's driver knows of its position; the same again changes nothing. See
    `SetReadiness` for `made_of` and Conflict."""

    machine_id: int
    memory: PositionMemory
    actor: str
    made_of: MachineSpec

    def write(self, tx: Tx) -> None:
        row = _lock_machine(tx, self.machine_id, self.made_of)
        position = self.memory.position
        known = (row.position, row.position_reason)
        if known == (position.basis, position.reason):
            if row.controller_mark != self.memory.mark:
                mark = {"controller_mark": self.memory.mark}
                tx.connection.execute(update(machine).where(machine.c.id == row.id).values(mark))
            return
        values: dict[str, object] = {
            "position": position.basis.value,
            "position_reason": position.reason,
            "position_since": tx.now,
            "position_by": self.actor,
            "controller_mark": self.memory.mark,
        }
        _update(tx, row.id, values)
        tx.record(
            t.POSITION_CHANGED,
            actor=self.actor,
            machine_id=row.id,
            machine_state=row.state,
            reason=position.reason,
            details={"basis": position.basis.value},
        )
