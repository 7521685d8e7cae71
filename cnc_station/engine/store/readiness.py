"""Whether a machine's controller would start anything now, as its driver says; and who may say it
while the driver is changed."""

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.store.schema import machine
from cnc_station.engine.store.transaction import Change, Tx

# Said by an edit and by a move: no claim comes before the driver that is asked for has spoken.
REWIRING = "its driver is being changed"


def asks_for(row: Row[Any], spec: MachineSpec) -> bool:
    """Whether a stored machine asks for a driver made as `spec` says."""
    settings = json.loads(json.dumps(dict(spec.settings)))  # as they come back
    return bool(row.driver == spec.driver and json.loads(row.settings) == settings)


@dataclass(frozen=True, slots=True)
class SayReadiness(Change[None]):
    """Why a machine's controller would start nothing now, in its own words; "" if it would. The
    same words again change nothing. For one that is offline it is also why it is so.

    `made_of` is what the driver that says so was made of: the word of one that the machine does
    not ask for any more does not count. None for a run that was refused. Raises Conflict then, and
    for a machine that is not this station's.
    """

    machine_id: int
    why: str
    actor: str
    made_of: MachineSpec | None = None

    @property
    def touches(self) -> Sequence[Hashable]:
        """Its machine."""
        return (("machine", self.machine_id),)

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["SayReadiness"]) -> list[Exception | None]:
        """One by one: controllers seldom change their minds at the same time."""
        return [_say(tx, change) for change in changes]


def _say(tx: Tx, change: SayReadiness) -> Exception | None:
    row = tx.connection.execute(
        select(machine)
        .where(machine.c.id == change.machine_id, ~machine.c.removed)
        .where(machine.c.station == tx.station)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return Conflict(f"There is no machine {change.machine_id} at this station.")
    if change.made_of is not None and not asks_for(row, change.made_of):
        return Conflict(f"{row.name} has another driver now.")
    if row.not_ready == change.why:
        return None
    values = {"not_ready": change.why}
    if row.state == MachineState.OFFLINE and change.why:
        values["state_reason"] = change.why
    tx.connection.execute(
        update(machine)
        .where(machine.c.id == change.machine_id)
        .values(version=machine.c.version + 1, **values)
    )
    tx.freed |= not change.why
    tx.record(
        t.READINESS_CHANGED,
        actor=change.actor,
        machine_id=change.machine_id,
        machine_state=row.state,
        reason=change.why,
    )
    return None
