"""Where a database file is at home: two computers must not run the machines of one database.

The file stores on which computer, at which path and as which file it was used last. A copy, or a
file that was moved to another computer, starts with its real machines held in maintenance and not
connected, until a person agrees that they are run from here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, text, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.machine import FROM_ELSEWHERE
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.states import MachineState, RunState
from cnc_station.engine.store.computer import Place
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.readiness import REWIRING
from cnc_station.engine.store.schema import home, live_run, machine, run
from cnc_station.engine.store.transaction import OneByOne, Tx

ACTOR = "station"
_NOWHERE = "restored"  # not the hash of any computer
_BEFORE = f"{FROM_ELSEWHERE}; before that: "  # of a machine that was in maintenance already


@dataclass(frozen=True, slots=True)
class SettleHome(OneByOne[bool]):
    """Compare the home of an embedded database with `here`, at the start of its engine. Return
    whether it may run its real machines; otherwise they are held.

    The machines of `simulated` drivers cut nothing: they are never held. A database without real
    machines is at home everywhere.
    """

    here: Place
    simulated: frozenset[str]

    def write(self, tx: Tx) -> bool:
        known = _home(tx)
        real = [row for row in _machines(tx) if row.driver not in self.simulated]
        if known is None or not real or known.is_home(self.here):
            _move_in(tx, known, self.here)
            _release(tx, real, ACTOR)
            return True
        _hold(tx, real)
        return False


@dataclass(frozen=True, slots=True)
class AcceptHome(OneByOne[None]):
    """A person agrees that the machines are run from `here`: release them."""

    here: Place
    actor: str

    def write(self, tx: Tx) -> None:
        _move_in(tx, _home(tx), self.here)
        _release(tx, _machines(tx), self.actor)


@dataclass(frozen=True, slots=True)
class HoldRestored(OneByOne[None]):
    """After a restore on a server: hold the real machines until a person agrees."""

    simulated: frozenset[str]

    def write(self, tx: Tx) -> None:
        _hold(tx, [row for row in _machines(tx) if row.driver not in self.simulated])


@dataclass(frozen=True, slots=True)
class ReleaseRestored(OneByOne[bool]):
    """A person agrees that the machines of a restored database on a server are run from now on.
    Return whether any was held."""

    actor: str

    def write(self, tx: Tx) -> bool:
        held = [row for row in _machines(tx) if row.state_reason.startswith(FROM_ELSEWHERE)]
        _release(tx, held, self.actor)
        return bool(held)


def forget_stations(connection: Connection) -> None:
    """After a restore on a server, of any schema: the stations of that time are not at work."""
    gone = "UPDATE station SET incarnation = '', left_at = coalesce(left_at, heard_at)"
    connection.execute(text(gone))


def forget_home(connection: Connection) -> None:
    """After a restore: the database is at home nowhere, so that its real machines are held also on
    the computer that it came from. Jobs that were made since the back-up are in the queue again."""
    connection.execute(delete(home))
    nowhere = {"computer": _NOWHERE, "name": "", "path": "", "file": ""}
    connection.execute(insert(home).values(id=1, **nowhere))


def _home(tx: Tx) -> Place | None:
    row = tx.connection.execute(select(home)).one_or_none()
    return None if row is None else Place(row.computer, row.name, row.path, row.file)


def _machines(tx: Tx) -> Sequence[Row[Any]]:
    return tx.connection.execute(select(machine).where(~machine.c.removed)).all()


def _move_in(tx: Tx, known: Place | None, here: Place) -> None:
    values = {"computer": here.computer, "name": here.name, "path": here.path, "file": here.file}
    if known is None:
        tx.connection.execute(insert(home).values(id=1, **values))
    elif known != here:
        tx.connection.execute(update(home).values(values))


def _hold(tx: Tx, real: Sequence[Row[Any]]) -> None:
    """Give up the runs of these machines, without asking them, and put them in maintenance."""
    _give_up_runs(tx, [row.id for row in real])
    ids = [row.id for row in real]
    for row in tx.connection.execute(select(machine).where(machine.c.id.in_(ids))).all():
        if row.state_reason.startswith(FROM_ELSEWHERE) and _in_maintenance(row):
            continue
        if _in_maintenance(row):
            values: dict[str, Any] = {"state_reason": _BEFORE + row.state_reason}
            tx.record(t.MACHINE_EDITED, actor=ACTOR, machine_id=row.id, reason=FROM_ELSEWHERE)
        else:
            _must_succeed(
                MoveMachine.apply(
                    tx, [MoveMachine((t.MAINTENANCE_STARTED,), row.id, ACTOR, FROM_ELSEWHERE)]
                )
            )
            clear = row.to_clear or row.state == MachineState.NEEDS_CLEARING
            values = {
                "to_clear": clear or (row.state == MachineState.ALARM and row.operator_clears)
            }
        tx.connection.execute(update(machine).where(machine.c.id == row.id).values(values))


def _in_maintenance(row: Row[Any]) -> bool:
    return bool(row.state == MachineState.MAINTENANCE)


def _give_up_runs(tx: Tx, machine_ids: Sequence[int]) -> None:
    """As for a station that is gone: the computer that it came from may still run them."""
    live = select(run).where(live_run, run.c.machine_id.in_(machine_ids)).order_by(run.c.id)
    for row in tx.connection.execute(live).all():
        started = row.state != RunState.ASSIGNED
        transition = t.LOST_INTERRUPTED if started else t.LOST_RETURNED
        move = MoveRun(
            transition,
            row.id,
            row.token,
            row.job_id,
            row.machine_id,
            ACTOR,
            reason=FROM_ELSEWHERE,
            part_on_it=started,
        )
        _must_succeed(MoveRun.apply(tx, [move]))


def _release(tx: Tx, rows: Iterable[Row[Any]], actor: str) -> None:
    """End the hold. A machine gets no work before its driver has connected and reported."""
    for row in rows:
        if not (_in_maintenance(row) and row.state_reason.startswith(FROM_ELSEWHERE)):
            continue
        values: dict[str, Any] = {"not_ready": REWIRING}
        if row.state_reason.startswith(_BEFORE):
            values["state_reason"] = row.state_reason.removeprefix(_BEFORE)
        else:
            ended = MoveMachine((t.MAINTENANCE_ENDED,), row.id, actor)
            _must_succeed(MoveMachine.apply(tx, [ended]))
        tx.connection.execute(update(machine).where(machine.c.id == row.id).values(values))
        tx.notify(Topic.MACHINE_REWIRED, machine_id=row.id)


def _must_succeed(answers: Sequence[Exception | None]) -> None:
    for answer in answers:
        if answer is not None:
            raise answer
