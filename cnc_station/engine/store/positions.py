"""What is known of the machines' positions."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.position import PositionMemory
from cnc_station.engine.store.readiness import asks_for
from cnc_station.engine.store.schema import machine
from cnc_station.engine.store.transaction import StoreCommand, Tx


@dataclass(frozen=True, slots=True)
class RecordPosition(StoreCommand[None]):
    """What a machine's driver knows of its position from now on. The same again changes nothing.

    `made_of` is what the driver was made of: the word of one that the machine does not ask for any
    more does not count. Raises Conflict then, and for a machine that is not this station's.
    """

    machine_id: int
    memory: PositionMemory
    actor: str
    made_of: MachineSpec

    @property
    def touches(self) -> Sequence[Hashable]:
        """Its machine."""
        return (("machine", self.machine_id),)

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["RecordPosition"]) -> list[Exception | None]:
        """One by one: positions are seldom lost or found at the same time."""
        return [_record(tx, change) for change in changes]


def _record(tx: Tx, change: RecordPosition) -> Exception | None:
    row = tx.connection.execute(
        select(machine)
        .where(machine.c.id == change.machine_id, ~machine.c.removed)
        .where(machine.c.station == tx.station)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return Conflict(f"There is no machine {change.machine_id} at this station.")
    if not asks_for(row, change.made_of):
        return Conflict(f"{row.name} has another driver now.")
    position = change.memory.position
    known = (row.position, row.position_reason)
    if known == (position.basis, position.reason):
        if row.controller_mark != change.memory.mark:
            _update(tx, row.id, controller_mark=change.memory.mark)
        return None
    _update(
        tx,
        row.id,
        version=row.version + 1,
        position=position.basis.value,
        position_reason=position.reason,
        position_since=tx.now,
        position_by=change.actor,
        controller_mark=change.memory.mark,
    )
    tx.record(
        t.POSITION_CHANGED,
        actor=change.actor,
        machine_id=row.id,
        machine_state=row.state,
        reason=position.reason,
        details={"basis": position.basis.value},
    )
    return None


def _update(tx: Tx, machine_id: int, **values: object) -> None:
    tx.connection.execute(update(machine).where(machine.c.id == machine_id).values(values))
